"""The speech of recordings that nobody has transcribed, as a dataset without texts, for training."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict, concatenate_datasets

from u2u_hf.corpus.folder import AUDIO_SUFFIXES, files_below, is_audio
from u2u_hf.corpus.pairing import fold, has_name, name_of_sound, worse_copies
from u2u_hf.data.audio import AudioInfo, audio_info, decode_mono, read_audio
from u2u_hf.data.dataset import load_splits
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.data.processes import gathered, processes
from u2u_hf.files import write_text
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import U2UError, Utterance
from u2u_hf.training.awake_clock import awake_clock
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.voice_detection import VadSettings

_DONE = "speech.json"
_PLACES = ("recording", "channel", "start_ms", "end_ms")  # columns that tell where an utterance is
_SHORTEST_S = 0.5
_HONEST = "left out, for the scores to stay honest"
# Lowest correlation of two pieces of sound that are taken for the same. On Mboshi it is at most 0.23 for unrelated
# utterances of 2 to 4 s (150 pairs), 0.68 or more for one and its mix with another of the same level, 0.99 for its MP3.
_SAME = 0.5
# Most by which a copy is shifted: encoders of MP3 and AAC put up to 50 ms of silence before a recording.
_SHIFT_MS = 100


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


def untranscribed_speech(
    source: str,
    folder: Path,
    known: Mapping[str, Dataset],
    hours: float,
    seed: int,
    seconds: float | None = None,
) -> Speech:
    """Return the speech of a folder of recordings, found once and kept in `folder`, or the rows of a prepared dataset.

    What a recording shares with the dataset is left out: all of a recording that is in its validation or test split, by
    its sound or its name, for the scores to stay honest, and of one in training the transcribed utterances. A copy may
    be mixed to one channel, in another format, or shifted by at most 0.1 s. Of a prepared dataset it is utterances with
    the same sound, and recordings of the same name as one in validation or test.

    Args:
        source: folder of recordings; or a prepared dataset: a folder, or OWNER/NAME on the Hub.
        folder: where the speech is kept, for a run that is resumed.
        known: the splits of the transcribed dataset.
        hours: the most speech that is taken. Of more, recordings (or rows) are drawn at random, the last one in part.
        seed: random seed of the drawing.
        seconds: time that finding speech in recordings may take, or None.

    Raises:
        U2UError: there is no recording, or no row.
    """
    done = folder / _DONE
    here = Path(source)
    if here.is_dir() and not _is_prepared(here):
        files, key = _recordings(here), _key(here, hours, seed)
        if not done.is_file() or json.loads(done.read_text(encoding="utf-8"))["key"] != key:
            remarks = _write(files, folder, known, hours, seed, seconds)
            if processes().is_main_process:
                write_text(done, json.dumps({"key": key, "remarks": remarks}, indent=2, ensure_ascii=False) + "\n")
            processes().wait_for_everyone()
        remarks = json.loads(done.read_text(encoding="utf-8"))["remarks"]
        return Speech(load_splits(folder)["train"] if (folder / "data").is_dir() else None, tuple(remarks))
    return _rows(source, load_splits(source), known, hours, seed)


def _is_prepared(folder: Path) -> bool:
    """Return whether a folder is a prepared dataset, and not recordings with a dataset or an output folder among them.

    Datasets have their parquet files, or the metadata.jsonl of an audio folder, at the top or one folder below.
    """
    if any(any(folder.glob(f"{place}{name}")) for place in ("", "*/") for name in ("*.parquet", "metadata.jsonl")):
        return True
    # Elsewhere too in some datasets of the Hub, which have no recordings.
    return any(folder.rglob("*.parquet")) and not any(is_audio(path) for path in files_below(folder)[0])


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


def _write(
    files: Sequence[Path],
    folder: Path,
    known: Mapping[str, Dataset],
    hours: float,
    seed: int,
    seconds: float | None,
) -> list[str]:
    """Write the speech of recordings as a dataset, in place of an earlier one, and return what a user should know."""
    order = np.random.default_rng(seed).permutation(len(files))
    state, transcribed = processes(), Transcribed(known)
    with state.split_between_processes([files[index] for index in order]) as own:
        share = hours * 3600 / getattr(state, "num_processes", 1)
        found, late = _found(own, transcribed, share, seconds, show=state.is_main_process)
        by_path, unheard = dict(gathered(found)), sum(gathered([late]))
    drawn = [utterance for index in order for utterance in by_path.get(str(files[index]), ([], ""))[0]]
    total = np.cumsum([utterance.duration for utterance in drawn])
    utterances = drawn[: int((total <= hours * 3600).sum())]
    remarks = list(transcribed.remarks)
    remarks += [remark for path in map(str, files) if (remark := by_path.get(path, ([], ""))[1])]
    if unheard:
        late = "recordings were not searched for speech: the time budget is too short"
        remarks.append(f"{unheard} of {len(files)} {late}")
    if left := len(files) - len(by_path) - unheard:
        remarks.append(f"{left} recordings were not needed: {hours:g} hours of speech are taken")
    if state.is_main_process:
        shutil.rmtree(folder / "data", ignore_errors=True)
    state.wait_for_everyone()
    if not utterances:
        return remarks
    dropped, _ = write_dataset({"train": utterances}, folder)
    return remarks + [f"{len(dropped)} segments cannot be read, the first: {dropped[0]}" for _ in dropped[:1]]


class _TimeIsOver(Exception):
    """No more recordings are to be searched for speech."""


def _found(
    files: Sequence[Path], transcribed: Transcribed, most: float, seconds: float | None, show: bool
) -> tuple[list[tuple[str, tuple[list[Utterance], str]]], int]:
    """Return the segments of speech of each recording, or why it has none, and how many were left for lack of time.

    Args:
        most: seconds of speech after which no more is searched for.
        seconds: time after which no more is searched for, or None.
    """
    now = awake_clock()
    begun = now()

    def look_at_the_time(share: float = 0.0) -> None:
        if seconds is not None and now() - begun >= seconds:
            raise _TimeIsOver

    results: list[tuple[str, tuple[list[Utterance], str]]] = []
    total = 0.0
    for path in progress_bar(files, desc="finding speech", unit="recording", disable=not show):
        if total >= most:
            break
        try:
            look_at_the_time()
            utterances, remark = _segments(path, transcribed, look_at_the_time)
        except _TimeIsOver:
            return results, len(files) - len(results)
        except U2UError as error:
            utterances, remark = [], str(error)
        total += sum(utterance.duration for utterance in utterances)
        results.append((str(path), (utterances, remark)))
    return results, 0


def _segments(
    path: Path, transcribed: Transcribed, look_at_the_time: Callable[[float], object]
) -> tuple[list[Utterance], str]:
    name = path.with_suffix("").name
    if transcribed.is_held_out(path):
        return [], f"{path.name}: is in the dataset's validation or test, by its name: {_HONEST}"
    spans = transcribed.spans(path, look_at_the_time)
    if spans is None:
        return [], f"{path.name}: is in the dataset's validation or test, by its sound: {_HONEST}"
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
        for segment in find_speech(audio_info(path), VadSettings(), progress=look_at_the_time).segments
        if segment.end_ms - segment.start_ms >= 1000 * _SHORTEST_S
    ]
    new = [utterance for utterance in found if not _covered(utterance, spans)]
    return new, "" if new else f"{path.name}: {'all its speech is transcribed' if found else 'no speech was found'}"


def _covered(utterance: Utterance, spans: Iterable[tuple[int, int]]) -> bool:
    """Return whether more than half of a segment is transcribed."""
    shared = sum(max(0, min(utterance.end_ms, end) - max(utterance.start_ms, start)) for start, end in spans)
    return 2 * shared > 1000 * utterance.duration


class Transcribed:
    """The recordings of a prepared dataset, found again by their sound, and the held-out ones by their names too.

    Attributes:
        remarks: what a user should know of splits whose recordings are not found again.
    """

    def __init__(self, splits: Mapping[str, Dataset]):
        self.remarks: list[str] = []
        self._held_out = {name for part, split in splits.items() if part != "train" for name in _names(split)}
        every = set().union(*map(_names, splits.values()))
        # Where each session has a folder with an audio.wav, the name alone tells nothing.
        self._bearers = Counter(map(name_of_sound, every))
        self._recordings: list[tuple[str, list[dict], list[tuple[int, int]]]] = []
        for name, split in splits.items():
            if missing := [column for column in _PLACES if column not in split.column_names]:
                self.remarks.append(
                    f"split {name} has no column {', '.join(missing)}: its recordings are not recognised by their "
                    "sound: take care that none of them is among the untranscribed ones"
                )
                continue
            by_name: dict[str, list[tuple[int, int, int, int]]] = {}
            for row, (recording, *place) in enumerate(zip(*(split[column] for column in _PLACES), strict=True)):
                by_name.setdefault(recording, []).append((*place, row))
            for rows in by_name.values():
                spans = [(start_ms, end_ms) for _, start_ms, end_ms, _ in rows]
                # Of each channel, because a copy may have one of them only.
                longest = {channel: row for channel, *_, row in sorted(rows, key=lambda place: place[2] - place[1])}
                self._recordings.append((name, [split[row] for row in longest.values()], spans))

    def is_held_out(self, path: Path) -> bool:
        """Return whether a file has the name of a recording in validation or test."""
        for recording in self._held_out:
            name = name_of_sound(recording)
            if has_name(path, name):
                folder = fold(PurePosixPath(recording).parent.name)
                if self._bearers[name] == 1 or folder == fold(path.parent.name):
                    return True
        return False

    def spans(
        self, path: Path, progress: Callable[[float], object] = lambda share: None
    ) -> list[tuple[int, int]] | None:
        """Return what of a recording is transcribed in training, in ms; None if it is in another split.

        Args:
            progress: called with the share of the dataset's recordings that it was compared with.

        Raises:
            U2UError: the recording cannot be read.
        """
        info, found = audio_info(path), []
        for number, (split, rows, spans) in enumerate(self._recordings):
            progress(number / len(self._recordings))
            if any(_holds(info, row) for row in rows):
                if split != "train":
                    return None
                found += spans
        return found


def _holds(info: AudioInfo, row: Mapping[str, Any]) -> bool:
    """Return whether a recording has the sound of an utterance at about its time, on a channel or mixed of all."""
    if row["end_ms"] > info.duration_ms + 1000:
        return False
    before = min(_SHIFT_MS, row["start_ms"])
    channels = read_audio(info, row["start_ms"] - before, row["end_ms"] + _SHIFT_MS)
    utterance = decode_mono(row["audio"]["bytes"])
    return any(likeness(utterance, samples) >= _SAME for samples in (*channels, channels.mean(0)))


def likeness(piece: np.ndarray, samples: np.ndarray) -> float:
    """Return the highest correlation of a piece of sound [N] with samples [M], wherever it lies in them: 0…1.

    At the ends up to a tenth of a second of the piece may be missing. Levels and polarity do not count.
    """
    if not len(piece) or not len(samples):
        return 0.0
    samples = np.pad(samples.astype(np.float64) - samples.mean(), _SHIFT_MS * SAMPLING_RATE // 1000)
    places = len(samples) - len(piece) + 1
    if places < 1:
        return 0.0
    piece = piece.astype(np.float64) - piece.mean()
    length = 2 ** (len(samples) - 1).bit_length()  # the piece does not wrap around at these places
    products = np.fft.irfft(np.fft.rfft(samples, length) * np.fft.rfft(piece, length).conj(), length)[:places]
    energy = np.cumsum(np.concatenate([[0.0], samples**2]))
    sizes = np.sqrt(np.maximum(0.0, energy[len(piece) :] - energy[:places]) * (piece**2).sum())
    audible = sizes > len(piece) * 2.0**-30  # that of one 16-bit step in each sample is silence
    return float((np.abs(products[audible]) / sizes[audible]).max(initial=0.0))


def _rows(source: str, splits: DatasetDict, known: Mapping[str, Dataset], hours: float, seed: int) -> Speech:
    """Return rows of a prepared dataset, drawn at random, without the audio of `known`."""
    rows = concatenate_datasets([split.select_columns(["audio", "duration"]) for split in splits.values()])
    recordings = [name for split in splits.values() for name in _recordings_of(split)]
    held_out = {fold(name) for part, split in known.items() if part != "train" for name in _names(split)}
    seconds = rows["duration"][:]
    ours = {hashlib.sha256(item["bytes"]).digest() for split in known.values() for item in split["audio"]}
    kept: list[int] = []
    total, same, named = 0.0, 0, 0
    for row in np.random.default_rng(seed).permutation(len(rows)).tolist():
        if seconds[row] < _SHORTEST_S:
            continue
        if total + seconds[row] > hours * 3600:
            break
        if fold(recordings[row] or "") in held_out:
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


def _names(split: Dataset) -> set[str]:
    return {name for name in _recordings_of(split) if name}
