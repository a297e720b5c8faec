import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.cross_validation.folds import Rows, deal, make_folds
from u2u_hf.records import U2UError


def rows(*utterances):
    """Utterances as (speaker, recording, seconds), each with a sound of its own."""
    names, recordings, seconds = zip(*utterances, strict=True)
    return Rows(names, recordings, seconds, [f"sound {row}" for row in range(len(utterances))])


def test_dealt_by_hand():
    # The longest first, each to the shortest fold: 6 | 5; 4 to the second (9); 3 to the first (9); 2 to the first (11).
    seconds = {"a": 2, "b": 6, "c": 3, "d": 5, "e": 4}
    assert deal(seconds, 2) == [("a", "b", "c"), ("d", "e")]
    assert deal(seconds, 9) == [("b",), ("d",), ("e",), ("c",), ("a",)]


@given(st.lists(st.floats(0.1, 1000), min_size=2, max_size=40), st.integers(2, 8))
def test_folds_are_about_equally_long(lengths, most):
    seconds = {f"g{number}": length for number, length in enumerate(lengths)}
    dealt = deal(seconds, most)
    assert sorted(group for groups in dealt for group in groups) == sorted(seconds)
    sizes = [sum(seconds[group] for group in groups) for groups in dealt]
    assert len(sizes) == min(most, len(lengths))
    assert max(sizes) - min(sizes) <= max(lengths) + 1e-6


_utterance = st.tuples(st.sampled_from("ABCDEF"), st.sampled_from("rstuvw"), st.floats(0.2, 20), st.integers(0, 60))


@settings(max_examples=300)
@given(st.lists(_utterance, min_size=2, max_size=80), st.integers(2, 6), st.floats(0, 1), st.sampled_from([0, 1]))
def test_nothing_that_is_left_out_is_learnt_from(utterances, most, share, what):
    names, recordings, seconds, sounds = zip(*utterances, strict=True)
    names = (names, recordings)[what]
    kind = ("speaker", "recording")[what]
    try:
        folds = make_folds(Rows(names, recordings, seconds, list(map(str, sounds))), kind, most, share)
    except U2UError:  # one name, or one utterance left
        return
    assert sorted(row for fold in folds for row in fold.left_out) == list(range(len(utterances)))  # each once
    for fold in folds:
        assert sorted(fold.left_out + fold.train + fold.validation) == list(range(len(utterances)))
        assert fold.train
        assert fold.validation
        learnt = fold.train + fold.validation
        assert not {names[row] for row in fold.left_out} & {names[row] for row in learnt}
        assert not {sounds[row] for row in fold.left_out} & {sounds[row] for row in learnt}
        assert {names[row] for row in fold.left_out} == set(fold.names)


def test_copies_of_a_sound_are_left_out_together():
    made = Rows("ABCB", "rsts", (1, 1, 1, 1), ["x", "y", "x", "z"])
    assert [fold.names for fold in make_folds(made, "speaker", 5)] == [("A", "C"), ("B",)]


def test_validation_is_whole_recordings_if_some_are_short_enough():
    # Without A 200 s are left in twenty recordings of 10 s, so that 10 % are two of them.
    made = rows(*[("A", "z", 10)] * 3, *(("B", f"r{number}", 5) for number in range(20) for _ in range(2)))
    fold = next(fold for fold in make_folds(made, "speaker", 2, 0.1) if fold.names == ("A",))
    found = [made.recordings[row] for row in fold.validation]
    assert len(found) == 4
    assert len(set(found)) == 2


def test_validation_is_utterances_here_and_there_if_recordings_are_long():
    made = rows(*[("A", "r", 10)] * 20, *[("B", "s", 10)] * 20)
    for fold in make_folds(made, "speaker", 2, 0.1):
        assert len(fold.validation) == 2  # 20 s of 200
        assert len(fold.train) == 18
    # A share that would leave nothing, or tell nothing, is kept within limits.
    assert {len(fold.validation) for fold in make_folds(made, "speaker", 2, 0.9)} == {4}
    assert {len(fold.validation) for fold in make_folds(made, "speaker", 2, 0.0)} == {1}


@pytest.mark.parametrize(
    ("made", "what", "message"),
    [
        (
            [("Ana", "r", 1), ("Ana", "s", 1)],
            "speaker",
            r"of one speaker \(Ana\): leave out recordings: --leave_out",
        ),
        ([("r", "r", 1), ("r", "r", 1)], "recording", "of one recording, and nothing is left .* --split_by utterance"),
        ([("Ana", "r", 9), ("Eva", "r", 1)], "speaker", "without speaker Ana one utterance is left"),
    ],
)
def test_what_cannot_be_left_out_is_said(made, what, message):
    with pytest.raises(U2UError, match=message):
        make_folds(rows(*made), what, 5)
