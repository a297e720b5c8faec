import json

import numpy as np
import pytest
import soundfile

from u2u_hf.data.audio import audio_info, decode_mono, read_audio
from u2u_hf.data.dataset import load_splits
from u2u_hf.records import U2UError
from u2u_hf.transcription import untranscribed
from u2u_hf.transcription.untranscribed import untranscribed_speech


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

    def again(*arguments):
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
    honest = [remark for remark in found.remarks if "is in the dataset's validation or test: left out" in remark]
    assert len(honest) == len(held_out) > 0
    alone = untranscribed_speech(str(new_recording.parent), tmp_path / "alone", known, 10.0, 0)
    assert found.rows["recording"].count(new_recording.stem) == len(alone.rows)
    # Of the recordings in training there is only what has no transcript: the demo has some empty annotations.
    transcribed = sum(known["train"]["duration"])
    others = sum(row["duration"] for row in found.rows if row["recording"] != new_recording.stem)
    assert others < 0.5 * transcribed


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
