"""What is to be transcribed: recordings, the names of their transcripts, and their own ELAN files."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.corpus.reader import AUDIO_SUFFIXES, NoAudio, Recording, Skipped, files_below, find_audio, index_audio
from u2u_hf.corpus.text_rules import DEFAULT_RULES
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclass
class TranscriptionSettings:
    """What a user can say about a transcription; the fields' help says what each is."""

    recordings: list[str] = setting([], help="recordings, folders of them, or patterns: 'day?/*.wav'", positional=True)
    output_dir: str = setting(help="folder for the transcripts")
    formats: str = setting("eaf", help=f"any of {','.join(writers.FORMATS)}, with commas between")
    annotations: str = setting("", help="folder of ELAN files: tiers are added to a copy of each recording's own")
    segments_from: list[str] = setting(
        [], help="hear the segments of these tiers of --annotations; * and ? are wildcards"
    )
    windows: bool = setting(
        False, help="hear everything, in windows, where detection misses speech: sung, whistled, far away; takes longer"
    )
    align: list[str] = setting(
        [], help="find the words of these tiers' transcripts; queue.tsv has the worst fits first"
    )
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules for --align, in a --config file")
    unsure_below: float = setting(writers.UNSURE_BELOW, help="confidence, 0 to 1, below which a segment is marked")
    queue: bool = setting(False, help="write queue.tsv too: what to correct first (and .json, from which it is made)")
    overwrite: bool = setting(False, help="replace transcripts made before; edited ones are kept beside the new ones")

    def __post_init__(self):
        self.list_of_formats = writers.parse_formats(self.formats)
        if (self.queue or self.align) and "json" not in self.list_of_formats:
            self.list_of_formats.append("json")
        if bool(self.segments_from) + bool(self.align) + self.windows > 1:
            raise U2UError("--segments_from, --align, --windows: give one of them")
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


def find_jobs(settings: TranscriptionSettings) -> tuple[list[Job], list[Skipped]]:
    """The recordings that are named: files as they are, folders with all that is in and below them.

    Returns:
        recordings, with their ELAN files if --annotations says where these are; and what could not be used.

    Raises:
        U2UError: a path does not exist, nothing is found, or two recordings would have transcripts of one name.
    """
    found: list[tuple[Path, Path]] = []
    problems: list[Skipped] = []
    for path in (Path(p) for given in settings.recordings for p in _expanded(given)):
        if path.is_dir():
            files, skipped = files_below(path)
            problems += skipped
            found += [(p, p.relative_to(path).with_suffix("")) for p in files if p.suffix.lower() in AUDIO_SUFFIXES]
        else:
            found.append((path, Path(path.stem)))
    if not found:
        reason = (
            f" ({problems[0].where}: {problems[0].reason})"
            if problems
            else f" or below it ({', '.join(AUDIO_SUFFIXES)})"
        )
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


def _own_files(settings: TranscriptionSettings, audio: list[Path]) -> tuple[dict[Path, Recording], list[Skipped]]:
    """Recording → its ELAN file, paired as `corpus.find_audio` does; and the ELAN files that cannot be used."""
    folder, output = Path(settings.annotations), Path(settings.output_dir).resolve()
    if not folder.is_dir():
        raise U2UError(f"{folder}: there is no such folder: --annotations names the folder with the ELAN files")
    made_here = output not in (folder.resolve(), *folder.resolve().parents)
    files = files_below(folder)[0]
    index, there = index_audio(audio), index_audio(p for p in files if p.suffix.lower() in AUDIO_SUFFIXES)
    owns: dict[Path, Recording] = {}
    problems = []
    for path in files:
        if path.suffix.lower() != ".eaf" or (made_here and output in path.resolve().parents):
            continue  # transcripts made before are nobody's own
        try:
            document = read_eaf(path)
            try:
                partner, origin_ms = find_audio(document, index)
            except NoAudio:
                if settings.segments_from or settings.align:
                    find_audio(document, there)
                continue  # it belongs to a recording that is not transcribed now
            if partner in owns:
                raise U2UError(f"{path}: {owns[partner].document.path} belongs to {partner.name} too: keep one of them")
            owns[partner] = Recording(path.stem, document, str(partner), origin_ms)
        except U2UError as error:
            problems.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))
    return owns, problems
