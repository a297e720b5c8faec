"""The transcripts of a project, as an editor opens and saves them."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from u2u_hf import output_folder
from u2u_hf.corpus.folder import files_below, is_audio
from u2u_hf.corpus.pairing import fold, media_names
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.eaf_segments import correct_tiers
from u2u_hf.formats.writers import UNSURE_BELOW
from u2u_hf.project.folder import Project
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, UNSURE_TYPE, WORD_TYPE, Segment, Tier, U2UError, Word

_PEAKS_PER_S, _MOST_PEAKS = 100, 360_000


def all_of(project: Project) -> list[Path]:
    """Return the ELAN files in the project's folder of transcripts, in order of name."""
    return sorted(project.transcripts.rglob("*.eaf"))


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
    urls = [url for media in read_eaf(transcript).media for url in media.urls]
    linked = {path for url in urls for path in _places(url, transcript.parent)}
    names = {fold(name) for url in urls for name in media_names(url)}
    stem, within = fold(transcript.stem), transcript.relative_to(project.transcripts).with_suffix("")
    found: list[tuple[tuple[bool, ...], Path]] = []
    for folder in dict.fromkeys([*project.recordings, project.corpus]):
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


def opened(project: Project, transcript: Path) -> dict[str, Any]:
    """Return what the editor opens: ``duration_ms``, ``channels``, ``segments``, ``unsure_below``, ``peaks``.

    It has all channels that the file names, also those that the recording lacks, whose peaks are 0.

    Raises:
        U2UError: the file or its recording cannot be read, or it has tiers that are of no one channel.
    """
    import numpy as np  # not imported with the page, which it would make wait

    from u2u_hf.data.audio import audio_info, blocks

    tiers = read_eaf(transcript).tiers
    info = audio_info(str(sound_of(project, transcript)))
    named = _channels(tiers, transcript)
    channels = max(info.channels, *(channel + 1 for channel in named))  # what is not shown would be saved as nothing
    points = max(1, min(_MOST_PEAKS, info.duration_ms * _PEAKS_PER_S // 1000))
    peaks = np.zeros((channels, points), dtype=np.float32)
    for start_ms, block in blocks(info):
        at = ((start_ms + np.arange(block.shape[1]) / 16) * points / max(1, info.duration_ms)).astype(int)
        first = np.flatnonzero(np.diff(at, prepend=-1))
        loudest = np.maximum.reduceat(np.abs(block), first, axis=1)
        np.maximum.at(peaks[: info.channels], (slice(None), np.minimum(at[first], points - 1)), loudest)
    peaks /= max(float(peaks.max()), 1e-3)
    segments = [row for channel, tier in sorted(named.items()) for row in _segments(channel, tier, tiers)]
    return {
        "duration_ms": info.duration_ms,
        "channels": channels,
        "unsure_below": UNSURE_BELOW,
        "segments": segments,
        "peaks": (peaks * 255).astype(int).tolist(),
    }


def save(transcript: Path, written: Sequence[Mapping[str, Any]], version: str, *, checked: bool = False) -> bool:
    """Write an editor's segments into the file, whose other bytes stay, and return whether anything changed.

    Args:
        written: what the editor's `written()` gives.
        version: `version_of` the file, before the editor opened it or after its last save.
        checked: a person has checked all of it: its tiers become training data.

    Raises:
        U2UError: a segment is invalid or on a channel without a tier, or the file cannot be changed or is of another
            version.
    """
    tiers = read_eaf(transcript).tiers
    channels = _channels(tiers, transcript)
    segments: dict[str, list[Segment]] = {tier.name: [] for tier in channels.values()}
    try:
        for row in written:
            words = tuple(Word(str(w["text"]), int(w["start_ms"]), int(w["end_ms"]), 1.0) for w in row["words"])
            start_ms, end_ms = int(row["start_ms"]), int(row["end_ms"])
            segment = Segment(int(row["channel"]), start_ms, end_ms, str(row["text"]), words=words)
            if not 0 <= start_ms < end_ms:
                raise ValueError(f"{start_ms} to {end_ms} ms")
            if segment.channel not in channels:
                raise U2UError(f"{transcript.name}: channel {segment.channel + 1} has no tier: add it in ELAN")
            segments[channels[segment.channel].name].append(segment)
    except (KeyError, TypeError, ValueError) as error:
        raise U2UError(f"{transcript.name}: the page sent an invalid segment ({error}): load the page again") from error
    types = dict.fromkeys(segments, CORRECTED_TYPE) if checked else {}
    return correct_tiers(transcript, segments, types, version=version)


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
        record = (project.transcripts / output_folder.WRITTEN).stat().st_mtime_ns
        return _is_edited(project.transcripts, transcript, transcript.stat().st_mtime_ns, record)
    except OSError:
        return False


@functools.lru_cache(10_000)
def _is_edited(folder: Path, transcript: Path, _changed: int, _recorded: int) -> bool:
    return not output_folder.wrote(folder, transcript)


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
    words = children.get(WORD_TYPE, ())
    return [
        {
            "channel": channel,
            "start_ms": a.start_ms,
            "end_ms": a.end_ms,
            "text": a.value,
            "confidence": _share(unsure.get((a.start_ms, a.end_ms), "")),
            "words": [
                {"text": w.value, "start_ms": w.start_ms, "end_ms": w.end_ms, "confidence": 1.0}
                for w in words
                if a.start_ms <= w.start_ms and w.end_ms <= a.end_ms
            ],
        }
        for a in tier.annotations
    ]


def _share(percent: str) -> float:
    """Return a confidence of what transcribe.py wrote for an unsure segment, ``42%``; 1 where it is sure."""
    found = re.match(r"\d+", percent)
    return min(1.0, int(found[0]) / 100) if found else 1.0
