"""The transcripts of a project, as an editor opens and saves them."""

from __future__ import annotations

import bisect
import functools
import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from u2u_hf import written_files
from u2u_hf.corpus.folder import files_below, is_audio
from u2u_hf.corpus.pairing import fold, media_names
from u2u_hf.files import replacing
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.eaf_segments import correct_tiers
from u2u_hf.formats.writers import UNSURE_BELOW
from u2u_hf.project.folder import Project
from u2u_hf.records import (
    CORRECTED_TYPE,
    SEGMENT_TYPE,
    UNSURE_TYPE,
    WORD_TYPE,
    AnnotationDocument,
    Segment,
    Tier,
    U2UError,
    Word,
)


class ChangedError(U2UError):
    """A transcript is of another version than the one that a save is of."""


_PEAKS_PER_S, _MOST_PEAKS = 100, 360_000
_BLOCK = 1000  # peaks that are read at once


def all_of(project: Project) -> list[Path]:
    """Return the ELAN files in the project's folder of transcripts, in order of name."""
    # Hidden ones are not finished, or of another system.
    return sorted(path for path in project.transcripts.rglob("*.eaf") if not path.name.startswith("."))


def key_of(project: Project, transcript: Path) -> str:
    """Return a transcript's name in addresses: 16 hex digits that stay, however many files come or go."""
    within = transcript.relative_to(project.transcripts).as_posix()
    return hashlib.sha256(within.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def of_key(project: Project, key: str) -> Path | None:
    """Return the transcript of a key, or None."""
    return next((path for path in all_of(project) if key_of(project, path) == key), None)


def sound_of(project: Project, transcript: Path) -> Path:
    """Return the recording of a transcript: one in the project's own folders, nowhere else.

    That is the one that the file links; otherwise one of a linked name, otherwise of the transcript's own, and of
    several the one that lies in its folder as the transcript in the folder of transcripts.

    Raises:
        U2UError: it is not there.
    """
    folders = tuple(dict.fromkeys([*project.recordings, project.corpus]))
    key = (project.transcripts, transcript, transcript.stat().st_mtime_ns, folders)
    if (sound := _sounds.get(key)) and sound.is_file():  # a player asks for many parts of one
        return sound
    if len(_sounds) > 1000:
        _sounds.clear()
    _sounds[key] = _found_sound(project, transcript, folders)
    return _sounds[key]


_sounds: dict[tuple[Any, ...], Path] = {}


def _found_sound(project: Project, transcript: Path, folders: Sequence[Path]) -> Path:
    urls = [url for media in _document(transcript).media for url in media.urls]
    linked = {path for url in urls for path in _places(url, transcript.parent)}
    names = {fold(name) for url in urls for name in media_names(url)}
    stem, within = fold(transcript.stem), transcript.relative_to(project.transcripts).with_suffix("")
    found: list[tuple[tuple[bool, ...], Path]] = []
    for folder in folders:
        for path in [folder] if folder.is_file() else files_below(folder)[0]:
            named = fold(path.name) in names
            if is_audio(path) and (named or fold(path.stem) == stem):
                beside = path != folder and path.relative_to(folder).with_suffix("") == within
                found.append(((path.resolve() in linked, named, beside), path))
    if not found:
        raise U2UError(
            f"{transcript.name}: its recording is not in the project's folders: add its folder under Project"
        )
    return max(found, key=lambda one: one[0])[1]  # the first of equals


def _places(url: str, folder: Path) -> list[Path]:
    """Return where a media URL or path, relative to a folder, may lead: ELAN does not percent-encode, others do."""
    plain = re.sub(r"^file:/*(?:/(?=[A-Za-z]:)|(?=/))", "", url).replace("\\", "/")
    return [(folder / spelled).resolve() for spelled in dict.fromkeys((plain, unquote(plain))) if "\0" not in spelled]


def version_of(transcript: Path) -> str:
    """Return the SHA-256 of a transcript's bytes, by which a save knows that nobody else has changed it."""
    return hashlib.sha256(transcript.read_bytes()).hexdigest()


def _document(transcript: Path) -> AnnotationDocument:
    try:
        stat = transcript.stat()
    except OSError:
        return read_eaf(transcript)  # says why
    return _read_document(transcript, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(2)  # an hour takes a second
def _read_document(transcript: Path, _size: int, _changed: int) -> AnnotationDocument:
    return read_eaf(transcript)


def opened(project: Project, transcript: Path) -> dict[str, Any]:
    """Return what the editor opens, without the waveform: ``duration_ms``, ``channels``, ``segments``, …

    It has all channels that the file names, also those that the recording lacks.

    Raises:
        U2UError: the file or its recording cannot be read, or it has tiers that are of no one channel.
    """
    from u2u_hf.data.audio import audio_info  # not imported with the page, which it would make wait

    tiers = _document(transcript).tiers
    info = audio_info(str(sound_of(project, transcript)))
    named = _channels(tiers, transcript)
    return {
        "duration_ms": info.duration_ms,
        # What is not shown would be saved as nothing.
        "channels": max(info.channels, *(channel + 1 for channel in named)),
        "unsure_below": UNSURE_BELOW,
        "segments": [row for channel, tier in sorted(named.items()) for row in _segments(channel, tier, tiers)],
    }


def peaks_of(sound: Path, channels: int) -> list[bytes]:
    """Return the waveform of each channel of a recording, 0…255 in equal steps of time, a hundred a second at most.

    Args:
        channels: how many to return; those that the recording lacks are 0.

    Raises:
        U2UError: it cannot be read.
    """
    stat = sound.stat()
    found = _peaks(sound, stat.st_size, stat.st_mtime_ns)
    return [*found, *[bytes(len(found[0]))] * (channels - len(found))]


@functools.lru_cache(8)  # a megabyte for an hour
def _peaks(sound: Path, _size: int, _changed: int) -> list[bytes]:
    import numpy as np

    from u2u_hf.data.audio import audio_info, read_native

    info = audio_info(str(sound))
    points = max(1, min(_MOST_PEAKS, info.duration_ms * _PEAKS_PER_S // 1000, info.frames))
    borders = np.arange(points + 1) * info.frames // points
    peaks = np.zeros((info.channels, points), dtype=np.float32)
    for first in range(0, points, _BLOCK):
        last = min(points, first + _BLOCK)
        block = read_native(info, int(borders[first]), int(borders[last]))
        # A recording may end before its header says.
        block = np.pad(block, ((0, 0), (0, int(borders[last] - borders[first]) - block.shape[1])))
        starts = borders[first:last] - borders[first]
        found = np.maximum.reduceat(block, starts, axis=1), -np.minimum.reduceat(block, starts, axis=1)
        peaks[:, first:last] = np.maximum(*found)
    peaks *= 255 / max(float(peaks.max()), 1e-3)
    return [row.astype(np.uint8).tobytes() for row in peaks]


def save(transcript: Path, written: Sequence[Mapping[str, Any]], version: str, *, checked: bool = False) -> bool:
    """Write an editor's segments into the file, whose other bytes stay, and return whether anything changed.

    Args:
        written: what the editor's `written()` gives.
        version: `version_of` the file, before the editor opened it or after its last save.
        checked: a person has checked all of it: its tiers become training data.

    Raises:
        U2UError: a segment is invalid or on a channel without a tier, or the file cannot be changed or is of another
            version (`ChangedError`).
    """
    channels = _channel_names(transcript)
    segments: dict[str, list[Segment]] = {name: [] for name in channels.values()}
    try:
        for row in written:
            words = tuple(Word(str(w["text"]), int(w["start_ms"]), int(w["end_ms"]), 1.0) for w in row["words"])
            start_ms, end_ms = int(row["start_ms"]), int(row["end_ms"])
            segment = Segment(int(row["channel"]), start_ms, end_ms, str(row["text"]), words=words)
            if not 0 <= start_ms < end_ms:
                raise ValueError(f"{start_ms} to {end_ms} ms")
            if segment.channel not in channels:
                raise U2UError(f"{transcript.name}: channel {segment.channel + 1} has no tier: add it in ELAN")
            segments[channels[segment.channel]].append(segment)
    except (KeyError, TypeError, ValueError) as error:
        raise U2UError(f"{transcript.name}: the page sent an invalid segment ({error}): load the page again") from error
    types = dict.fromkeys(segments, CORRECTED_TYPE) if checked else {}
    try:
        changed = correct_tiers(transcript, segments, types, version=version)
    except U2UError as error:
        if version_of(transcript) != version:
            raise ChangedError(str(error)) from error
        raise
    _names[transcript] = version_of(transcript), channels
    return changed


_names: dict[Path, tuple[str, dict[int, str]]] = {}  # of a transcript saved last: its version, and names of tiers


def _channel_names(transcript: Path) -> dict[int, str]:
    """Return the name of each channel's tier. A save leaves them, and what it wrote is not read for them."""
    known, names = _names.get(transcript, ("", {}))
    if known != version_of(transcript):
        names = {channel: tier.name for channel, tier in _channels(_document(transcript).tiers, transcript).items()}
    return names


def keep_copy(project: Project, transcript: Path) -> Path:
    """Copy a transcript, as it is, to a free name in PROJECT/replaced, and return where.

    Raises:
        U2UError: it cannot be copied.
    """
    folder, number = project.folder / "replaced", 1
    while (copy := folder / f"{transcript.stem}-{number}{transcript.suffix}").exists():
        number += 1
    with replacing(copy) as temporary:
        shutil.copy2(transcript, temporary)
    return copy


def is_checked(transcript: Path) -> bool:
    """Return whether a person has marked tiers of a transcript as checked."""
    try:
        return _is_checked(transcript, transcript.stat().st_mtime_ns)
    except OSError:
        return False


@functools.lru_cache(10_000)
def _is_checked(transcript: Path, _changed: int) -> bool:
    try:
        return any(tier.linguistic_type == CORRECTED_TYPE for tier in read_eaf(transcript).tiers)
    except U2UError:
        return False


def is_edited(project: Project, transcript: Path) -> bool:
    """Return whether a person has changed a transcript since a recipe wrote it."""
    try:
        record = (project.transcripts / written_files.WRITTEN).stat().st_mtime_ns
        return _is_edited(project.transcripts, transcript, transcript.stat().st_mtime_ns, record)
    except OSError:
        return False


@functools.lru_cache(10_000)
def _is_edited(folder: Path, transcript: Path, _changed: int, _recorded: int) -> bool:
    return not written_files.wrote(folder, transcript)


def _channels(tiers: Sequence[Tier], transcript: Path) -> dict[int, Tier]:
    """Return the tiers that transcribe.py wrote for a channel each, by channel from 0."""
    found = {}
    for tier in tiers:
        named = re.fullmatch(r"channel ([1-9]\d{0,2})|transcript", tier.name)
        if named and not tier.parent and tier.linguistic_type in (SEGMENT_TYPE, CORRECTED_TYPE):
            found[int(named[1] or 1) - 1] = tier
    if not found:
        raise U2UError(f"{transcript.name}: has no tier that transcribe.py names by a channel: correct it in ELAN")
    return found


def _segments(channel: int, tier: Tier, tiers: Sequence[Tier]) -> list[dict[str, Any]]:
    children = {child.linguistic_type: child.annotations for child in tiers if child.parent == tier.name}
    unsure = {(a.start_ms, a.end_ms): a.value for a in children.get(UNSURE_TYPE, ())}
    words = sorted(children.get(WORD_TYPE, ()), key=lambda word: word.start_ms)
    starts = [word.start_ms for word in words]
    found = []
    for a in tier.annotations:
        inside = words[bisect.bisect_left(starts, a.start_ms) : bisect.bisect_right(starts, a.end_ms)]
        found.append(
            {
                "channel": channel,
                "start_ms": a.start_ms,
                "end_ms": a.end_ms,
                "text": a.value,
                "confidence": _share(unsure.get((a.start_ms, a.end_ms), "")),
                "words": [
                    {"text": w.value, "start_ms": w.start_ms, "end_ms": w.end_ms, "confidence": 1.0}
                    for w in inside
                    if w.end_ms <= a.end_ms
                ],
            }
        )
    return found


def _share(percent: str) -> float:
    """Return a confidence of what transcribe.py wrote for an unsure segment, ``42%``; 1 where it is sure."""
    found = re.match(r"\d+", percent)
    return min(1.0, int(found[0]) / 100) if found else 1.0
