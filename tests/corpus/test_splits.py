import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.corpus.split_table import SPLITS, read_sides, sides_table
from u2u_hf.corpus.splits import SplitSettings, remarks, sides, split
from u2u_hf.records import U2UError, Utterance


def utterance(recording, speaker="s", start=0, ms=1000, text=None, audio=""):
    text = text or f"{recording} {speaker} {start}"
    return Utterance(recording, audio or f"c/{recording}.wav", "t", speaker, 0, start, start + ms, text, text)


DEFAULT = SplitSettings()
CORPUS = [utterance(f"r{r}", f"s{r % 4}", i * 1000) for r in range(20) for i in range(5)]


@pytest.mark.parametrize(("by", "group"), [("recording", lambda u: u.recording), ("speaker", lambda u: u.speaker)])
def test_a_group_is_on_one_side_only(by, group):
    splits, dropped = split(CORPUS, SplitSettings(by=by))
    sides = [{group(u) for u in splits[name]} for name in SPLITS]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert not dropped
    assert sorted(u.text for row in splits.values() for u in row) == sorted(u.text for u in CORPUS)


@pytest.mark.parametrize("seed", range(10))
def test_shares_are_met_roughly_where_there_are_many_recordings(seed):
    """Nearer would mean that recordings change sides as the corpus grows; see the tests below."""
    splits, _ = split(CORPUS, SplitSettings(validation_share=0.1, test_share=0.2, seed=seed))
    train, validation, test = (len(splits[name]) for name in SPLITS)
    assert 5 <= validation <= 20
    assert 5 <= test <= 40
    assert train + validation + test == 100


def test_hours_are_met():
    """100 utterances of a second, five a recording: 10 s of validation are two recordings, 5 s of test are one."""
    splits, _ = split(CORPUS, SplitSettings(validation_hours=10 / 3600, test_hours=5 / 3600))
    assert [len(splits[name]) for name in SPLITS] == [85, 10, 5]
    both, _ = split(CORPUS, SplitSettings(validation_hours=10 / 3600, test_share=0.2))
    assert len(both["validation"]) == 10


def test_more_hours_than_there_are():
    message = r"0\.01 hours of test and 1\.00 hours of validation would leave nothing .* there are 0\.03 hours in all"
    with pytest.raises(U2UError, match=message):
        split(CORPUS, SplitSettings(validation_hours=1, test_hours=0.01))


def test_the_order_of_files_does_not_matter_and_the_seed_does():
    shuffled = random.Random(1).sample(CORPUS, len(CORPUS))
    one, two, other = split(CORPUS, DEFAULT)[0], split(shuffled, DEFAULT)[0], split(CORPUS, SplitSettings(seed=1))[0]
    assert {n: set(row) for n, row in one.items()} == {n: set(row) for n, row in two.items()}
    assert set(one["test"]) != set(other["test"])


def test_a_sentence_of_training_is_not_in_the_evaluation():
    corpus = [*CORPUS, *(utterance(f"r{r}", start=9000, text="yes") for r in range(20))]
    splits, dropped = split(corpus, DEFAULT)
    sentences = [{u.text for u in splits[name]} for name in SPLITS]
    assert "yes" in sentences[0]
    assert not sentences[0] & sentences[1]
    assert not sentences[0] & sentences[2]
    assert not sentences[1] & sentences[2]
    assert {d.reason for d in dropped} == {
        "in test, but the same sentence is in train",
        "in validation, but the same sentence is in train",
    }
    allowed, none = split(corpus, SplitSettings(allow_repeated_sentences=True))
    assert not none
    assert sum(map(len, allowed.values())) == len(corpus)


def test_too_few_recordings_says_what_to_do():
    with pytest.raises(U2UError, match=r"2 recordings .* at least three .--split_by utterance"):
        split([utterance("a"), utterance("b")], DEFAULT)


def test_a_word_list_says_what_to_do():
    with pytest.raises(U2UError, match="allow_repeated_sentences"):
        split([utterance(f"r{r}", text="word") for r in range(5)], DEFAULT)


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
    splits, _ = split(corpus, SplitSettings(validation_share=validation, test_share=test))
    assert all(splits.values())
    assert sorted(u.start_ms for row in splits.values() for u in row) == [u.start_ms for u in corpus]


# --- a recording keeps its side ----------------------------------------------------------------------------------


def recordings(lengths, name="r{}"):
    return [utterance(name.format(i), ms=round(1000 * length)) for i, length in enumerate(lengths)]


def dealt(corpus, **given):
    return sides(corpus, SplitSettings(**given))


def test_sides_go_by_the_sound_and_not_by_the_annotation_file():
    """An edition in a file's name, a move and a second annotation file of the same sound change nothing."""
    before = dealt(CORPUS)
    moved = [
        replace(
            u,
            recording=f"2025/{u.recording}_ed-2025-02-12" + "_part2" * (u.start_ms > 2000),
            audio=f"c/sound/{u.recording.upper()}_ed-2025.WAV",
        )
        for u in CORPUS
    ]
    assert {name.lower(): side for name, side in dealt(moved).items()} == before
    splits, _ = split(moved, DEFAULT)
    audio = [{u.audio for u in splits[name]} for name in SPLITS]
    assert sum(map(len, audio)) == len(set.union(*audio)) == 20


def test_a_microphone_for_each_speaker_is_one_sound():
    corpus = [utterance(u.recording, u.speaker, u.start_ms, audio=f"c/{u.recording}_{u.speaker}.wav") for u in CORPUS]
    more = [replace(u, speaker="x", audio=u.audio.replace(".wav", "x.wav"), text=u.text + "x") for u in corpus]
    splits, _ = split([*corpus, *more], DEFAULT)
    names = [{u.recording for u in splits[name]} for name in SPLITS]
    assert sum(map(len, names)) == len(set.union(*names)) == 20


def test_recordings_of_one_name_in_several_folders_are_different_ones():
    corpus = [utterance(f"day{i}/talk", audio=f"c/day{i}/talk.wav") for i in range(12)]
    assert set(dealt(corpus)) == {f"day{i}/talk" for i in range(12)}


def test_a_corpus_that_grows_keeps_its_sides():
    """One in a hundred moves, where the shares of the small corpus would have been far off."""
    whole = recordings([random.Random(i).uniform(5, 15) for i in range(120)])
    moved = 0
    for seed in range(20):
        first, *later = (dealt(whole[:count], seed=seed) for count in (40, 41, 50, 80, 120))
        moved += sum(any(now[name] != side for now in later) for name, side in first.items())
    assert moved <= 8


def test_few_long_recordings_are_divided_as_near_as_they_can_be():
    assert sorted(dealt(recordings([10, 20, 30, 40])).items()) == [
        ("r0", dealt(recordings([10, 20, 30, 40]))["r0"]),
        ("r1", dealt(recordings([10, 20, 30, 40]))["r1"]),
        ("r2", "train"),
        ("r3", "train"),
    ]
    for seed in range(20):
        rng = random.Random(seed)
        lengths = [rng.uniform(1, 60) for _ in range(rng.randint(3, 6))]
        side_of = dealt(recordings(lengths), seed=seed)
        best = min(
            off(choice, lengths) for choice in itertools.product(SPLITS, repeat=len(lengths)) if len({*choice}) == 3
        )
        assert off([side_of[f"r{i}"] for i in range(len(lengths))], lengths) < best + 0.03


def off(choice, lengths):
    """How far test and validation are from a tenth each, as a part of all."""
    held = [sum(n for n, side in zip(lengths, choice, strict=True) if side == name) for name in SPLITS[1:]]
    return sum(abs(seconds / sum(lengths) - 0.1) for seconds in held)


def test_what_is_far_from_the_shares_is_said():
    splits, _ = split(recordings([10, 10, 10, 10]), DEFAULT)
    assert remarks(splits, DEFAULT) == [
        f"{name} has 25% of the speech, not 10%: each recording stays whole, and there are 4"
        for name in ("test", "validation")
    ]
    exact = SplitSettings(test_hours=5 / 3600, validation_hours=5 / 3600)
    assert remarks(split(CORPUS, exact)[0], exact) == []


# --- sides that are pinned ---------------------------------------------------------------------------------------


def test_pinned_sides_are_read_as_they_were_written(tmp_path):
    side_of = dealt(CORPUS)
    (tmp_path / "splits.csv").write_text(sides_table(side_of, "recording"), encoding="utf-8")
    pinned = read_sides(tmp_path / "splits.csv", "recording")
    assert dealt(CORPUS, pinned=pinned, seed=7, test_share=0.4) == side_of
    grown = dealt([*CORPUS, *recordings([100] * 20, "new{}")], pinned=pinned, seed=7)
    assert side_of.items() <= grown.items()


def test_a_person_may_name_recordings_as_files_in_a_spreadsheet(tmp_path):
    (tmp_path / "s.csv").write_text("Recording;Split\nR3.WAV;Test\nr4;validation\nGone;train\n;;\n", encoding="utf-8")
    given = SplitSettings(pinned=read_sides(tmp_path / "s.csv", "recording"))
    side_of = sides(CORPUS, given)
    assert (side_of["r3"], side_of["r4"]) == ("test", "validation")
    assert remarks(split(CORPUS, given)[0], given)[-1] == "--splits names what has no utterance here: gone"


def test_speakers_are_pinned_too():
    side_of = dealt(CORPUS, by="speaker", pinned={"s1": "test", "s2": "validation"})
    assert (side_of["s1"], side_of["s2"]) == ("test", "validation")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,split\na,test\n", "has no column recording; its first line: 'name,split'"),
        ("recording,split\na,dev\n", "line 2: needs a recording and train, validation or test"),
        ("recording,split\na,test\nA,train\n", "line 3: 'A' has two splits: keep one of the lines"),
        (f"recording,split\n{'a' * 200_000},test\n", "line 2: field larger than field limit"),
    ],
)
def test_tables_of_sides_that_are_wrong(tmp_path, text, message):
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    with pytest.raises(U2UError, match=message):
        read_sides(tmp_path / "s.csv", "recording")


def test_pinned_sides_that_leave_a_split_empty():
    with pytest.raises(U2UError, match="--splits: leaves no recording for validation and test: pin fewer"):
        dealt(CORPUS, pinned=dict.fromkeys((f"r{i}" for i in range(20)), "train"))
    with pytest.raises(U2UError, match="--splits: r1 has several names there, in different splits"):
        dealt([replace(u, recording=f"x{u.recording}") for u in CORPUS], pinned={"r1.wav": "train", "xr1": "test"})
