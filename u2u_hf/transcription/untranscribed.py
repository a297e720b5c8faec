"""The speech of recordings that nobody has transcribed, as a dataset without texts, for training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset, DatasetDict, concatenate_datasets

from u2u_hf.corpus.folder import AUDIO_SUFFIXES, files_below, is_audio
from u2u_hf.corpus.pairing import worse_copies
from u2u_hf.data.audio import audio_info, decode_mono, read_audio
from u2u_hf.data.dataset import load_splits
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.data.processes import gathered, processes
from u2u_hf.files import write_text
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import U2UError, Utterance
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.voice_detection import VadSettings

_DONE = "speech.json"
_SHORTEST_S = 0.5
# Samples of 16 bits, and a recording that was resampled by another version, differ by less; other speech by far more.
_SAME = 0.98


@dataclass(frozen=True)
class Speech:
    """Speech without texts.

    Attributes:
        rows: a dataset with the columns of a prepared one; the texts mean nothing. None if there is no speech.
        remarks: what a user should know of files and recordings that are not in it.
    """

    rows: Dataset | None
    remarks: tuple[str, ...] = ()

    @property
    def hours(self) -> float:
        return sum(self.rows["duration"]) / 3600 if self.rows else 0.0


def untranscribed_speech(source: str, folder: Path, known: Mapping[str, Dataset], hours: float, seed: int) -> Speech:
    """Return the speech of a folder of recordings, found once and kept in `folder`, or the rows of a prepared dataset.

    What a recording shares with the dataset is left out: all of a recording that is in its validation or test split,
    for the scores to stay honest, and of one in training the transcribed utterances. Of a prepared dataset it is
    utterances with the same sound, and recordings of the same name as one in validation or test.

    Args:
        source: folder of recordings; or a prepared dataset: a folder, or OWNER/NAME on the Hub.
        folder: where the speech is kept, for a run that is resumed.
        known: the splits of the transcribed dataset.
        hours: the most speech that is taken. Of more, recordings (or rows) are drawn at random, the last one in part.
        seed: random seed of the drawing.

    Raises:
        U2UError: there is no recording, or no row.
    """
    done = folder / _DONE
    here = Path(source)
    if here.is_dir() and not any(here.rglob("*.parquet")) and not any(here.rglob("metadata.jsonl")):
        files, key = _recordings(here), _key(here, hours, seed)
        if not done.is_file() or json.loads(done.read_text(encoding="utf-8"))["key"] != key:
            remarks = _write(files, folder, known, hours, seed)
            if processes().is_main_process:
                write_text(done, json.dumps({"key": key, "remarks": remarks}, indent=2, ensure_ascii=False) + "\n")
            processes().wait_for_everyone()
        remarks = json.loads(done.read_text(encoding="utf-8"))["remarks"]
        return Speech(load_splits(folder)["train"] if (folder / "data").is_dir() else None, tuple(remarks))
    return _rows(source, load_splits(source), known, hours, seed)


def _recordings(folder: Path) -> list[Path]:
    files, _ = files_below(folder)
    found = [path for path in files if is_audio(path)]
    worse = worse_copies(found)
    if not found:
        raise U2UError(f"{folder}: no recording in this folder or below it ({', '.join(AUDIO_SUFFIXES)})")
    return [path for path in found if path not in worse]


def _key(folder: Path, hours: float, seed: int) -> str:
    """Return a digest of what the speech is found in: other recordings make another one."""
    files = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in _recordings(folder)]
    return hashlib.sha256(repr((files, hours, seed)).encode()).hexdigest()[:24]


def _write(files: Sequence[Path], folder: Path, known: Mapping[str, Dataset], hours: float, seed: int) -> list[str]:
    order = np.random.default_rng(seed).permutation(len(files))
    state = processes()
    with state.split_between_processes([files[index] for index in order]) as own:
        share = hours * 3600 / getattr(state, "num_processes", 1)
        found = dict(gathered(_found(own, known, share, show=state.is_main_process)))
    drawn = [utterance for index in order for utterance in found.get(str(files[index]), ([], ""))[0]]
    total = np.cumsum([utterance.duration for utterance in drawn])
    utterances = drawn[: int((total <= hours * 3600).sum())]
    remarks = [remark for path in map(str, files) if (remark := found.get(path, ([], ""))[1])]
    if left := len(files) - len(found):
        remarks.append(f"{left} recordings were not needed: {hours:g} hours of speech are taken")
    if not utterances:
        return remarks
    dropped, _ = write_dataset({"train": utterances}, folder)
    return remarks + [f"{len(dropped)} segments cannot be read, the first: {dropped[0]}" for _ in dropped[:1]]


def _found(
    files: Sequence[Path], known: Mapping[str, Dataset], seconds: float, show: bool
) -> list[tuple[str, tuple[list[Utterance], str]]]:
    """Return the segments of speech of each recording, until there are so many seconds, or why it has none."""
    transcribed = Transcribed(known)
    results: list[tuple[str, tuple[list[Utterance], str]]] = []
    total = 0.0
    for path in progress_bar(files, desc="finding speech", unit="recording", disable=not show):
        if total >= seconds:
            break
        try:
            utterances, remark = _segments(path, transcribed)
        except U2UError as error:
            utterances, remark = [], str(error)
        total += sum(utterance.duration for utterance in utterances)
        results.append((str(path), (utterances, remark)))
    return results


def _segments(path: Path, transcribed: Transcribed) -> tuple[list[Utterance], str]:
    name = path.with_suffix("").name
    spans = transcribed.spans(path)
    if spans is None:
        return [], f"{path.name}: is in the dataset's validation or test: left out, for the scores to stay honest"
    found = [
        Utterance(
            recording=name,
            audio=str(path),
            tier="",
            speaker="",
            channel=segment.channel,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            raw_text="",
            text="",
        )
        for segment in find_speech(audio_info(path), VadSettings()).segments
        if segment.end_ms - segment.start_ms >= 1000 * _SHORTEST_S
    ]
    new = [utterance for utterance in found if not _covered(utterance, spans)]
    return new, "" if new else f"{path.name}: {'all its speech is transcribed' if found else 'no speech was found'}"


def _covered(utterance: Utterance, spans: Iterable[tuple[int, int]]) -> bool:
    """Return whether more than half of a segment is transcribed."""
    shared = sum(max(0, min(utterance.end_ms, end) - max(utterance.start_ms, start)) for start, end in spans)
    return 2 * shared > 1000 * utterance.duration


class Transcribed:
    """The recordings of a prepared dataset, found again by their sound: names of audio and annotations differ."""

    def __init__(self, splits: Mapping[str, Dataset]):
        self._recordings: list[tuple[str, dict, list[tuple[int, int]]]] = []
        for name, split in splits.items():
            if {"recording", "channel", "start_ms", "end_ms"} <= set(split.column_names):
                columns = (split[column] for column in ("recording", "start_ms", "end_ms"))
                by_name: dict[str, list[tuple[int, int, int]]] = {}
                for row, (recording, start_ms, end_ms) in enumerate(zip(*columns, strict=True)):
                    by_name.setdefault(recording, []).append((start_ms, end_ms, row))
                for rows in by_name.values():
                    spans = [(start_ms, end_ms) for start_ms, end_ms, _ in rows]
                    longest = max(rows, key=lambda span: span[1] - span[0])[2]
                    self._recordings.append((name, split[longest], spans))

    def spans(self, path: Path) -> list[tuple[int, int]] | None:
        """Return what of a recording is transcribed in training, in ms; None if it is in another split.

        Raises:
            U2UError: the recording cannot be read.
        """
        info, found = audio_info(path), []
        for split, row, spans in self._recordings:
            if row["end_ms"] <= info.duration_ms + 1000 and (row["channel"] or 0) < info.channels:
                samples = read_audio(info, row["start_ms"], row["end_ms"], [row["channel"] or 0])[0]
                if _alike(samples, decode_mono(row["audio"]["bytes"])):
                    if split != "train":
                        return None
                    found += spans
        return found


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two pieces of sound [N] are the same but for their level."""
    length = min(len(one), len(other))
    if length < max(len(one), len(other)) - SAMPLING_RATE // 100 or not length:
        return False
    one, other = (piece[:length] - piece[:length].mean() for piece in (one, other))
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return size > 0 and float((one * other).sum()) / size > _SAME


def _rows(source: str, splits: DatasetDict, known: Mapping[str, Dataset], hours: float, seed: int) -> Speech:
    """Return rows of a prepared dataset, drawn at random, without the audio of `known`."""
    rows = concatenate_datasets([split.select_columns(["audio", "duration"]) for split in splits.values()])
    recordings = [name for split in splits.values() for name in _recordings_of(split)]
    held_out = {name for part, split in known.items() if part != "train" for name in _recordings_of(split)} - {None, ""}
    seconds = rows["duration"][:]
    ours = {hashlib.sha256(item["bytes"]).digest() for split in known.values() for item in split["audio"]}
    kept: list[int] = []
    total, same, named = 0.0, 0, 0
    for row in np.random.default_rng(seed).permutation(len(rows)).tolist():
        if seconds[row] < _SHORTEST_S:
            continue
        if total + seconds[row] > hours * 3600:
            break
        if recordings[row] in held_out:
            named += 1
            continue
        if hashlib.sha256(rows[row]["audio"]["bytes"]).digest() in ours:
            same += 1
            continue
        kept.append(row)
        total += seconds[row]
    if not kept:
        raise U2UError(
            f"{source}: has no utterance that --dataset does not have: give others, or more --untranscribed_hours"
        )
    found = rows.select(sorted(kept))
    found = found.add_column("text", [""] * len(found))
    remarks = [f"{same} utterances are in the dataset too, and left out"] if same else []
    if named:
        remarks.append(f"{named} utterances are of recordings in the dataset's validation or test, and left out")
    return Speech(found, tuple(remarks))


def _recordings_of(split: Dataset) -> Sequence[str | None]:
    return split["recording"][:] if "recording" in split.column_names else [None] * len(split)
