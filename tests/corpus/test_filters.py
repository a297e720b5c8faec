import pytest

from u2u_hf.corpus import filters
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


def test_characters_and_their_rate():
    check = filters.characters(2, 5)
    assert [check(utterance(text)) for text in ("a", "ab", "abcde", "abcdef")] == [
        "fewer than 2 characters", None, None, "more than 5 characters",
    ]  # fmt: skip
    rate = filters.characters_per_second(4)
    assert rate(utterance("abcd", 1000)) is None
    assert rate(utterance("abcde", 1000)) == "more than 4 characters a second"


def at(start, end, channel=0, audio="r.wav", text="a"):
    return Utterance("r", audio, "t", "s", channel, start, end, text, text)


def test_duplicates():
    rows = [at(0, 100), at(0, 100), at(0, 101), at(0, 100, audio="q.wav"), at(0, 100, text="b")]
    kept, dropped = filters.without_duplicates(rows)
    assert kept == [rows[0], *rows[2:]]
    assert [u for u, _ in dropped] == [rows[1]]


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([at(0, 1000), at(900, 2000)], [0, 1]),  # 100 ms is what is allowed
        ([at(0, 1000), at(899, 2000)], []),
        ([at(899, 2000), at(0, 1000)], []),
        ([at(0, 1000), at(500, 600)], [0, 1]),
        ([at(0, 1000), at(500, 601)], []),
        ([at(0, 1000), at(0, 1000, channel=1)], [0, 1]),
        ([at(0, 1000), at(0, 1000, audio="q.wav")], [0, 1]),
        ([at(0, 9000), at(1000, 2000), at(3000, 4000), at(9000, 9500)], [3]),
    ],
)
def test_overlap_on_one_channel_drops_both(rows, kept):
    left, dropped = filters.without_overlap(rows, 100)
    assert left == [rows[i] for i in kept]
    assert len(dropped) == len(rows) - len(kept)
