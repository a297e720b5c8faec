"""A folder of annotation files and recordings → documents with their audio → utterances."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.files import before_edit, fold
from u2u_hf.formats.delimited import METADATA_NAMES, TABLE_SUFFIXES, is_table, read_metadata, read_table
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.textgrid import read_textgrid
from u2u_hf.records import AnnotationDocument, Tier, U2UError, Utterance

AUDIO_SUFFIXES = tuple(".wav .flac .mp3 .ogg .opus .aiff .aif .m4a .mp4 .aac .wma .mov .mkv .webm .avi .mts".split())
ANNOTATION_SUFFIXES = (".eaf", ".textgrid")
# Archives and disks of older systems leave such names, which neither a report nor a dataset can hold.
_BAD_NAME = "the letters of its name are not in UTF-8: rename it"
LengthMs = Callable[[Path], int]


@dataclass(frozen=True)
class Recording:
    """One annotation file with its audio.

    Attributes:
        name: the annotation file's path in the corpus, without its extension, with forward slashes.
        origin_ms: add it to a time in the annotations to get the time in the audio.
    """

    name: str
    document: AnnotationDocument
    audio: str
    origin_ms: int = 0


@dataclass(frozen=True)
class Skipped:
    """A file, tier or utterance that was left out, and why."""

    where: str
    reason: str


class NoAudio(U2UError):
    """The recording of an annotation file is nowhere."""


def read_corpus(
    corpus: str | os.PathLike[str], length_ms: LengthMs | None = None
) -> tuple[list[Recording], list[Skipped]]:
    """Read every annotation file under `corpus` and find its audio there.

    Annotation files are ELAN's .eaf, Praat's .TextGrid, tables (.csv, .tsv with the columns audio, start, end
    and text), and the metadata.csv or metadata.jsonl of an audio folder.

    Args:
        length_ms: audio file → its length in ms; without it audio folders' metadata is not read.

    Returns:
        recordings in order of name, and the files that could not be used with the reason.

    Raises:
        U2UError: no such folder, no annotation file in it, or not one that can be used.
    """
    corpus = Path(corpus)
    if not corpus.is_dir():
        raise U2UError(f"{corpus}: there is no such folder: --corpus names the folder with the .eaf files and audio")
    files, skipped = files_below(corpus)
    annotation_files = [p for p in files if _is_annotation(p, length_ms is not None)]
    if not annotation_files:
        raise U2UError(f"{corpus}: no annotation file (.eaf, .TextGrid, or a table) in this folder or below it")
    audio = index_audio(p for p in files if p.suffix.lower() in AUDIO_SUFFIXES)
    recordings: dict[str, Recording] = {}
    for path in annotation_files:
        try:
            documents, problems = _read(path, length_ms)
        except U2UError as error:
            documents, problems = [], [error]
        for document in documents:
            try:
                name = _recording_name(document, corpus)
                if name in recordings:
                    raise U2UError(
                        f"{path}: {recordings[name].document.path} has the same name and is used: rename one"
                    )
                partner, origin_ms = find_audio(document, audio)
                recordings[name] = Recording(name, document, str(partner), origin_ms)
            except U2UError as error:
                problems.append(error)
        skipped += [Skipped(str(path), str(problem).removeprefix(f"{path}: ")) for problem in problems]
    if not recordings:
        count = f"{len(annotation_files)} annotation file{'s' if len(annotation_files) > 1 else ''}"
        first = next(s for s in skipped if s.where in map(str, annotation_files))
        raise U2UError(f"{corpus}: of {count} not one can be used; the first, {first.where}: {first.reason}")
    return [recordings[name] for name in sorted(recordings)], skipped


def _is_annotation(path: Path, with_metadata: bool) -> bool:
    if path.name.lower() in METADATA_NAMES:
        return with_metadata
    suffix = path.suffix.lower()
    return suffix in ANNOTATION_SUFFIXES or (suffix in TABLE_SUFFIXES and is_table(path))


def _read(path: Path, length_ms: LengthMs | None) -> tuple[list[AnnotationDocument], list[U2UError]]:
    """The documents of an annotation file, and what of it could not be read."""
    if path.name.lower() in METADATA_NAMES and length_ms:
        return read_metadata(path, length_ms)
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return read_table(path), []
    return [read_textgrid(path) if suffix == ".textgrid" else read_eaf(path)], []


def _recording_name(document: AnnotationDocument, corpus: Path) -> str:
    """An annotation file's own name; of a table, which has many recordings, with that of the audio."""
    name = Path(document.path).relative_to(corpus).with_suffix("").as_posix()
    if Path(document.path).suffix.lower() in ANNOTATION_SUFFIXES:
        return name
    return f"{name}/{PurePosixPath(document.media[0].urls[0].replace(chr(92), '/')).with_suffix('')}"


def files_below(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """Every file below `folder`, in order of name, but hidden ones; and what of them cannot be used.

    Links to folders are followed, for audio often lies on another disk; each folder once, and none that
    the corpus lies in, for links may form circles.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []
    seen = set(map(str, Path(os.path.realpath(folder)).parents))

    def unreadable(error: OSError) -> None:
        skipped.append(Skipped(str(error.filename), f"the folder cannot be read ({error.strerror})"))

    def usable(here: str, names: list[str]) -> list[str]:
        shown = {n: n.encode("utf-8", "replace").decode() for n in sorted(names) if not n.startswith(".")}
        skipped.extend(Skipped(os.path.join(here, shown[n]), _BAD_NAME) for n in shown if shown[n] != n)
        return [n for n in shown if shown[n] == n]

    for here, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = usable(here, folders)
        files += [path for name in usable(here, names) if (path := Path(here, name)).is_file()]
    return sorted(files), skipped


def index_audio(audio: Iterable[Path]) -> dict[str, list[Path]]:
    """Recordings by name (``a.wav``) and by stem (``a.*``), ignoring case and Unicode form."""
    index: dict[str, list[Path]] = defaultdict(list)
    for path in audio:
        index[fold(path.name)].append(path)
        index[fold(f"{path.stem}.*")].append(path)
    return dict(index)


def find_audio(document: AnnotationDocument, audio: Mapping[str, list[Path]]) -> tuple[Path, int]:
    """The recording that an annotation file belongs to, and its origin in ms.

    Tried in order, ignoring case and Unicode form: the names of the media in the file (of whatever
    folder: the file was made on another machine), these with another extension (a.mp4 → a.wav), the
    annotation file's own stem, and its stem before ``_ed`` (``a_ed-2025-02-12.eaf`` is an edited
    ``a.eaf``). Among several, the one that the relative path in the file leads to is taken, else the one in
    the annotation file's own folder.

    Args:
        audio: from `index_audio`. Nothing else is looked at: what the file names cannot lead elsewhere.

    Raises:
        NoAudio: none.
        U2UError: several that are equally near.
    """
    path = Path(document.path)
    wanted = [(name, m.origin_ms) for m in document.media for url in m.urls for name in media_names(url)]
    wanted += [(f"{PurePosixPath(name).stem}.*", origin_ms) for name, origin_ms in wanted]
    origin_ms = document.media[0].origin_ms if document.media else 0
    wanted += [(f"{stem}.*", origin_ms) for stem in (path.stem, before_edit(path.stem)) if stem]
    for name, origin_ms in wanted:
        if found := audio.get(fold(name)):
            return _nearest(document, found), origin_ms
    tried = ", ".join(dict.fromkeys(name for name, _ in wanted))
    raise NoAudio(f"{path}: its audio is not in the corpus folder (looked for {tried}): copy it there")


def _nearest(document: AnnotationDocument, found: list[Path]) -> Path:
    """Of files with the wanted name: the one the document's relative path leads to, or else the one beside it."""
    path = Path(document.path)
    written = [url.replace("\\", "/") for media in document.media for url in media.urls]
    named = {os.path.normpath(path.parent / spelled) for url in written for spelled in (url, unquote(url))}
    exact = [p for p in found if os.path.normpath(p) in named]
    choice = exact or [p for p in found if p.parent == path.parent] or found
    if len(choice) > 1:
        listed = ", ".join(map(str, choice))
        raise U2UError(f"{path}: several recordings could be its audio: {listed}: keep one, or rename")
    return choice[0]


def media_names(url: str) -> list[str]:
    """The file name in a media URL or path: of ``file:///C:/Ana/a.wav`` and ``D:\\Ana\\a.wav``, ``a.wav``.

    Twice where it has ``%20`` or the like, decoded and as it stands: ELAN itself does not encode.
    """
    names = [re.split(r"[/\\]", spelled)[-1] for spelled in (unquote(url), url)]
    return [name for name in dict.fromkeys(names) if name]


def utterances(recordings: Iterable[Recording], tiers: dict[str, list[Tier]], rules: TextRules) -> list[Utterance]:
    """One utterance for each annotation of the chosen tiers, in the time of the audio; channel unknown."""
    return [
        Utterance(
            recording=recording.name,
            audio=recording.audio,
            tier=tier.name,
            speaker=tier.participant or tier.name,
            channel=None,
            start_ms=annotation.start_ms + recording.origin_ms,
            end_ms=annotation.end_ms + recording.origin_ms,
            raw_text=annotation.value,
            text=rules(annotation.value),
        )
        for recording in recordings
        for tier in tiers.get(recording.name, [])
        for annotation in tier.annotations
    ]
