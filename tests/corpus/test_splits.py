import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.corpus.splits import SPLITS, split
from u2u_hf.records import U2UError, Utterance


def utterance(recording, speaker="s", start=0, ms=1000, text=None):
    text = text or f"{recording} {speaker} {start}"
    return Utterance(recording, "a.wav", "t", speaker, 0, start, start + ms, text, text)


CORPUS = [utterance(f"r{r}", f"s{r % 4}", i * 1000) for r in range(20) for i in range(5)]


@pytest.mark.parametrize(("by", "group"), [("recording", lambda u: u.recording), ("speaker", lambda u: u.speaker)])
def test_a_group_is_on_one_side_only(by, group):
    splits, dropped = split(CORPUS, by)
    sides = [{group(u) for u in splits[name]} for name in SPLITS]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert not dropped
    assert sorted(u.text for row in splits.values() for u in row) == sorted(u.text for u in CORPUS)


def test_shares_are_met():
    splits, _ = split(CORPUS, validation_share=0.1, test_share=0.2)
    assert [len(splits[name]) for name in SPLITS] == [70, 10, 20]


def test_hours_are_met():
    """100 utterances of a second, five a recording: 10 s of validation are two recordings, 5 s of test are one."""
    splits, _ = split(CORPUS, validation_hours=10 / 3600, test_hours=5 / 3600)
    assert [len(splits[name]) for name in SPLITS] == [85, 10, 5]
    both, _ = split(CORPUS, validation_hours=10 / 3600, test_share=0.2)
    assert [len(both[name]) for name in SPLITS] == [70, 10, 20]


def test_more_hours_than_there_are():
    message = r"0\.01 hours of test and 1\.00 hours of validation would leave nothing .* there are 0\.03 hours in all"
    with pytest.raises(U2UError, match=message):
        split(CORPUS, validation_hours=1, test_hours=0.01)


def test_the_order_of_files_does_not_matter_and_the_seed_does():
    shuffled = random.Random(1).sample(CORPUS, len(CORPUS))
    one, two, other = split(CORPUS)[0], split(shuffled)[0], split(CORPUS, seed=1)[0]
    assert {n: set(row) for n, row in one.items()} == {n: set(row) for n, row in two.items()}
    assert set(one["test"]) != set(other["test"])


def test_a_sentence_of_training_is_not_in_the_evaluation():
    corpus = [*CORPUS, *(utterance(f"r{r}", start=9000, text="yes") for r in range(20))]
    splits, dropped = split(corpus)
    sentences = [{u.text for u in splits[name]} for name in SPLITS]
    assert "yes" in sentences[0]
    assert not sentences[0] & sentences[1]
    assert not sentences[0] & sentences[2]
    assert not sentences[1] & sentences[2]
    assert {reason for _, reason in dropped} == {
        "in test, but the same sentence is in train",
        "in validation, but the same sentence is in train",
    }
    allowed, none = split(corpus, allow_repeated_sentences=True)
    assert not none
    assert sum(map(len, allowed.values())) == len(corpus)


def test_too_few_recordings_says_what_to_do():
    with pytest.raises(U2UError, match=r"2 recordings .* at least three .--split_by utterance"):
        split([utterance("a"), utterance("b")])


def test_a_word_list_says_what_to_do():
    with pytest.raises(U2UError, match="allow_repeated_sentences"):
        split([utterance(f"r{r}", text="word") for r in range(5)])


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(300, 9000)), min_size=3, max_size=60),
    st.floats(0.01, 0.6),
    st.floats(0.01, 0.6),
)
def test_nothing_is_lost_or_doubled(rows, validation, test):
    corpus = [utterance(f"r{r}", start=i * 10_000, ms=ms) for i, (r, ms) in enumerate(rows)]
    if len({u.recording for u in corpus}) < 3 or validation + test >= 1:
        return
    splits, _ = split(corpus, validation_share=validation, test_share=test)
    assert all(splits.values())
    assert sorted(u.start_ms for row in splits.values() for u in row) == [u.start_ms for u in corpus]
