"""Praat's backslash symbols; the rows are from its manual."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.formats import praat_symbols


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"\a'\o/\c,\ss\ae" + '\\a"', "áøçßæä"),
        (r"\al\be\ga\Ga", "αβγΓ"),
        (r"\ng\nj\mj\n.\nc", "ŋɲɱɳɴ"),
        (r"\sh\zh\s.\cc\gf\hj\?g\9e", "ʃʒʂɕɣɧʔʕ"),
        (r"\sw\ef\er\ct\as\i-\u-\rh", "əɛɜɔɑɨʉɤ"),
        (r"\b^\d^\g^\j^\G^", "ɓɗɠʄʛ"),
        (r"\O.\|1\|2\|-", "ʘǀǁǂ"),
        (r"a\:f e\.f \'1ka\'2ta", "aː eˑ ˈkaˌta"),
        (r"n\|v t\Nv a\~^ o\'^ d\0v", "n\u0329 t\u032a a\u0303 o\u0301 d\u0325"),
        (r"t\li\sh k\^h p\ap", "t\u0361ʃ kʰ pʼ"),
        (r"\bs \bu \c/ \<< \>> \--", "\\ • ¢ « » –"),
        ("10\\%  a\\# b \\' ", "10% a#b ’"),
        (r"\qq \1 \n", r"\qq \1 \n".replace(r"\1 ", "1")),  # no symbol; a plain character; too short
        ("\\ñg \\\tg", "\\ñg \\\tg"),
        (r"\\ng", r"\\ng"),  # Praat takes three characters at a time
        ("", ""),
    ],
)
def test_symbols(written, shown):
    assert praat_symbols.decoded(written) == shown


def test_each_symbol_is_one_character_that_unicode_has():
    assert len(praat_symbols._SYMBOLS) > 450
    for written, shown in praat_symbols._SYMBOLS.items():
        assert len(written) == 2
        assert unicodedata.name(shown)


@given(st.text("ng\\bs a:f'\u0325", max_size=20))
def test_what_is_encoded_is_decoded(text):
    assert praat_symbols.decoded(praat_symbols.encoded(text)) == text
