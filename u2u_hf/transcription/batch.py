"""The transcription of many recordings: divided over processes, resumed, with an outcome for each recording."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from u2u_hf import written_files
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.tier_patterns import asked_for
from u2u_hf.data.audio import audio_info
from u2u_hf.data.processes import gathered, processes
from u2u_hf.files import write_text
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.memory import memory_problem
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.calibration import NOT_CALIBRATED, Calibrations
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import CORRECTED_TYPE, MACHINE_ANNOTATOR, Skipped, Transcript, U2UError
from u2u_hf.settings import quoted
from u2u_hf.transcription.correction_queue import correction_queue, with_turns
from u2u_hf.transcription.detectors import DETECTORS
from u2u_hf.transcription.jobs import Job, TranscriptionSettings
from u2u_hf.transcription.segmentation import Segmentation, find_speech, segments_of_tiers, to_align
from u2u_hf.transcription.transcribe import Decode, align_words, recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings
from u2u_hf.visible_text import visible

_KEPT = "exists already, not changed"
_QUEUE = "queue.tsv"


@dataclass(frozen=True)
class Outcome:
    """The result for one recording: its transcript's files, or the problem.

    Attributes:
        summary: how much speech was found, for people to read.
        written: whether this run wrote any of the files.
    """

    audio: str
    files: tuple[str, ...] = ()
    problem: str = ""
    summary: str = ""
    written: bool = False


def transcribe_all(
    jobs: Sequence[Job],
    recognizer: Recognizer,
    vad: VadSettings,
    settings: TranscriptionSettings,
    language_model: LanguageModel | None = None,
    calibrations: Calibrations = NOT_CALIBRATED,
) -> list[Outcome]:
    """Transcribe recordings, divided over the launcher's processes; a bad one does not stop the rest.

    Existing files are not changed, because a person may have corrected them. So a killed run resumes where it stopped,
    and a run with one more format writes only that one.

    Args:
        language_model: the recogniser's language model, if it has one.
        calibrations: of its confidence.

    Returns:
        the outcomes of all recordings, in every process.

    Raises:
        U2UError: the output folder cannot be written to.
    """
    _require_writable(Path(settings.output_dir))
    _require_own_queue(settings)
    if settings.align:
        decode = align_words(recognizer.labels)
    else:
        decode = recognise_words(recognizer.labels, language_model, calibrations)
    state = processes()
    with state.split_between_processes(list(jobs)) as own:
        return gathered(_Run(recognizer, decode, vad, settings).all(own, show=state.is_local_main_process))


@dataclass(frozen=True)
class _Run:
    """The transcription of one process's recordings."""

    recognizer: Recognizer
    decode: Decode
    vad: VadSettings
    settings: TranscriptionSettings

    def all(self, jobs: Sequence[Job], show: bool) -> list[Outcome]:
        """Transcribe recordings; `show` a progress bar in seconds of audio."""
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
        after_bar = "{n:.0f}/{total:.0f} s of audio, {remaining} left"
        total, done = math.ceil(sum(seconds for *_, seconds in to_do)), 0.0
        with progress_bar(desc="transcribing", total=total, after_bar=after_bar, disable=not (to_do and show)) as bar:
            for job, files, seconds in to_do:
                bar.set_description(job.audio.name)
                outcomes[job.audio] = self._one(job, files, partial(_advance, bar, seconds))
                done += seconds  # includes silence and bad files, of which no progress is reported
                bar.update(done - bar.n)
        return [outcomes[job.audio] for job in jobs]

    def _to_write(self, job: Job, files: dict[str, Path]) -> dict[str, Path]:
        """Return the files to write: all with --overwrite, else the missing ones.

        By the .json a round knows the draft in the .eaf: all else in the .eaf are edits. So a .json is added only
        together with a new .eaf, which takes the place of one that nobody has edited.

        Raises:
            U2UError: one of them would replace a person's own file, or there is a transcript of another kind.
        """
        folder = Path(self.settings.output_dir)
        if self.settings.overwrite:
            for file in files.values():
                if file.exists() and not _is_theirs(job, file) and not written_files.is_recorded(folder, file):
                    raise U2UError(
                        f"{file}: was not written by transcribe.py: move it away, or choose another --output_dir"
                    )
            return files
        if any(_is_theirs(job, file) for file in files.values()):
            theirs = job.own.document.path
            raise U2UError(
                f"{theirs}: is your own file: choose another --output_dir, or add tiers to it with --overwrite"
            )
        kinds = written_files.kinds(folder)
        for file in filter(Path.exists, files.values()):
            if (kind := kinds.get(file.relative_to(folder).as_posix(), self.settings.kind)) != self.settings.kind:
                raise U2UError(
                    f"{file}: holds a transcript of another kind ({kind}): choose another --output_dir, or --overwrite"
                )
        missing = {name: file for name, file in files.items() if not file.exists()}
        if "json" not in missing or "eaf" not in files or "eaf" in missing:
            return missing
        if written_files.wrote(folder, files["eaf"]):
            if not job.own and any(tier.annotator != MACHINE_ANNOTATOR for tier in read_eaf(files["eaf"]).tiers):
                raise U2UError(f"{files['eaf']}: has your own tiers, which came from --annotations: give that again")
            return {"eaf": files["eaf"]} | missing
        return {name: file for name, file in missing.items() if name != "json"}

    def _one(self, job: Job, files: dict[str, Path], advance: Callable[[float], None]) -> Outcome:
        try:
            transcript = self._transcript(job, advance)
            to_write = self._to_write(job, files)
            self._write(job, transcript, to_write)
        except U2UError as error:
            return Outcome(str(job.audio), problem=str(error))
        except Exception as error:  # for lack of memory, as long recordings need it, libraries raise many classes
            if not (problem := memory_problem(error)):
                raise
            return Outcome(str(job.audio), problem=f"{job.audio}: {problem}")
        kept = [file.name for name, file in files.items() if name not in to_write]
        found = summary(transcript) + (f"; {', '.join(kept)} {_KEPT}" if kept else "")
        return Outcome(str(job.audio), _names(files), summary=found, written=True)

    def _transcript(self, job: Job, advance: Callable[[float], None]) -> Transcript:
        settings = self.settings
        if settings.segments_from or settings.align:
            segmentation = self._own_segments(job)
        elif settings.windows:
            segmentation = find_speech(
                audio_info(job.audio), self.vad, partial(DETECTORS["words"], self.recognizer), advance
            )
            advance = _ignore  # the recogniser, which takes the time, has run already
        else:
            segmentation = find_speech(audio_info(job.audio), self.vad, partial(DETECTORS["silero"], self.recognizer))
        transcript = transcribe(job.audio, segmentation, self.recognizer, self.decode, advance)
        if settings.queue and not settings.align:
            transcript = with_turns(transcript)
        if not job.own:
            return transcript
        return dataclasses.replace(transcript, annotations=job.own.document.path, origin_ms=job.own.origin_ms)

    def _write(self, job: Job, transcript: Transcript, files: dict[str, Path]) -> None:
        folder, kind = Path(self.settings.output_dir), self.settings.kind
        own = {file: file.read_bytes() for file in files.values() if _is_theirs(job, file)}
        drafts = {}
        for file in [] if self.settings.overwrite else filter(Path.exists, files.values()):
            draft = file.read_bytes()
            if written_files.wrote(folder, file):  # else somebody has saved it while this ran, and it stays
                drafts[file] = draft
        new = {name: written_files.unfinished(file) for name, file in files.items()}
        try:
            writers.write(transcript, new, self.settings.unsure_below)
            for name, file in files.items():
                if file in own:
                    written_files.put_if_same(new[name], file, own[file])
                elif self.settings.overwrite:
                    written_files.put(new[name], folder, file, kind)
                elif file in drafts:
                    written_files.note(folder, file, new[name], kind)
                    written_files.put_if_same(new[name], file, drafts[file])
                else:
                    written_files.put_if_missing(new[name], folder, file, kind)
        except U2UError as error:
            raise U2UError(str(error).replace(f".{os.getpid()}.new.", "")) from error
        finally:
            for path in new.values():
                path.unlink(missing_ok=True)

    def _own_segments(self, job: Job) -> Segmentation:
        """Return the segments of the tiers that --segments_from or --align names in the recording's own ELAN file."""
        settings = self.settings
        patterns = settings.segments_from or settings.align
        if job.own is None:
            raise U2UError(f"{job.audio}: no ELAN file in {settings.annotations} belongs to it")
        document = job.own.document
        tiers = [tier for tier in document.tiers if asked_for(tier, tier.name, patterns)]
        if not tiers:
            names = ", ".join(tier.name for tier in document.tiers) or "none"
            whose = f" of {job.audio.name}" if job.own.tracks else ""  # others are of other speakers' recordings
            raise U2UError(f"{document.path}: no tier{whose} is called {' or '.join(patterns)}; there are: {names}")
        segmentation = segments_of_tiers(job.own, tiers, TextRules(settings.rules))
        return to_align(segmentation, self.recognizer.labels) if settings.align else segmentation


def _advance(bar: tqdm, seconds: float, share: float) -> None:
    bar.update(share * seconds)


def _ignore(share: float) -> None:
    """Report no progress."""


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise U2UError(f"{folder}: cannot be made ({error.strerror}): choose another --output_dir") from error
    if not os.access(folder, os.W_OK):
        raise U2UError(f"{folder}: is write-protected: choose another --output_dir")


def _is_theirs(job: Job, file: Path) -> bool:
    """Return whether a file is the recording's own ELAN file, made by a person."""
    return job.own is not None and file.exists() and file.samefile(job.own.document.path)


def _require_own_queue(settings: TranscriptionSettings) -> None:
    folder = Path(settings.output_dir)
    path = folder / _QUEUE
    if (settings.queue or settings.align) and os.path.lexists(path) and not written_files.is_recorded(folder, path):
        raise U2UError(f"{path}: was not written by transcribe.py: move it away, or choose another --output_dir")


def _names(files: dict[str, Path]) -> tuple[str, ...]:
    return tuple(map(str, files.values()))


def summary(transcript: Transcript) -> str:
    """Return how much of each channel is in segments, and its longest gap, where speech may be missing."""
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
    """Write OUTPUT_DIR/queue.tsv, if asked for, of all transcripts, from this run and earlier ones of its kind.

    A transcript of an earlier run whose .eaf or .json a person has taken away is not in it.

    Raises:
        U2UError: it cannot be written, or would replace another file.
    """
    if not (settings.queue or settings.align):
        return None
    _require_own_queue(settings)
    folder = Path(settings.output_dir)
    path = folder / _QUEUE
    planned = [Path(file) for outcome in outcomes for file in outcome.files if file.endswith(".json")]
    transcripts = [str(file) for file in dict.fromkeys([*planned, *_earlier(folder, settings)]) if file.is_file()]
    for file in planned:
        if not file.is_file():
            print(visible(f"! {_not_queued(folder, file.with_suffix('.eaf'))}"))
    new = written_files.unfinished(path)
    try:
        write_text(new, correction_queue(transcripts, by_confidence=bool(settings.align)))
        written_files.put(new, folder, path)
    finally:
        new.unlink(missing_ok=True)
    return path


def _earlier(folder: Path, settings: TranscriptionSettings) -> list[Path]:
    """Return the transcripts in JSON that earlier runs wrote, and whose .eaf, if they wrote one, is still there.

    Confidence in aligned transcripts is how well a text fits: with that of recognised ones it makes no order.
    """
    names, kinds = written_files.recorded(folder), written_files.kinds(folder)
    return [
        folder / name
        for name in sorted(names)
        if name.endswith(".json")
        if kinds.get(name, settings.kind).startswith("--align") == bool(settings.align)  # earlier versions noted none
        if (eaf := Path(name).with_suffix(".eaf")).as_posix() not in names or (folder / eaf).is_file()
    ]


def _not_queued(folder: Path, draft: Path) -> str:
    """Return why a recording's draft is not in the queue, and what to do."""
    if written_files.is_recorded(folder, draft):
        return (
            f"{draft}: was edited, and is not in the queue: --overwrite writes a new draft, and keeps yours beside it"
        )
    return f"{draft}: was not written by transcribe.py, and is not in the queue: move it away, and run this again"


def outcome_lines(skipped: Sequence[Skipped], outcomes: Sequence[Outcome]) -> str:
    """Return one line for each file: its transcripts and how much speech they hold, or the problem."""
    lines = [f"! skipped {item.where}: {item.reason}" for item in skipped]
    for outcome in outcomes:
        if outcome.problem:
            lines.append(f"! skipped {outcome.problem}")
        else:
            lines.append(f"{Path(outcome.audio).name} → {', '.join(outcome.files)} ({outcome.summary})")
    return "\n".join(map(visible, lines))


def next_steps(skipped: Sequence[Skipped], outcomes: Sequence[Outcome], settings: TranscriptionSettings) -> str:
    """Return the verdict on a transcription, and what to do next."""
    problems = sum(item.is_problem for item in skipped) + sum(bool(outcome.problem) for outcome in outcomes)
    good = [outcome for outcome in outcomes if not outcome.problem]
    written = sum(outcome.written for outcome in good)
    counts = {f"{_count(written)} transcribed": True, f"{len(good) - written} done before": written < len(good)}
    verdict = ", ".join(
        [*(text for text, told in counts.items() if told), *([f"{problems} skipped"] if problems else [])]
    )
    if not good:
        return f"\n{verdict}: fix the problems above, and run this again."
    elan = next((file for outcome in good for file in outcome.files if file.endswith(".eaf")), "")
    correct = f"Open {elan} in ELAN and correct it" if elan else f"The transcripts are in {settings.output_dir}"
    lines = [f"{verdict}. {correct}.", *(["Files were skipped: see the lines above."] if problems else [])]
    if not (settings.queue or settings.align):
        lines.append("To see what to correct first, run this again with --queue, before you correct.")
    if elan:
        lines += [
            f"A corrected tier is training data once it has the type {CORRECTED_TYPE} (Tier > Change Tier Attributes):"
        ]
        folder = quoted(settings.output_dir)
        lines += ["", f"  python recipes/prepare.py --corpus {folder} --output_dir my_dataset --inspect"]
    return "\n".join(["", *lines])


def _count(recordings: int) -> str:
    return f"{recordings} recording{'' if recordings == 1 else 's'}"
