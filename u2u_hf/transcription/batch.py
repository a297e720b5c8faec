"""The transcription of many recordings: divided, resumed, and what becomes of each."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from accelerate.utils import gather_object
from tqdm.auto import tqdm

from u2u_hf import output_folder
from u2u_hf.corpus.reader import Skipped
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.tiers import asked_for
from u2u_hf.data.audio import audio_info
from u2u_hf.data.processes import processes
from u2u_hf.files import write_text
from u2u_hf.formats import writers
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Transcript, U2UError
from u2u_hf.transcription.jobs import Job, TranscriptionSettings
from u2u_hf.transcription.queue import queue
from u2u_hf.transcription.transcribe import (
    Hear,
    Stretches,
    WordDetector,
    find_speech,
    find_words,
    segments_of,
    to_align,
    transcribe,
    write_down,
)
from u2u_hf.transcription.voice_detection import VadSettings

_KEPT = "was there already, left as it is"
_QUEUE = "queue.tsv"


@dataclass(frozen=True)
class Outcome:
    """What became of one recording: its transcript's files, or the reason there are none.

    Attributes:
        summary: what was found in it, for people.
    """

    audio: str
    files: tuple[str, ...] = ()
    problem: str = ""
    summary: str = ""


def transcribe_all(
    jobs: Sequence[Job],
    recognizer: Recognizer,
    vad: VadSettings,
    settings: TranscriptionSettings,
    model: LanguageModel | None = None,
) -> list[Outcome]:
    """Transcribe recordings, divided over the launcher's processes; a bad one does not stop the rest.

    Files that are there are left as they are, for a person may have corrected them: a killed run goes on where it
    was, and a run for one more format makes that one.

    Args:
        model: the recogniser's language model, if it has one.

    Returns:
        in every process, what became of all.

    Raises:
        U2UError: nothing can be written to the output folder.
    """
    _require_writable(Path(settings.output_dir))
    _require_own_queue(settings)
    hear = find_words(recognizer.labels) if settings.align else write_down(recognizer.labels, model)
    state = processes()
    with state.split_between_processes(list(jobs)) as own:
        return gather_object(_Run(recognizer, hear, vad, settings).all(own, show=state.is_local_main_process))


@dataclass(frozen=True)
class _Run:
    """One process's part of the work."""

    recognizer: Recognizer
    hear: Hear
    vad: VadSettings
    settings: TranscriptionSettings

    def all(self, jobs: Sequence[Job], show: bool) -> list[Outcome]:
        """With a progress bar in seconds of audio, if it is to be shown."""
        outcomes: dict[Path, Outcome] = {}
        to_do: list[tuple[Job, dict[str, Path], float]] = []
        for job in jobs:
            files = writers.planned(Path(self.settings.output_dir) / job.name, self.settings.list_of_formats)
            try:
                if self._to_write(job, files):
                    to_do.append((job, files, audio_info(job.audio).duration_ms / 1000))
                else:
                    outcomes[job.audio] = Outcome(str(job.audio), _names(files), summary=_KEPT)
            except U2UError as error:
                outcomes[job.audio] = Outcome(str(job.audio), problem=str(error))
        look = "{desc}{percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio, {remaining} left"
        total, done = math.ceil(sum(seconds for *_, seconds in to_do)), 0.0
        with tqdm(total=total, bar_format=look, disable=not (to_do and show)) as bar:
            for job, files, seconds in to_do:
                bar.set_description(job.audio.name)
                outcomes[job.audio] = self._one(job, files, partial(_advance, bar, seconds))
                done += seconds  # also where nobody speaks, and of bad files
                bar.update(done - bar.n)
        return [outcomes[job.audio] for job in jobs]

    def _to_write(self, job: Job, files: dict[str, Path]) -> dict[str, Path]:
        """Return those that are not there, or all. Raises U2UError: a person's own file is in the place of one."""
        if self.settings.overwrite:
            folder = Path(self.settings.output_dir)
            for file in files.values():
                if file.exists() and not _is_theirs(job, file) and not output_folder.is_recorded(folder, file):
                    raise U2UError(f"{file}: was not written by transcribe.py: move it away, or choose another folder")
            return files
        if any(_is_theirs(job, file) for file in files.values()):
            theirs = job.own.document.path
            raise U2UError(f"{theirs}: is yours: choose another --output_dir, or add tiers to it with --overwrite true")
        return {name: file for name, file in files.items() if not file.exists()}

    def _one(self, job: Job, files: dict[str, Path], advance: Callable[[float], None]) -> Outcome:
        try:
            half = partial(_half, advance) if self.settings.windows else advance
            transcript = transcribe(job.audio, self._stretches(job, half), self.recognizer, self.hear, half)
            if job.own:
                own, origin_ms = job.own.document.path, job.own.origin_ms
                transcript = dataclasses.replace(transcript, annotations=own, origin_ms=origin_ms)
            to_write = self._to_write(job, files)
            folder = Path(self.settings.output_dir)
            ours = [file for file in to_write.values() if not _is_theirs(job, file)]
            for file in ours:
                output_folder.keep_edited(folder, file)
            writers.write(transcript, to_write, self.settings.unsure_below)
            for file in ours:
                output_folder.note(folder, file)
        except U2UError as error:
            return Outcome(str(job.audio), problem=str(error))
        kept = [file.name for name, file in files.items() if name not in to_write]
        found = summary(transcript) + (f"; {', '.join(kept)} {_KEPT}" if kept else "")
        return Outcome(str(job.audio), _names(files), summary=found)

    def _stretches(self, job: Job, advance: Callable[[float], None]) -> Stretches:
        settings = self.settings
        patterns = settings.segments_from or settings.align
        if settings.windows:
            return find_speech(audio_info(job.audio), self.vad, partial(WordDetector, self.recognizer), advance)
        if not patterns:
            return find_speech(audio_info(job.audio), self.vad)
        if job.own is None:
            raise U2UError(f"{job.audio}: no ELAN file in {settings.annotations} belongs to it")
        document = job.own.document
        tiers = [tier for tier in document.tiers if asked_for(tier, tier.name, patterns)]
        if not tiers:
            names = ", ".join(tier.name for tier in document.tiers) or "none"
            raise U2UError(f"{document.path}: no tier is called {' or '.join(patterns)}; there are: {names}")
        stretches = segments_of(job.own, tiers, TextRules(settings.rules))
        return to_align(stretches, self.recognizer.labels) if settings.align else stretches


def _advance(bar: tqdm, seconds: float, share: float) -> None:
    bar.update(share * seconds)


def _half(advance: Callable[[float], None], share: float) -> None:
    advance(share / 2)  # where everything is heard to find the speech, and the speech once more


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise U2UError(f"{folder}: cannot be made ({error.strerror}): choose another --output_dir") from error
    if not os.access(folder, os.W_OK):
        raise U2UError(f"{folder}: you may not write there: choose another --output_dir")


def _is_theirs(job: Job, file: Path) -> bool:
    """Is it the recording's own ELAN file, a person's?"""
    return job.own is not None and file.exists() and file.samefile(job.own.document.path)


def _require_own_queue(settings: TranscriptionSettings) -> None:
    folder = Path(settings.output_dir)
    path = folder / _QUEUE
    if (settings.queue or settings.align) and os.path.lexists(path) and not output_folder.is_recorded(folder, path):
        raise U2UError(f"{path}: was not written by transcribe.py: move it away, or choose another folder")


def _names(files: dict[str, Path]) -> tuple[str, ...]:
    return tuple(map(str, files.values()))


def summary(transcript: Transcript) -> str:
    """How much of each channel is in segments, and the longest stretch that is in none: where to look for more."""
    parts = []
    for channel in sorted({s.channel for s in transcript.segments}):
        spans = sorted((s.start_ms, s.end_ms) for s in transcript.segments if s.channel == channel)
        covered, end, gap = 0, 0, 0
        for start, stop in [*spans, (transcript.duration_ms, transcript.duration_ms)]:
            gap = max(gap, start - end)
            covered += max(0, stop - max(start, end))
            end = max(end, stop)
        share = covered / transcript.duration_ms
        name = f"channel {channel + 1}: " if transcript.channels > 1 else ""
        parts.append(f"{name}{share:.0%} speech, longest gap {gap / 1000:.0f} s")
    note = [transcript.note] if transcript.note else []
    return "; ".join((parts or ["no speech found"]) + note)


def write_queue(outcomes: Sequence[Outcome], settings: TranscriptionSettings) -> Path | None:
    """Write OUTPUT_DIR/queue.tsv, if it is asked for, of all transcripts that there are, made now or before.

    Raises:
        U2UError: it cannot be written, or another file is in its place.
    """
    if not (settings.queue or settings.align):
        return None
    _require_own_queue(settings)
    path = Path(settings.output_dir) / _QUEUE
    transcripts = [file for outcome in outcomes for file in outcome.files if file.endswith(".json")]
    output_folder.keep_edited(Path(settings.output_dir), path)
    write_text(path, queue(transcripts, by_confidence=bool(settings.align)))
    output_folder.note(Path(settings.output_dir), path)
    return path


def in_words(skipped: Sequence[Skipped], outcomes: Sequence[Outcome]) -> str:
    """One line a file: where its transcript is and how much speech it has, or what went wrong."""
    lines = [f"! skipped {item.where}: {item.reason}" for item in skipped]
    for outcome in outcomes:
        if outcome.problem:
            lines.append(f"! skipped {outcome.problem}")
        else:
            lines.append(f"{Path(outcome.audio).name} → {', '.join(outcome.files)} ({outcome.summary})")
    return "\n".join(lines)
