"""Characters counted and marked; every truth worked out by hand."""

import unicodedata

import pytest

from u2u_hf.records import Utterance
from u2u_hf.reports.characters import excerpt, shown, take_inventory
from u2u_hf.visible_text import visible


def said(*texts, raw=()):
    raw = raw or texts
    return [
        Utterance("story", "story.wav", "tx", "ANA", 0, 1000 * i, 1000 * i + 900, written, text)
        for i, (text, written) in enumerate(zip(texts, raw, strict=True))
    ]


def marks(*texts):
    return {c.character: c.marks for c in take_inventory(said(*texts)).characters}


def odd(*texts):
    """Marks but "rare", which in so little text is every character's."""
    found = {character: tuple(m for m in row if m != "rare") for character, row in marks(*texts).items()}
    return {character: row for character, row in found.items() if row}


def test_counts_code_points_names_and_first_examples():
    utterances = said("ana  na", "ñañ", "")
    found = take_inventory(utterances)
    assert [(c.character, c.count) for c in found.characters] == [("a", 4), ("n", 2), (" ", 2), ("ñ", 2)]
    assert found.total == 10
    letter = found.characters[3]
    assert (letter.code_point, letter.name) == ("U+00F1", "LATIN SMALL LETTER N WITH TILDE")
    assert letter.example == utterances[1]
    assert found.characters[0].example == utterances[0]


def test_nothing_said_is_an_empty_inventory():
    assert take_inventory([]) == take_inventory(said("", ""))
    assert take_inventory([]).characters == ()


def test_the_annotations_as_written_can_be_counted_too():
    found = take_inventory(said("ab", raw=["Ab!"]), lambda utterance: utterance.raw_text)
    assert [(c.character, c.count) for c in found.characters] == [("A", 1), ("b", 1), ("!", 1)]


def test_fewer_than_five_are_rare_and_in_a_large_corpus_fewer_than_one_in_twenty_thousand():
    assert marks("aaaaa", "bbbb") == {"a": (), "b": ("rare",)}
    assert marks("a" * 399_980 + "b" * 20) == {"a": (), "b": ()}
    assert marks("a" * 399_981 + "b" * 19) == {"a": (), "b": ("rare",)}


def test_a_letter_of_another_script_inside_a_word():
    # The second letter is Cyrillic.
    assert odd("kаna", "kana") == {"а": ("CYRILLIC among LATIN (1 ×)", "looks like a U+0061 (3 ×)")}
    # The whole words are Cyrillic: nothing is mixed.
    assert odd("привет kana") == {}
    # In a word of half and half, the script of the corpus is at home.
    assert odd("θa", "kana")["θ"] == ("GREEK among LATIN (1 ×)",)


def test_letters_lent_from_another_script_make_no_word_theirs():
    """As in Mboshi: the Latin letters are not odd in a word with more Greek ones than Latin ones."""
    assert odd("bέε", "kana bω", "εω") == {
        "έ": ("GREEK among LATIN (1 ×)",),
        "ε": ("GREEK among LATIN (2 ×)",),
        "ω": ("GREEK among LATIN (2 ×)",),
    }
    # Half of the Greek letters are in words of their own.
    assert odd("bέε", "kana bω", "εωε")["b"] == ("LATIN among GREEK (1 ×)",)


def test_a_word_of_one_letter_is_held_against_the_corpus():
    latin = "kana " * 20
    assert odd(latin + "и и")["и"] == ("CYRILLIC among LATIN (2 ×)",)
    assert odd("я и ты", "kana") == {}  # both scripts are at home


def test_tones_marks_and_modifier_letters_belong_to_every_script():
    assert odd("tũ³ʼũ⁴", "ɡʷa") == {"³": ("digit",), "⁴": ("digit",)}
    assert odd("日本のカメラ") == {}


@pytest.mark.parametrize(
    ("texts", "family"),
    [
        (["ya'a ya'a", "ya’a", "yaʼa", "yaꞌa"], "'’ʼꞌ"),
        (["na-ka", "na‐ka", "na–ka"], "-‐–"),
        (["ta1", "ta¹", "ta₁"], "1¹₁"),
        (["ka:", "kaː", "ka꞉"], ":ː꞉"),
        (["əa", "ǝa"], "əǝ"),
        (["ga", "ɡa"], "gɡ"),
    ],
)
def test_look_alikes_are_grouped(texts, family):
    groups = take_inventory(said(*texts)).look_alikes
    assert ["".join(c.character for c in group) for group in groups] == [family]


def test_of_two_look_alikes_the_less_frequent_is_marked():
    found = odd("ya'a ya'a", "ya’a")
    assert found == {"’": ("looks like ' U+0027 (2 ×)",)}


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u00a0", "NO-BREAK SPACE"),
        ("\u00ad", "SOFT HYPHEN"),
        ("\u200d", "ZERO WIDTH JOINER"),
        ("\ufeff", "ZERO WIDTH NO-BREAK SPACE"),
        ("\u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("\ufe0f", "VARIATION SELECTOR-16"),
        ("\u3000", "IDEOGRAPHIC SPACE"),
        ("\t", "CHARACTER TABULATION"),
        ("\n", "LINE FEED"),
        ("\0", "NULL"),
        ("\x1b", "<control character>"),
        ("\ud800", "<half a surrogate pair>"),
    ],
)
def test_invisible_characters_are_found_and_spelled_out(character, name):
    found = {c.character: c for c in take_inventory(said(f"ka{character}na")).characters}
    assert "invisible" in found[character].marks
    assert found[character].name == name
    spelled = f"‹U+{ord(character):04X}›"
    assert visible(f"ka{character}na") == f"ka{spelled}na"
    assert shown(character) == spelled


def test_other_odd_characters():
    assert odd("a\ue000") == {"\ue000": ("private use: seen in one font only",)}
    assert odd("a\ufffd") == {"\ufffd": ("damaged text",)}
    assert odd("K\u212a")["\u212a"] == ("KELVIN among LATIN (1 ×)", "not in NFC: U+004B is")


def test_combining_sequences_and_several_spellings_of_one_letter():
    composed, apart = "é", unicodedata.normalize("NFD", "é")
    found = take_inventory(said(f"k{composed} k{composed}", f"k{apart}", "ã̀ ã̀ ã̀"))
    assert [(s.text, s.count) for s in found.sequences] == [("ã̀", 3), (apart, 1)]
    assert [[(s.text, s.count) for s in ways] for ways in found.mixed_forms] == [[(composed, 2), (apart, 1)]]
    # The order of marks that do not touch each other says nothing, and is one letter all the same.
    above_below, below_above = "a\u0301\u0331", "a\u0331\u0301"
    ways = take_inventory(said(above_below, below_above)).mixed_forms
    assert [{s.text for s in group} for group in ways] == [{above_below, below_above}]
    assert take_inventory(said("\u0301a")).sequences == ()


def test_how_characters_are_shown():
    assert shown(" ") == "␣"
    assert shown("\u0301") == "◌\u0301"
    assert shown("ñ") == "ñ"


def test_an_excerpt_holds_what_it_is_for():
    text = "a" * 100 + "x" + "b" * 100
    assert excerpt(text, "x", 11) == "…aaaaaxbbbbb…"
    assert excerpt(text, "a", 5) == "aaaaa…"
    assert excerpt(text + "y", "y", 5) == "…bbbby"
    assert excerpt("short", "s", 11) == "short"
