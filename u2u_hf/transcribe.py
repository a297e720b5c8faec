"""A new recording → segments with words and times, for each channel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from u2u_hf import outputs
from u2u_hf.audio import AudioInfo, audio_info, blocks, read_audio
from u2u_hf.corpus import AUDIO_SUFFIXES
from u2u_hf.decode import confidence, greedy_words
from u2u_hf.recognizer import Recognizer
from u2u_hf.records import Segment, Transcript, U2UError
from u2u_hf.vad import (
    SpeechDetector,
    VadSettings,
    levels_db,
    same_on_all_channels,
    segments,
    without_crosstalk,
)

_BLOCK_SECONDS = 64  # at 16 kHz, 2,000 whole frames of the detector


@dataclass(frozen=True)
class Speech:
    """Where somebody speaks in a recording.

    Attributes:
        spans: for each channel, (start, end) in ms.
        note: what a user should know, or the empty string.
    """

    spans: tuple[tuple[tuple[int, int], ...], ...]
    note: str = ""


def find_speech(info: AudioInfo, settings: VadSettings) -> Speech:
    """Detect speech on every channel, reading the file block by block.

    Raises:
        U2UError: the file cannot be decoded.
    """
    detectors = [SpeechDetector() for _ in range(info.channels)]
    probabilities: list[list[np.ndarray]] = [[] for _ in detectors]
    levels: list[list[np.ndarray]] = [[] for _ in detectors]
    for _, block in blocks(info, _BLOCK_SECONDS):
        for channel, detector in enumerate(detectors):
            probabilities[channel].append(detector.probabilities(block[channel]))
            levels[channel].append(levels_db(block[channel]))
    p, level = (np.stack([np.concatenate(row) for row in rows]) for rows in (probabilities, levels))
    note = ""
    if same_on_all_channels(level):
        p[1:] = 0
        note = "all channels are the same: the first one is transcribed"
    p = without_crosstalk(p, level, settings) if not note else p
    return Speech(tuple(tuple(segments(row, settings, info.duration_ms)) for row in p), note)


def transcribe(
    path: str | os.PathLike[str],
    recognizer: Recognizer,
    settings: VadSettings = VadSettings(),  # noqa: B008 (frozen)
    progress: Callable[[Sequence], Iterable] = iter,
) -> Transcript:
    """Transcribe a recording.

    Args:
        progress: wraps the list of stretches to recognise, as tqdm does.

    Returns:
        segments in order of time within each channel; a segment in which the recogniser hears nothing
        keeps its place with an empty text, for a person to fill.

    Raises:
        U2UError: the file cannot be read.
    """
    info = audio_info(path)
    speech = find_speech(info, settings)
    stretches = [(channel, *span) for channel, spans in enumerate(speech.spans) for span in spans]
    heard = [_recognise(info, stretch, recognizer) for stretch in progress(stretches)]
    return Transcript(str(path), info.duration_ms, info.channels, tuple(heard), speech.note)


def _recognise(info: AudioInfo, stretch: tuple[int, int, int], recognizer: Recognizer) -> Segment:
    channel, start_ms, end_ms = stretch
    samples = read_audio(info, start_ms, end_ms, [channel])[0]
    words = greedy_words(recognizer.log_probs(samples), recognizer.labels, start_ms)
    text = " ".join(word.text for word in words)
    return Segment(channel, start_ms, end_ms, text, confidence(words), tuple(words))


def recordings_in(paths: Iterable[str | os.PathLike[str]]) -> list[tuple[Path, Path]]:
    """The recordings that `paths` name: files as they are, folders with all that is in and below them.

    Returns:
        (recording, name of its transcripts without extension: relative to the folder it was found in).

    Raises:
        U2UError: a path does not exist, a folder holds no recording, or two would have the same name.
    """
    found: list[tuple[Path, Path]] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
            if not inside:
                raise U2UError(f"{path}: no recording ({', '.join(AUDIO_SUFFIXES)}) in this folder or below it")
            found += [(p, p.relative_to(path).with_suffix("")) for p in inside]
        elif path.exists():
            found.append((path, Path(path.stem)))
        else:
            raise U2UError(f"{path}: there is no such file or folder")
    named: dict[Path, Path] = {}
    for path, name in found:
        if named.setdefault(name, path) != path:
            raise U2UError(f"{path}: its transcript would be {name}, as that of {named[name]}: rename one of them")
    return found


@dataclass(frozen=True)
class Outcome:
    """What became of one recording: its transcript's files, or the reason there are none."""

    audio: Path
    files: tuple[Path, ...] = ()
    problem: str = ""
    note: str = ""
    speech_ms: int = 0
    duration_ms: int = 0


def transcribe_all(
    recordings: Sequence[tuple[Path, Path]],
    recognizer: Recognizer,
    output_dir: Path,
    formats: Sequence[str],
    settings: VadSettings,
    overwrite: bool = False,
) -> list[Outcome]:
    """Transcribe recordings one after the other, with a progress bar; a bad one does not stop the rest.

    A recording whose files are all there is finished and left alone, so a killed run goes on where it was.
    """
    outcomes = []
    with tqdm(recordings, unit="recording") as bar:
        for path, name in bar:
            bar.set_description(path.name)
            files = outputs.planned(output_dir / name, formats)
            there = [file for file in files.values() if file.exists()]
            try:
                if there and not overwrite:
                    if len(there) < len(files):
                        raise U2UError(f"{there[0]}: is there already: add --overwrite true to replace it")
                    outcomes.append(Outcome(path, tuple(files.values()), note="was there already, left as it is"))
                    continue
                within = partial(tqdm, desc="  segments", unit="segment", leave=False)
                transcript = transcribe(path, recognizer, settings, within)
                outputs.write(transcript, files)
            except U2UError as error:
                outcomes.append(Outcome(path, problem=str(error)))
                continue
            speech_ms = sum(s.end_ms - s.start_ms for s in transcript.segments)
            outcomes.append(
                Outcome(path, tuple(files.values()), "", transcript.note, speech_ms, transcript.duration_ms)
            )
    return outcomes


def in_words(outcomes: Sequence[Outcome]) -> str:
    """One line a recording: where its transcript is and how much speech it has, or what went wrong."""
    lines = []
    for outcome in outcomes:
        if outcome.problem:
            lines.append(f"! skipped {outcome.problem}")
            continue
        share = f" ({outcome.speech_ms / outcome.duration_ms:.0%} speech)" if outcome.duration_ms else ""
        note = f" ({outcome.note})" if outcome.note else ""
        lines.append(f"{outcome.audio.name} → {', '.join(map(str, outcome.files))}{share}{note}")
    return "\n".join(lines)
