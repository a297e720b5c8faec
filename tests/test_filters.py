import pytest

from u2u_hf import filters
from u2u_hf.records import Utterance


def utterance(text="tata", ms=1000, raw=None):
    return Utterance("r", "r.wav", "t", "s", 0, 500, 500 + ms, text if raw is None else raw, text)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (utterance(), None),
        (utterance("", raw="  "), "the annotation is empty"),
        (utterance("", raw="[risas]"), "nothing is left after the text rules"),
    ],
)
def test_empty(given, reason):
    assert filters.empty(given) == reason


@pytest.mark.parametrize(
    ("ms", "reason"), [(299, "shorter than 0.3 s"), (300, None), (2000, None), (2001, "longer than 2 s")]
)
def test_duration(ms, reason):
    assert filters.duration(0.3, 2)(utterance(ms=ms)) == reason


def test_too_few_frames():
    # 100 ms are 1,600 samples: 4 frames. "abcd" needs 4, "abcc" needs a blank between the two c: 5.
    assert filters.too_few_frames(utterance("abcd", 100)) is None
    assert "more characters" in filters.too_few_frames(utterance("abcc", 100))


def test_apply_names_the_first_reason_and_keeps_order():
    rows = [utterance("a"), utterance("", 100), utterance("b", 100), utterance("c")]
    kept, dropped = filters.apply(rows, [filters.empty, filters.duration(0.3, 9)])
    assert [u.text for u in kept] == ["a", "c"]
    assert dropped == [(rows[1], "the annotation is empty"), (rows[2], "shorter than 0.3 s")]
