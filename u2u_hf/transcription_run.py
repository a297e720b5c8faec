"""Many recordings: which they are, where their transcripts go, and what becomes of each."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accelerate.utils import gather_object
from tqdm.auto import tqdm

from u2u_hf import outputs
from u2u_hf.audio import audio_info
from u2u_hf.config import setting
from u2u_hf.corpus import AUDIO_SUFFIXES, Recording, files_below, find_audio, index_audio
from u2u_hf.eaf import read_eaf
from u2u_hf.processes import processes
from u2u_hf.recognizer import Recognizer
from u2u_hf.records import Transcript, U2UError
from u2u_hf.text import DEFAULT_RULES, TextRules
from u2u_hf.tiers import choose_tiers
from u2u_hf.transcribe import Stretches, find_speech, find_words, segments_of, to_align, transcribe, write_down
from u2u_hf.vad import VadSettings


@dataclass
class TranscriptionSettings:
    """What a user can say about a transcription; the fields' help says what each is."""

    recordings: list[str] = setting([], help="recordings, folders of them, or patterns: 'day?/*.wav'", positional=True)
    output_dir: str = setting(help="folder for the transcripts")
    formats: str = setting("eaf", help=f"any of {','.join(outputs.FORMATS)}, with commas between")
    annotations: str = setting("", help="folder of ELAN files: tiers are added to a copy of each recording's own")
    segments_from: list[str] = setting(
        [], help="hear the segments of these tiers of --annotations; * and ? are wildcards"
    )
    align: list[str] = setting([], help="find the words of the transcripts on these tiers, and how well they fit")
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules for --align, in a --config file")
    unsure_below: float = setting(outputs.UNSURE_BELOW, help="confidence, 0 to 1, below which a segment is marked")
    queue: bool = setting(False, help="also write queue.tsv: what to correct first")
    overwrite: bool = setting(False, help="replace transcripts that are there")

    def __post_init__(self):
        self.list_of_formats = outputs.parse_formats(self.formats)
        if self.segments_from and self.align:
            raise U2UError("--segments_from and --align: give one of them")
        if (self.segments_from or self.align) and not self.annotations:
            raise U2UError("--segments_from, --align: say with --annotations which folder the ELAN files are in")


@dataclass(frozen=True)
class Job:
    """A recording to transcribe.

    Attributes:
        name: its transcripts' path below the output folder, without extension.
        own: its ELAN file, read, or None.
    """

    audio: Path
    name: Path
    own: Recording | None = None


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


def find_jobs(settings: TranscriptionSettings) -> tuple[list[Job], list[Outcome]]:
    """The recordings that are named: files as they are, folders with all that is in and below them.

    Returns:
        recordings, with their ELAN files if --annotations says where these are; and what could not be used.

    Raises:
        U2UError: a path does not exist, nothing is found, or two recordings would have transcripts of one name.
    """
    found: list[tuple[Path, Path]] = []
    problems: list[Outcome] = []
    for path in (Path(p) for given in settings.recordings for p in _expanded(given)):
        if path.is_dir():
            files, skipped = files_below(path)
            problems += [Outcome(s.where, problem=f"{s.where}: {s.reason}") for s in skipped]
            found += [(p, p.relative_to(path).with_suffix("")) for p in files if p.suffix.lower() in AUDIO_SUFFIXES]
        else:
            found.append((path, Path(path.stem)))
    if not found:
        reason = f" ({problems[0].problem})" if problems else f" or below it ({', '.join(AUDIO_SUFFIXES)})"
        raise U2UError(f"{settings.recordings[0]}: no recording in this folder{reason}")
    named: dict[Path, Path] = {}
    for path, name in found:
        if named.setdefault(name, path) != path:
            raise U2UError(f"{path}: its transcript would be {name}, as that of {named[name]}: rename one of them")
    if not settings.annotations:
        return [Job(path, name) for name, path in named.items()], problems
    owns, unusable = _own_files(settings, list(named.values()))
    return [Job(path, name, owns.get(path)) for name, path in named.items()], problems + unusable


def _expanded(given: str) -> list[str]:
    """The files of a pattern, for shells that leave it to us."""
    if os.path.exists(given):
        return [given]
    if matches := sorted(glob.glob(given, recursive=True)):
        return matches
    raise U2UError(f"{given}: there is no such file or folder")


def _own_files(settings: TranscriptionSettings, audio: list[Path]) -> tuple[dict[Path, Recording], list[Outcome]]:
    """Recording → its ELAN file, paired as `corpus.find_audio` does; and the ELAN files that cannot be used."""
    folder, output = Path(settings.annotations), Path(settings.output_dir).resolve()
    if not folder.is_dir():
        raise U2UError(f"{folder}: there is no such folder: --annotations names the folder with the ELAN files")
    index = index_audio(audio)
    owns: dict[Path, Recording] = {}
    problems = []
    for path in files_below(folder)[0]:
        if path.suffix.lower() != ".eaf" or (output in path.resolve().parents and output != folder.resolve()):
            continue  # transcripts made here before are nobody's own
        try:
            document = read_eaf(path)
            try:
                partner, origin_ms = find_audio(document, index)
            except U2UError:
                if settings.segments_from or settings.align:
                    raise
                continue  # it belongs to a recording that is not transcribed now
            if partner in owns:
                raise U2UError(f"{path}: {owns[partner].document.path} belongs to {partner.name} too: keep one of them")
            owns[partner] = Recording(path.stem, document, str(partner), origin_ms)
        except U2UError as error:
            problems.append(Outcome(str(path), problem=str(error)))
    return owns, problems


def transcribe_all(
    jobs: Sequence[Job], recognizer: Recognizer, vad: VadSettings, settings: TranscriptionSettings
) -> list[Outcome]:
    """Transcribe recordings, divided over the launcher's processes; a bad one does not stop the rest.

    A recording whose files are all there is finished and left alone, so a killed run goes on where it was.

    Returns:
        in every process, what became of all.

    Raises:
        U2UError: nothing can be written to the output folder.
    """
    output_dir = Path(settings.output_dir)
    _require_writable(output_dir)
    state = processes()
    with state.split_between_processes(list(jobs)) as own:
        outcomes: dict[Path, Outcome] = {}
        to_do: list[tuple[Job, dict[str, Path], float]] = []
        for job in own:
            files = outputs.planned(output_dir / job.name, settings.list_of_formats)
            try:
                if _is_done(job, files, settings.overwrite):
                    written = tuple(map(str, files.values()))
                    outcomes[job.audio] = Outcome(str(job.audio), written, summary="was there already, left as it is")
                else:
                    to_do.append((job, files, audio_info(job.audio).duration_ms / 1000))
            except U2UError as error:
                outcomes[job.audio] = Outcome(str(job.audio), problem=str(error))
        total = round(sum(seconds for *_, seconds in to_do))
        look = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio, {remaining} left"
        with tqdm(total=total, bar_format=look, disable=not to_do or not state.is_local_main_process) as bar:
            for job, files, seconds in to_do:
                bar.set_description(job.audio.name)
                outcomes[job.audio] = _one(
                    job, files, recognizer, vad, settings, lambda share, s=seconds: bar.update(share * s)
                )
        return gather_object([outcomes[job.audio] for job in own])


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise U2UError(f"{folder}: cannot be made ({error.strerror}): choose another --output_dir") from error
    if not os.access(folder, os.W_OK):
        raise U2UError(f"{folder}: you may not write there: choose another --output_dir")


def _is_done(job: Job, files: dict[str, Path], overwrite: bool) -> bool:
    """Whether the transcript is there. Raises U2UError: in part, or a person's own file is in its place."""
    there = [file for file in files.values() if file.exists()]
    if overwrite or not there:
        return False
    if job.own and (theirs := next((f for f in there if f.samefile(job.own.document.path)), None)):
        raise U2UError(f"{theirs}: is yours: choose another --output_dir, or add tiers to it with --overwrite true")
    if len(there) < len(files):
        raise U2UError(f"{there[0]}: is there already: add --overwrite true to replace it")
    return True


def _one(
    job: Job,
    files: dict[str, Path],
    recognizer: Recognizer,
    vad: VadSettings,
    settings: TranscriptionSettings,
    progress: Callable[[float], object],
) -> Outcome:
    try:
        stretches, hear = _stretches(job, vad, settings), write_down(recognizer.labels)
        if settings.align:
            stretches, hear = to_align(stretches, recognizer.labels), find_words(recognizer.labels)
        transcript = transcribe(job.audio, stretches, recognizer, hear, progress)
        if job.own:
            own, origin_ms = job.own.document.path, job.own.origin_ms
            transcript = dataclasses.replace(transcript, annotations=own, origin_ms=origin_ms)
        outputs.write(transcript, files, settings.unsure_below)
    except U2UError as error:
        return Outcome(str(job.audio), problem=str(error))
    return Outcome(str(job.audio), tuple(map(str, files.values())), summary=summary(transcript))


def _stretches(job: Job, vad: VadSettings, settings: TranscriptionSettings) -> Stretches:
    patterns = settings.segments_from or settings.align
    if not patterns:
        return find_speech(audio_info(job.audio), vad)
    if job.own is None:
        raise U2UError(f"{job.audio}: no ELAN file in {settings.annotations} belongs to it")
    tiers = choose_tiers([job.own], patterns)[0][job.own.name]
    return segments_of(job.own, tiers, TextRules(settings.rules))


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


def in_words(outcomes: Sequence[Outcome]) -> str:
    """One line a recording: where its transcript is and how much speech it has, or what went wrong."""
    lines = []
    for outcome in outcomes:
        if outcome.problem:
            lines.append(f"! skipped {outcome.problem}")
        else:
            lines.append(f"{Path(outcome.audio).name} → {', '.join(outcome.files)} ({outcome.summary})")
    return "\n".join(lines)
