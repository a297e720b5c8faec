import dataclasses
import io
import json
import os

import datasets
import numpy as np
import pytest
import soundfile

from u2u_hf.data.dataset import FEATURES, load_splits, require_split
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.records import U2UError, Utterance


@pytest.fixture
def recording(tmp_path):
    """4 s at 48 kHz: 200 Hz on the left, 500 Hz on the right, silent after 3 s."""
    t = np.arange(48_000 * 4) / 48_000
    signal = 0.5 * np.stack([np.sin(2 * np.pi * 200 * t), np.sin(2 * np.pi * 500 * t)], 1)
    signal[48_000 * 3 :] = 0
    path = tmp_path / "r.wav"
    soundfile.write(path, signal, 48_000)
    return path


def splits_of(recording):
    def utterance(name, channel, start, end, text):
        return Utterance(name, str(recording), "T", "ÑA", channel, start, end, text.upper(), text)

    return {
        "train": [utterance("a/one", 0, 0, 1000, "uno"), utterance("a/one", 1, 1000, 1500, "dos"),
                  utterance("two", 1, 2000, 2750, "trës")],
        "validation": [utterance("three", 0, 500, 900, "kuatro")],
        "test": [utterance("four", 1, 3000, 3500, "silencio")],
    }  # fmt: skip


def decode(row):
    return soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")


def test_what_is_written_is_what_datasets_reads(recording, tmp_path):
    splits = splits_of(recording)
    write_dataset(splits, tmp_path / "ds")
    loaded = datasets.load_dataset(str(tmp_path / "ds"))
    assert loaded["train"].features == FEATURES
    loaded = load_splits(tmp_path / "ds")
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 3, "validation": 1, "test": 1}
    for name, members in splits.items():
        for row, utterance in zip(loaded[name], members, strict=True):
            samples, rate = decode(row)
            assert rate == 16_000
            assert len(samples) == 16 * (utterance.end_ms - utterance.start_ms)
            assert row["duration"] == pytest.approx(utterance.duration)
            for key in ("text", "raw_text", "speaker", "recording", "tier", "channel", "start_ms", "end_ms"):
                assert row[key] == getattr(utterance, key)
    one, two, _ = loaded["train"]
    for row, hertz in ((one, 200), (two, 500)):
        samples, _ = decode(row)
        assert np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples) == pytest.approx(hertz, abs=3)
    assert np.abs(decode(loaded["test"][0])[0]).max() < 0.02


def test_finished_recordings_are_not_made_again(recording, tmp_path, monkeypatch):
    splits = splits_of(recording)
    made = []

    def killed_at_the_third(utterances, changed):
        made.append(utterances[0].recording)
        if len(made) == 3:
            raise KeyboardInterrupt
        yield from rows(utterances, changed)

    from u2u_hf.data import dataset_writer

    rows = dataset_writer.rows
    monkeypatch.setattr(dataset_writer, "rows", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(splits, tmp_path / "ds")
    assert not (tmp_path / "ds" / "data").exists()
    write_dataset(splits, tmp_path / "ds")
    assert sorted(made) == sorted(["a/one", "two", "three", "four", made[2]])  # only the one that was cut off
    assert len(load_splits(tmp_path / "ds")["train"]) == 3
    assert sorted(p.name for p in (tmp_path / "ds").iterdir()) == ["data"]


def test_sound_that_is_changed_is_counted(tmp_path):
    tone = np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000)
    damaged = np.where(np.arange(16_000) == 8_000, np.nan, 0.5 * tone)
    path = tmp_path / "r.wav"
    sound = np.concatenate([0.5 * tone, 1e-4 * tone, 4 * tone, damaged])
    soundfile.write(path, sound.astype(np.float32), 16_000, subtype="FLOAT")
    said = [
        Utterance("r", str(path), "T", "ÑA", 0, start, start + 1000, str(start), str(start))
        for start in (0, 1000, 2000, 3000)
    ]
    dropped, remarks = write_dataset({"train": said[:2], "test": said[2:]}, tmp_path / "ds")
    assert dropped == []
    assert [remark.split(",")[0] for remark in remarks] == [
        "2 × stored at another level",
        "1 × made silent where samples are no numbers (NaN",
    ]
    heard = [decode(row)[0] for rows in load_splits(tmp_path / "ds").values() for row in rows]
    for samples, wanted in zip(heard, (0.5 * tone, 1e-4 * 2**12 * tone, tone, np.nan_to_num(damaged)), strict=True):
        assert samples == pytest.approx(wanted, abs=2 / 32768)
    assert write_dataset({"train": said[:1]}, tmp_path / "ds") == ([], [])


def test_a_recording_that_breaks_off_is_left_out_and_named(recording, tmp_path):
    splits = splits_of(recording)
    broken = tmp_path / "broken.flac"
    samples, rate = soundfile.read(recording)
    soundfile.write(broken, np.random.default_rng(0).standard_normal(samples.shape) * 0.1, rate)
    broken.write_bytes(broken.read_bytes()[:100_000])
    bad = Utterance("bad", str(broken), "T", "ÑA", 0, 3000, 3900, "x", "x")
    dropped, _ = write_dataset({**splits, "train": [*splits["train"], bad]}, tmp_path / "ds")
    assert [(d.utterance, d.reason) for d in dropped] == [(bad, "the audio cannot be read")]
    assert dropped[0].detail.startswith("cannot be read at 3.0 s")
    assert len(load_splits(tmp_path / "ds")["train"]) == 3


def test_a_recording_that_was_taken_away_meanwhile_is_left_out_and_named(recording, tmp_path):
    splits = splits_of(recording)
    splits["train"].append(dataclasses.replace(splits["train"][0], recording="gone", audio=str(tmp_path / "gone.wav")))
    dropped, _ = write_dataset(splits, tmp_path / "ds")
    assert ("gone", "the audio cannot be read", "there is no such file") in [
        (drop.utterance.recording, drop.reason, drop.detail) for drop in dropped
    ]
    assert len(load_splits(tmp_path / "ds")["train"]) == 3


def test_changed_text_is_made_again(recording, tmp_path):
    splits = splits_of(recording)
    write_dataset(splits, tmp_path / "ds")
    (only,) = splits["test"]
    changed = Utterance(**{**vars(only), "text": "calma"})
    write_dataset({**splits, "test": [changed]}, tmp_path / "ds")
    assert load_splits(tmp_path / "ds")["test"]["text"] == ["calma"]


def test_mistakes_are_named(tmp_path):
    with pytest.raises(U2UError, match="gone: there is no such dataset folder"):
        load_splits(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(U2UError, match="empty: holds no prepared dataset"):
        load_splits(tmp_path / "empty")
    rows = datasets.Dataset.from_dict({"text": ["a"], "sound": [1]})
    (tmp_path / "other").mkdir()
    rows.to_parquet(tmp_path / "other" / "train-00000-of-00001.parquet")
    with pytest.raises(U2UError, match="other: split train has no column audio, duration"):
        load_splits(tmp_path / "other")
    with pytest.raises(U2UError, match="mine: has no utterance in split test; there are: train"):
        require_split(datasets.DatasetDict(train=rows), "test", "mine")


@pytest.fixture
def audio_folder(recording, tmp_path):
    """A dataset of one split whose metadata.jsonl is to be written; beside it what it may not name."""
    folder = tmp_path / "ds"
    (folder / "train" / "more").mkdir(parents=True)
    soundfile.write(folder / "train" / "more" / "a.wav", np.full(16_000, 0.1), 16_000)
    (folder / "train" / "out.wav").symlink_to(recording)
    (folder / "train" / "up").symlink_to(recording.parent, target_is_directory=True)
    (folder / "train" / "within.wav").symlink_to("more/a.wav")
    (folder / "train" / "zero.wav").symlink_to("/dev/zero")
    os.mkfifo(folder / "train" / "pipe.wav")
    return folder


def with_metadata(folder, *names):
    rows = [{"text": "ka", "duration": 1.0, **({} if name is ... else {"file_name": name})} for name in names]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train" / "metadata.jsonl").write_text(text, encoding="utf-8")
    return load_splits(folder)["train"]


def test_an_audio_folder_is_read(audio_folder):
    rows = with_metadata(audio_folder, "more/a.wav", "within.wav")
    assert [len(decode(row)[0]) for row in rows] == [16_000, 16_000]
    assert rows[0]["audio"]["path"] == "more/a.wav"


def test_an_audio_folder_in_the_hubs_cache_is_read(audio_folder, tmp_path):
    with_metadata(audio_folder, "more/a.wav")
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123" / "train"
    blobs.mkdir()
    (snapshot / "more").mkdir(parents=True)
    for name in ("metadata.jsonl", "more/a.wav"):
        blob = blobs / str(abs(hash(name)))
        blob.write_bytes((audio_folder / "train" / name).read_bytes())
        (snapshot / name).symlink_to(blob)
    assert len(decode(load_splits(snapshot.parent)["train"][0])[0]) == 16_000


@pytest.mark.parametrize(("name", "problem"), [
    ("{outside}", "file_name '.*' is not a file in this folder or below it"),
    ("../../r.wav", "file_name '../../r.wav' is not a file in this folder or below it"),
    ("..\\..\\r.wav", ".* is not a file in this folder or below it"),
    ("more/../../../r.wav", ".* is not a file in this folder or below it"),
    ("", "file_name '' is not a file in this folder or below it"),
    (None, "file_name '' is not a file in this folder or below it"),
    ("out.wav", "out.wav: is a link to a file outside the dataset's folder"),
    ("up/r.wav", "up/r.wav: is a link to a file outside the dataset's folder"),
    ("zero.wav", "zero.wav: is a link to a file outside the dataset's folder"),
    ("pipe.wav", "pipe.wav: is not a regular file but a pipe"),
    ("more", "more: is not a regular file but a folder"),
    ("gone.wav", "gone.wav: there is no such file"),
    ("a\0.wav", ".* is not a file in this folder or below it"),
    ("a\nb.wav", ".* is not a file in this folder or below it"),
])  # fmt: skip
def test_metadata_that_leads_out_of_its_folder_is_named(audio_folder, recording, name, problem):
    name = name and name.format(outside=recording)
    with pytest.raises(U2UError, match=rf"^{audio_folder}/train/metadata\.jsonl: row 2: {problem}") as refused:
        with_metadata(audio_folder, "more/a.wav", name)
    assert "\n" not in str(refused.value)


def test_metadata_without_file_names_or_that_is_a_pipe_is_named(audio_folder):
    with pytest.raises(U2UError, match=r"metadata\.jsonl: has no column file_name"):
        with_metadata(audio_folder, ..., ...)
    (audio_folder / "train" / "metadata.jsonl").unlink()
    os.mkfifo(audio_folder / "train" / "metadata.jsonl")
    with pytest.raises(U2UError, match=r"metadata\.jsonl: is not a regular file but a pipe"):
        load_splits(audio_folder)
