import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.corpus import filters
from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.records import Dropped, Utterance


def utterance(text="tata", ms=1000, raw=None):
    return Utterance("r", "r.wav", "t", "s", 0, 500, 500 + ms, text if raw is None else raw, text)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (utterance(), None),
        (utterance("", raw="  "), "the annotation is empty"),
        (utterance("", raw="%ignore%"), "the annotation is %ignore%: SayMore's mark for what is not to be transcribed"),
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
    assert dropped == [Dropped(rows[1], "the annotation is empty"), Dropped(rows[2], "shorter than 0.3 s")]


def test_characters_and_their_rate():
    check = filters.characters(2, 5)
    assert [check(utterance(text)) for text in ("a", "ab", "abcde", "abcdef")] == [
        "fewer than 2 characters", None, None, "more than 5 characters",
    ]  # fmt: skip
    rate = filters.characters_per_second(4)
    assert rate(utterance("abcd", 1000)) is None
    assert rate(utterance("abcde", 1000)) == "more than 4 characters a second"


def test_every_filter_has_the_users_limits():
    limits = PreparationSettings(
        corpus="c", min_seconds=0.5, max_seconds=5, min_characters=2, max_characters=60, max_characters_per_second=40
    )
    rows = [
        utterance(""),
        utterance("ab", 499),
        utterance("ab", 5001),
        utterance("a"),
        utterance("a" * 61, 5000),
        utterance("ab" * 11, 540),
        utterance("a" * 20, 500),
        utterance("ab"),
    ]
    kept, dropped = filters.apply(rows, filters.from_limits(limits))
    assert kept == [rows[-1]]
    assert [d.reason for d in dropped] == [
        "the annotation is empty",
        "shorter than 0.5 s",
        "longer than 5 s",
        "fewer than 2 characters",
        "more than 60 characters",
        "more than 40 characters a second",
        "more characters than the recogniser has frames for (one in 20 ms)",
    ]


def at(start, end, channel=0, audio="r.wav", text="a"):
    return Utterance("r", audio, "t", "s", channel, start, end, text, text)


def test_duplicates():
    rows = [at(0, 100), at(0, 100), at(0, 101), at(0, 100, audio="q.wav"), at(0, 100, text="b")]
    kept, dropped = filters.without_duplicates(rows)
    assert kept == [rows[0], *rows[2:]]
    assert dropped == [Dropped(rows[1], "the same annotation is in another file or tier")]


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
    assert [d.utterance for d in dropped] == [row for i, row in enumerate(rows) if i not in kept]


def test_a_corrected_draft_goes_before_what_it_overlaps_on_its_channel():
    """By more than 100 ms, on the same channel of the same audio; other utterances and other drafts stay."""
    draft = replace(at(1000, 2000), tier="draft")
    rows = [at(0, 1100), at(899, 1101), at(1500, 1601), at(1500, 1601, channel=1), at(1500, 1601, audio="q.wav"), draft]
    kept, dropped = filters.without_drafted(rows, {(draft.recording, "draft")}, 100)
    assert kept == [rows[0], rows[3], rows[4], draft]
    assert [d.utterance for d in dropped] == rows[1:3]
    assert {d.reason for d in dropped} == {"a corrected draft of the same speech is used"}
    assert filters.without_drafted(rows, set(), 100) == (rows, [])


def test_a_speaker_does_not_overlap_with_another_if_it_is_himself():
    """The reason that is given is true, also where both overlap somebody else's utterance."""
    other = replace(at(500, 1500), tier="t2", speaker="s2")
    renamed = replace(at(5500, 6500), speaker="s2")  # of the same tier
    _, dropped = filters.without_overlap([at(0, 1000), other, at(600, 1600), at(3000, 4000), at(3500, 4500)], 100)
    assert [d.reason for d in dropped] == ["overlaps another speaker on the same channel"] * 3 + [
        "the annotation overlaps another one of the same speaker"
    ] * 2
    _, dropped = filters.without_overlap([at(5000, 6000), renamed], 100)
    assert {d.reason for d in dropped} == {"the annotation overlaps another one of the same speaker"}


def _overlaps_by_definition(rows, most_ms):
    """Every pair is compared."""
    reasons = {}
    for a, b in itertools.permutations(range(len(rows)), 2):
        one, other = rows[a], rows[b]
        shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
        if (one.audio, one.channel) == (other.audio, other.channel) and shared > most_ms:
            same = "the annotation overlaps another one of the same speaker"
            other_speaker = "overlaps another speaker on the same channel"
            if reasons.get(a) != other_speaker:
                reasons[a] = same if one.speaker == other.speaker else other_speaker
    return [Dropped(row, reasons[i]) for i, row in enumerate(rows) if i in reasons]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 1), st.sampled_from("abc")), max_size=12),
    st.integers(0, 3),
)
def test_overlaps_are_those_of_all_pairs(drawn, most_ms):
    rows = [replace(at(s, s + length, channel), tier=who, speaker=who) for s, length, channel, who in drawn]
    kept, dropped = filters.without_overlap(rows, most_ms)
    assert dropped == _overlaps_by_definition(rows, most_ms)
    assert len(kept) + len(dropped) == len(rows)


class _Compared(int):
    """A time that counts how often one is compared."""

    times = 0

    def __gt__(self, other):
        _Compared.times += 1
        return int(self) > other

    def __lt__(self, other):
        _Compared.times += 1
        return int(self) < other


def test_thousands_that_overlap_each_other_are_not_compared_in_pairs():
    rows = [replace(at(i, _Compared(10_000)), tier=f"t{i}", speaker=f"s{i}") for i in range(2000)]
    _Compared.times = 0
    assert filters.without_overlap(rows, 100)[0] == []
    assert _Compared.times < 20 * len(rows)
