"""Apostrophes at word edges, in corpora of both kinds: what stays was worked out by hand."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.corpus.edge_marks import APOSTROPHES, letters_at_edges
from u2u_hf.corpus.text_rules import TextRules


def after(texts):
    return TextRules([{"punctuation": "drop"}]).of_corpus(texts)


@pytest.mark.parametrize("mark", APOSTROPHES)
def test_glottal_stops_at_both_edges_are_letters(mark):
    texts = ["'ala mi'o te'", "ne 'oki ma' sa'a", "'e'e tala' 'ua", "mi'i 'ala' 'o ne"]
    texts = [text.replace("'", mark) for text in texts]
    assert after(texts) == texts


def test_words_that_are_never_written_without_are_evidence():
    texts = [f"'ala {word} te'" for word in ("ki", "mo", "ra", "su")]
    assert after(texts) == texts  # each of them alone looks like a quotation
    bare = [f"ala {word} te" for word in ("ki", "mo", "ra", "su", "ti", "vo")]
    assert after([*texts, *bare]) == [*bare[:4], *bare]


def test_quoted_speech_goes_on_in_the_next_text():
    texts = ["he said 'ka mi'", "'no te re'", "and 'so mi ta", "ra ke", "vo lo' he said", "'ta' 'ma'", "'li' then"]
    assert after(texts) == ["he said ka mi", "no te re", "and so mi ta", "ra ke", "vo lo he said", "ta ma", "li then"]


def test_what_has_no_partner_among_quotations_is_a_letter():
    texts = [f"he said '{a} {b}' no" for a, b in zip("abcdefgh", "ijklmnop", strict=True)]
    assert after([*texts, "y' okwe"])[-1] == "y' okwe"
    assert after([*texts, "y' okwe"])[0] == "he said a i no"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("he said ‘’ala mi’o te’’", "he said ’ala mi’o te’"),  # the outer mark is the quotation's
        ("‘ka’ ’oki mi’o", "ka ’oki mi’o"),  # ‘ opens: ’ before a word is a letter
        ("’ka ma’ no", "ka ma no"),  # as in Swedish
        ("‚ka‘ no", "ka no"),  # as in German
        ("‚ka no", "ka no"),
        ("‘okina ‘ala", "‘okina ‘ala"),
        ("''ka ma'' no", "ka ma no"),  # typed for a double quotation mark
        ("'ka.' no te'", "ka no te'"),  # a mark that touches no letter is a quotation mark, as is its partner
        ("ka''a", "ka''a"),
    ],
)
def test_curly_and_doubled_marks(text, left):
    assert after([text]) == [left]


def test_length_marks_at_word_ends_are_letters_if_words_have_them_inside():
    assert after(["mi:ko ka:", "na: mi:ko"]) == ["mi:ko ka:", "na: mi:ko"]
    assert after(["mi:ko ka: te", "na: ke: ro:"]) == ["mi:ko ka te", "na ke ro"]
    assert after(["mi·ko ka·", "dijo: na"]) == ["mi·ko ka·", "dijo na"]


def test_question_marks_are_glottal_stops_if_words_have_them_inside():
    assert after(["ma?a ?ina te?", "sa?a"]) == ["ma?a ?ina te?", "sa?a"]
    assert after(["ka? na?", "te ma?a no?"]) == ["ka na", "te ma a no"]
    assert after(["?ina ka", "te ??ma", "ka ?"]) == ["ina ka", "te ma", "ka"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab '’‘‚′:·.,1?", max_size=12), max_size=5))
def test_only_marks_that_touch_a_letter_are_letters(texts):
    for text, places in zip(texts, letters_at_edges(texts), strict=True):
        for at in places:
            assert text[at] in "'’‘′:·?"
            around = text[:at].rstrip("'’‘‚′:·?")[-1:] + text[at:].lstrip("'’‘‚′:·?")[:1]
            assert set(around) & set("ab1")


def test_a_large_corpus_takes_seconds():
    chosen = random.Random(0)
    words = ["ka", "te'", "'ala", "mi:ko", "sa'a", "ne."]
    texts = [" ".join(chosen.choices(words, k=10)) for _ in range(20_000)]
    before = time.process_time()
    letters_at_edges(texts)
    assert time.process_time() - before < 10  # half a second on a laptop
