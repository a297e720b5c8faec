"""The recordings to transcribe: the names of their transcripts, and their own ELAN files."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.corpus.folder import AUDIO_SUFFIXES, files_below, is_audio
from u2u_hf.corpus.pairing import (
    NoAudio,
    find_audio,
    fold,
    index_audio,
    linked_audio,
    speaker_tracks,
    worse_copies,
)
from u2u_hf.corpus.reader import Recording, SoundFile
from u2u_hf.corpus.text_rules import DEFAULT_RULES
from u2u_hf.corpus.versions import newest
from u2u_hf.formats import readers, writers
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.records import Skipped, Tier, U2UError
from u2u_hf.settings import setting


@dataclass
class TranscriptionSettings:
    """The settings of a transcription; the fields' help says what each does."""

    recordings: list[str] = setting(
        [], help="recordings, folders of them, or patterns: day?/*.wav, in quotes", positional=True
    )
    output_dir: str = setting(help="folder for the transcripts")
    formats: str = setting("eaf", help=f"formats to write, separated by commas: {','.join(writers.FORMATS)}")
    annotations: str = setting("", help="folder of ELAN files: a copy of each recording's own file gets the new tiers")
    segments_from: list[str] = setting(
        [], help="recognise the segments of these tiers of --annotations; * and ? are wildcards"
    )
    windows: bool = setting(
        False, help="recognise all, in windows, and not only detected speech: for singing, whistling, distant voices"
    )
    align: list[str] = setting(
        [], help="find the times of the words in these tiers of --annotations; queue.tsv lists the worst fits first"
    )
    rules: list[dict] = setting(list(DEFAULT_RULES), help="text rules for --align; only in a --config file")
    unsure_below: float = setting(
        writers.UNSURE_BELOW,
        help="confidence, 0 to 1, below which a segment is marked as unsure",
    )
    queue: bool = setting(
        False,
        help="also write queue.tsv and a tier in each .eaf, what to correct first, and .json files",
    )
    overwrite: bool = setting(False, help="replace existing transcripts; edited ones are kept beside the new ones")

    def __post_init__(self):
        self.list_of_formats = writers.parse_formats(self.formats)
        if (self.queue or self.align) and "json" not in self.list_of_formats:
            self.list_of_formats.append("json")
        if bool(self.segments_from) + bool(self.align) + self.windows > 1:
            raise U2UError("--segments_from, --align, --windows: give only one of them")
        if (self.segments_from or self.align) and not self.annotations:
            raise U2UError("--segments_from, --align: also give --annotations, the folder with the ELAN files")

    @property
    def kind(self) -> str:
        """Return what the segments are, and the texts: transcripts of one kind only are resumed or queued together."""
        for flag, tiers in (("--align", self.align), ("--segments_from", self.segments_from)):
            if tiers:
                return " ".join([flag, *sorted(tiers)])
        return "--windows" if self.windows else "detected speech"


@dataclass(frozen=True)
class Job:
    """A recording to transcribe.

    Attributes:
        name: path of its transcripts below the output folder, without extension.
        own: its own ELAN file, made by a person, or None.
    """

    audio: Path
    name: Path
    own: Recording | None = None


def find_jobs(settings: TranscriptionSettings) -> tuple[list[Job], list[Skipped]]:
    """Return the recordings that the settings name, files as well as all recordings in folders and below.

    Returns:
        recordings, with their own ELAN files if --annotations is given; and the files that could not be used.

    Raises:
        U2UError: a path does not exist, there is no recording, or two transcripts would have the same name.
    """
    found: list[tuple[Path, Path]] = []
    problems: list[Skipped] = []
    for path in (Path(p) for given in settings.recordings for p in _expanded(given)):
        if path.is_dir():
            files, skipped = files_below(path)
            problems += skipped
            found += [(p, p.relative_to(path).with_suffix("")) for p in files if is_audio(p)]
        else:
            found.append((path, Path(path.stem)))
    if not found:
        reason = (
            f" ({problems[0].where}: {problems[0].reason})"
            if problems
            else f" or below it ({', '.join(AUDIO_SUFFIXES)})"
        )
        raise U2UError(f"{settings.recordings[0]}: no recording in this folder{reason}")
    worse = worse_copies(path for path, _ in found)
    problems += [
        Skipped(str(path), f"{better.name} is the same recording, and is used", is_problem=False)
        for path, better in worse.items()
    ]
    named: dict[Path, Path] = {}
    for path, name in found:
        if path in worse:
            continue
        if named.setdefault(name, path) != path:
            raise U2UError(f"{path}: its transcript would be {name}, like that of {named[name]}: rename one of them")
    if not settings.annotations:
        return [Job(path, name) for name, path in named.items()], problems
    owns, unusable = _own_files(settings, list(named.values()))
    return [Job(path, name, owns.get(path)) for name, path in named.items()], problems + unusable


def _expanded(given: str) -> list[str]:
    """Return the files that match a pattern, which Windows' shells do not expand."""
    if os.path.exists(given):
        return [given]
    if matches := sorted(glob.glob(given, recursive=True)):
        return matches
    raise U2UError(f"{given}: there is no such file or folder")


def _own_files(settings: TranscriptionSettings, audio: list[Path]) -> tuple[dict[Path, Recording], list[Skipped]]:
    """Return each recording's own ELAN file, paired by `find_audio`, and the ELAN files that cannot be used."""
    folder, output = Path(settings.annotations), Path(settings.output_dir).resolve()
    if not folder.is_dir():
        raise U2UError(f"{folder}: there is no such folder: --annotations names the folder with the ELAN files")
    made_here = output not in (folder.resolve(), *folder.resolve().parents)
    files = files_below(folder)[0]
    sounds = [p for p in files if is_audio(p)]
    index, there = index_audio(audio), index_audio(sounds)
    # One of a name: the recordings of this run, and with them the tracks of speakers who are not transcribed in it.
    known = {fold(p.name) for p in audio}
    both = index_audio([*audio, *(p for p in sounds if fold(p.name) not in known)])
    owns: dict[Path, list[Recording]] = defaultdict(list)
    problems = []
    for path in files:
        if readers.reader_of(path) is not readers.ELAN or (made_here and output in path.resolve().parents):
            continue  # a transcript that an earlier run wrote
        try:
            document = read_eaf(path)
            try:
                partner, origin_ms = find_audio(document, index)
            except NoAudio:
                if settings.segments_from or settings.align:
                    find_audio(document, there)
                continue  # its recording is not transcribed in this run
            whole = Recording(str(path), document, str(partner), origin_ms)
            with_tiers = _of_each_sound(whole, audio, both) if settings.segments_from or settings.align else [whole]
            for recording in with_tiers:
                owns[Path(recording.audio)].append(recording)
        except U2UError as error:
            problems.append(Skipped(str(path), str(error).removeprefix(f"{path}: ")))
    one_each = {partner: _one_own(recordings, problems) for partner, recordings in owns.items()}
    return one_each, problems


def _of_each_sound(whole: Recording, audio: list[Path], both: Mapping[str, list[Path]]) -> list[Recording]:
    """Return a person's ELAN file once for each recording of this run that it links to, with the tiers to hear in it.

    Each tier gets the recording of its speaker alone, if there is one. Where that is not transcribed in this run, it
    gets the recording of all speakers, and never another speaker's.

    Args:
        whole: the file with its best sound among the recordings of this run.
        both: index of the recordings of this run and of the annotations' folder.
    """
    document = whole.document
    try:
        tracks = speaker_tracks(document.tiers, linked_audio(document, both))
    except U2UError:  # several of the recordings that are not transcribed have its name
        tracks = {}
    if not tracks:
        return [whole]
    here = {tier: SoundFile(str(track.path), track.origin_ms) for tier, track in tracks.items() if track.path in audio}
    is_of_all = Path(whole.audio) not in {track.path for track in tracks.values()}
    main = SoundFile(whole.audio, whole.origin_ms)
    tiers: dict[SoundFile, list[Tier]] = {main: []} | {sound: [] for sound in here.values()}
    for tier in document.tiers:
        if tier.name in here:
            tiers[here[tier.name]].append(tier)
        elif is_of_all or tier.name not in tracks:
            tiers[main].append(tier)
    return [
        dataclasses.replace(
            whole,
            document=dataclasses.replace(document, tiers=tuple(own)),
            audio=sound.audio,
            origin_ms=sound.origin_ms,
            tracks=tuple(here.items()),
        )
        for sound, own in tiers.items()
    ]


def _one_own(recordings: list[Recording], problems: list[Skipped]) -> Recording:
    """Return the newest of a recording's own files, and add the others to `problems`."""
    with_text = {
        r.name: [tier for tier in r.document.tiers if any(a.value.strip() for a in tier.annotations)]
        for r in recordings
    }
    try:
        left = newest(recordings, with_text)
        problems += left.skipped
        recordings = left.recordings
    except U2UError:
        pass  # which is newer cannot be told: the first is used, and the others are named below
    used, *others = recordings
    reason = f"{used.document.path} belongs to {Path(used.audio).name} too, and is used: keep one of them"
    problems += [Skipped(other.document.path, reason) for other in others]
    return used
