import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from u2u_hf.corpus.pairing import before_edit
from u2u_hf.data.audio import audio_info, decode_mono, read_audio
from u2u_hf.data.dataset import load_splits
from u2u_hf.records import U2UError
from u2u_hf.transcription import untranscribed
from u2u_hf.transcription.untranscribed import likeness, untranscribed_speech


@pytest.fixture(scope="module")
def known(demo_dataset):
    return load_splits(demo_dataset)


def test_the_speech_of_each_channel_is_found_once(new_recording, known, tmp_path, monkeypatch):
    found = untranscribed_speech(str(new_recording.parent), tmp_path / "speech", known, 10.0, 0)
    assert set(found.rows["channel"]) == {0, 1}  # each speaker of the demo has one
    assert not found.remarks
    assert 0 < found.hours * 3600 < 2 * audio_info(new_recording).duration_ms / 1000
    row = found.rows[0]
    samples = read_audio(audio_info(new_recording), row["start_ms"], row["end_ms"], [row["channel"]])[0]
    assert np.allclose(decode_mono(row["audio"]["bytes"]), samples, atol=2**-14)

    def again(*arguments, **settings):
        raise AssertionError("was found already")

    monkeypatch.setattr(untranscribed, "find_speech", again)
    kept = untranscribed_speech(str(new_recording.parent), tmp_path / "speech", known, 10.0, 0)
    assert kept.rows["start_ms"] == found.rows["start_ms"]
    with pytest.raises(AssertionError, match="was found already"):  # by another choice it is not the same
        untranscribed_speech(str(new_recording.parent), tmp_path / "speech", known, 10.0, 1)


def test_what_is_in_the_dataset_is_left_out(demo_folder, new_recording, known, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    for path in [*(demo_folder / "corpus").rglob("*.wav"), new_recording]:
        (folder / path.name).symlink_to(path)
    found = untranscribed_speech(str(folder), tmp_path / "speech", known, 10.0, 0)
    held_out = {name for split in ("validation", "test") for name in known[split]["recording"]}
    honest = [
        remark for remark in found.remarks if "is in the dataset's validation or test, by its name: left out" in remark
    ]
    assert len(honest) == len(held_out) > 0
    alone = untranscribed_speech(str(new_recording.parent), tmp_path / "alone", known, 10.0, 0)
    assert found.rows["recording"].count(new_recording.stem) == len(alone.rows)
    # Of the recordings in training there is only what has no transcript: the demo has some empty annotations.
    transcribed = sum(known["train"]["duration"])
    others = sum(row["duration"] for row in found.rows if row["recording"] != new_recording.stem)
    assert others < 0.5 * transcribed


def test_a_shifted_or_cut_piece_is_the_same_and_another_is_not():
    one, other = np.random.default_rng(0).standard_normal((2, 16_000))
    assert likeness(one, -0.1 * np.concatenate([np.zeros(500), one, np.zeros(7)])) == pytest.approx(1.0)
    # 800 of 16,000 samples are missing at the start: the square root of 95 % of the energy.
    assert likeness(one, one[800:]) == pytest.approx(0.95**0.5, abs=0.01)
    # Half of the energy is the other's.
    assert likeness(one, one + other) == pytest.approx(0.5**0.5, abs=0.02)
    assert likeness(one, other) < 0.1
    assert likeness(one, np.zeros(16_000)) == likeness(one, one[:100]) == likeness(one[:0], one) == 0.0


def held_out_recordings(demo_folder, known):
    names = {before_edit(Path(name).name) for split in ("validation", "test") for name in known[split]["recording"]}
    found = [path for path in (demo_folder / "corpus").rglob("*.wav") if path.stem in names]
    assert len(found) == len(names) > 0
    return found


def without_a_lead(samples, rate):
    return samples[rate // 20 :]


def with_a_lead(samples, rate):
    return np.concatenate([np.zeros((rate * 26 // 1000, samples.shape[1])), samples])


@pytest.mark.parametrize(
    ("change", "suffix"),
    [
        (lambda samples, rate: samples.mean(1), ".wav"),
        (with_a_lead, ".flac"),
        (with_a_lead, ".mp3"),
        (without_a_lead, ".wav"),
    ],
)
def test_a_copy_of_a_held_out_recording_is_left_out(change, suffix, demo_folder, known, tmp_path):
    (tmp_path / "copies").mkdir()
    for number, path in enumerate(held_out_recordings(demo_folder, known)):
        samples, rate = soundfile.read(path, always_2d=True)
        soundfile.write(tmp_path / "copies" / f"copy{number}{suffix}", change(samples, rate), rate)
    found = untranscribed_speech(str(tmp_path / "copies"), tmp_path / "speech", known, 10.0, 0)
    assert found.rows is None
    assert found.remarks
    assert all("is in the dataset's validation or test, by its sound: left out" in remark for remark in found.remarks)


def test_one_channel_of_a_held_out_recording_is_left_out(demo_folder, known, tmp_path):
    """Each channel has transcribed speech; a copy of one does not have the longest utterance of the other."""
    (tmp_path / "copies").mkdir()
    number = 0
    for path in held_out_recordings(demo_folder, known):
        samples, rate = soundfile.read(path, always_2d=True)
        for channel in samples.T:
            soundfile.write(tmp_path / "copies" / f"copy{number}.wav", channel, rate)
            number += 1
    found = untranscribed_speech(str(tmp_path / "copies"), tmp_path / "speech", known, 10.0, 0)
    assert found.rows is None
    assert len(found.remarks) == number > 1
    assert all("is in the dataset's validation or test, by its sound: left out" in remark for remark in found.remarks)


def test_a_recording_with_the_name_of_a_held_out_one_is_left_out(new_recording, known, tmp_path):
    def found(recordings, *paths):
        splits = {name: known["test"].select([0]) for name in recordings}
        for name, recording in recordings.items():
            rows = splits[name].remove_columns("recording").add_column("recording", [recording])
            splits[name] = rows.map(lambda row: {"end_ms": 10**9})  # its sound is compared with nothing
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(new_recording)
        remarks = untranscribed_speech(str(folder), folder / ".kept", splits, 10.0, 0).remarks
        return [remark.split(":")[0] for remark in remarks if "by its name: left out" in remark]

    held_out = {"test": "elan/Old Story_ed-2025-02-12"}
    files = ["old story.wav", "a/OLD_STORY.flac", "b/old story_ed.mp3", "story.wav", "old story two.wav"]
    assert found(held_out, *files) == ["OLD_STORY.flac", "old story_ed.mp3", "old story.wav"]
    # Where each session has an audio.wav, its folder must be the same.
    sessions = {"train": "s1/audio", "validation": "s2/audio", "test": "s3/audio"}
    assert found(sessions, "s3/audio.wav", "s4/audio.wav", "s1/audio.wav") == ["audio.wav"]


def test_a_dataset_that_does_not_say_where_its_utterances_are_is_told(new_recording, known, tmp_path):
    unplaced = {name: split.remove_columns(["recording", "start_ms"]) for name, split in known.items()}
    found = untranscribed_speech(str(new_recording.parent), tmp_path / "speech", unplaced, 10.0, 0)
    assert len(found.rows)
    assert [remark.split(":")[0] for remark in found.remarks] == [
        f"split {name} has no column recording, start_ms" for name in known
    ]


def test_an_output_folder_or_a_dataset_among_the_recordings_is_none_of_them(new_recording, known, tmp_path):
    folder = tmp_path / "recordings"
    (folder / "my_dataset" / "data").mkdir(parents=True)
    (folder / "my_dataset" / "data" / "train-00000-of-00001.parquet").write_bytes(b"")
    (folder / new_recording.name).symlink_to(new_recording)
    kept = folder / "my_model" / "stages" / "speech"
    first = untranscribed_speech(str(folder), kept, known, 10.0, 0)
    assert set(first.rows["recording"]) == {new_recording.stem}
    assert any(folder.rglob("my_model/stages/speech/data/*.parquet"))
    again = untranscribed_speech(str(folder), kept, known, 10.0, 0)
    assert again.rows["start_ms"][:] == first.rows["start_ms"][:]


def test_what_was_found_before_is_not_kept_where_nothing_is_found(new_recording, known, tmp_path):
    folder, kept = tmp_path / "recordings", tmp_path / "kept"
    folder.mkdir()
    (folder / new_recording.name).symlink_to(new_recording)
    assert untranscribed_speech(str(folder), kept, known, 10.0, 0).rows
    (folder / new_recording.name).unlink()
    soundfile.write(folder / "silence.wav", np.zeros(48_000), 16_000)
    assert untranscribed_speech(str(folder), kept, known, 10.0, 0).rows is None


# A look at the clock takes a second: one before each recording, and one after its only block.
@pytest.mark.parametrize(("seconds", "searched"), [(2.0, 0), (3.0, 1), (100.0, 4)])
def test_no_speech_is_searched_for_after_the_time(demo_folder, tmp_path, monkeypatch, seconds, searched):
    ticks = itertools.count()
    monkeypatch.setattr(untranscribed, "awake_clock", lambda: lambda: float(next(ticks)))
    found = untranscribed_speech(str(demo_folder / "corpus"), tmp_path / "speech", {}, 10.0, 0, seconds)
    assert len(set(found.rows["recording"]) if found.rows else ()) == searched
    late = f"{4 - searched} of 4 recordings were not searched for speech: the time budget is too short"
    assert found.remarks == ((late,) if searched < 4 else ())


def test_no_more_speech_is_taken_than_asked_for(demo_folder, tmp_path):
    found = untranscribed_speech(str(demo_folder / "corpus"), tmp_path / "speech", {}, 0.002, 0)
    assert len(set(found.rows["recording"])) == 1
    assert found.remarks == ("3 recordings were not needed: 0.002 hours of speech are taken",)
    everything = untranscribed_speech(str(demo_folder / "corpus"), tmp_path / "all", {}, 10.0, 0)
    theirs = [row for row in everything.rows if row["recording"] == found.rows[0]["recording"]]
    # The first utterances of that recording, and one more would be too much.
    number = len(found.rows)
    assert number < len(theirs)
    assert found.rows["start_ms"][:] == [row["start_ms"] for row in theirs][:number]
    assert found.hours <= 0.002 < sum(row["duration"] for row in theirs[: number + 1]) / 3600


def test_recordings_without_speech_are_told_and_none_are_an_error(tmp_path):
    folder, kept = tmp_path / "recordings", tmp_path / "kept"
    folder.mkdir()
    with pytest.raises(U2UError, match="no recording in this folder or below it"):
        untranscribed_speech(str(folder), kept, {}, 10.0, 0)
    soundfile.write(folder / "silence.wav", np.zeros(48_000), 16_000)
    (folder / "broken.wav").write_bytes(b"no sound")
    for _ in range(2):
        found = untranscribed_speech(str(folder), kept, {}, 10.0, 0)
        assert (found.rows, found.hours) == (None, 0.0)
        broken, silent = found.remarks
        assert "broken.wav" in broken
        assert silent == "silence.wav: no speech was found"


def test_a_dataset_may_be_given_without_what_is_known_of_it(demo_dataset, known, tmp_path):
    train = {"train": known["train"]}
    found = untranscribed_speech(str(demo_dataset), tmp_path, train, 10.0, 0)
    assert len(found.rows) == len(known["validation"]) + len(known["test"])
    assert found.remarks == (f"{len(known['train'])} utterances are in the dataset too, and left out",)
    assert set(found.rows["text"]) == {""}
    few = untranscribed_speech(str(demo_dataset), tmp_path, train, 0.002, 0)
    assert 0 < few.hours <= 0.002 < found.hours
    # Of a recording in the test split, nothing is taken: neither what is transcribed nor what is not.
    first = {"test": known["test"].select([0])}
    honest = untranscribed_speech(str(demo_dataset), tmp_path, first, 10.0, 0)
    names = [name for split in known.values() for name in split["recording"]]
    theirs = names.count(known["test"][0]["recording"])
    assert len(honest.rows) == len(names) - theirs
    assert honest.remarks == (
        f"{theirs} utterances are of recordings in the dataset's validation or test, and left out",
    )
    with pytest.raises(U2UError, match="has no utterance that --dataset does not have"):
        untranscribed_speech(str(demo_dataset), tmp_path, known, 10.0, 0)
    assert not (tmp_path / "speech.json").exists()
    assert json.dumps(found.remarks)
