"""A folder of annotation files and recordings → documents with their audio → utterances."""

from __future__ import annotations

import itertools
import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from u2u_hf.corpus.folder import files_below, is_audio
from u2u_hf.corpus.pairing import index_audio, linked_audio, same_name, speaker_tracks
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.time_domain import domain_origin_ms
from u2u_hf.formats import readers
from u2u_hf.formats.readers import LengthMs, Reader
from u2u_hf.records import AnnotationDocument, Skipped, Tier, U2UError, Utterance


@dataclass(frozen=True)
class SoundFile:
    """An audio file of a recording; add `origin_ms` to a time in the annotations to get the time in the audio."""

    audio: str
    origin_ms: int = 0


@dataclass(frozen=True)
class Recording:
    """One recording with its annotations.

    Attributes:
        name: the annotation file's path in the corpus, without its extension, with forward slashes; with it, if
            another file has the same name.
        origin_ms: add it to a time in the annotations to get the time in the audio.
        tracks: (tier, the audio file of its speaker alone), if each speaker has one.
        others: audio files that belong to the recording too and are not used: the camera's, say.
    """

    name: str
    document: AnnotationDocument
    audio: str
    origin_ms: int = 0
    tracks: tuple[tuple[str, SoundFile], ...] = ()
    others: tuple[str, ...] = ()

    def sound_of(self, tier: str) -> SoundFile:
        """Return the audio file that records a tier's speaker."""
        return self._track_of.get(tier) or SoundFile(self.audio, self.origin_ms)

    @cached_property
    def _track_of(self) -> dict[str, SoundFile]:
        return dict(self.tracks)

    @property
    def all_audio(self) -> set[str]:
        """Return every audio file that belongs to the recording."""
        return {self.audio, *self.others, *(track.audio for _, track in self.tracks)}


def read_corpus(
    corpus: str | os.PathLike[str],
    length_ms: LengthMs | None = None,
    also: Iterable[str | os.PathLike[str]] = (),
) -> tuple[list[Recording], list[Skipped]]:
    """Read every annotation file under `corpus` and find its audio there.

    Annotation files are those of `u2u_hf.formats.readers`.

    Args:
        length_ms: audio file → its length in ms. Without it, formats that need it are not read: the metadata of
            audio folders.
        also: more files, and folders that are read as if they lay in `corpus`.

    Returns:
        recordings in order of name, and the files that could not be used, with the reason.

    Raises:
        U2UError: there is no such folder, no annotation file in it, or none that can be used.
    """
    corpus = Path(corpus)
    if not corpus.is_dir():
        raise U2UError(f"{corpus}: there is no such folder: --corpus names the folder with annotation files and audio")
    files, skipped = files_below(corpus)
    folder_of = dict.fromkeys(files, corpus)
    for path in map(Path, also):
        found, unusable = _also(path)
        folder_of |= {file: path if path.is_dir() else path.parent for file in found if file not in folder_of}
        skipped += unusable
    files = list(folder_of)
    annotation_files = _annotation_files(files, length_ms is not None)
    if not annotation_files:
        kinds = ", ".join(readers.suffixes())
        raise U2UError(f"{corpus}: no annotation file ({kinds}) in this folder or below it: choose another")
    audio = index_audio(path for path in files if is_audio(path))
    recordings: dict[str, Recording] = {}
    for path, reader in annotation_files.items():
        documents, problems = _documents(path, reader, length_ms or _no_length)
        for document in documents:
            try:
                name = reader.recording_name(document, folder_of[path])
                recording = _recording(document, name, recordings, audio, length_ms)
                recordings[recording.name] = recording
            except U2UError as error:
                problems.append(error)
        skipped += [Skipped(str(path), str(problem).removeprefix(f"{path}: ")) for problem in problems]
    if not recordings:
        raise _nothing_usable(corpus, annotation_files, skipped)
    return [recordings[name] for name in sorted(recordings)], skipped


def _also(path: Path) -> tuple[list[Path], list[Skipped]]:
    if path.is_dir():
        return files_below(path)
    if path.is_file():
        return [path], []
    raise U2UError(f"{path}: there is no such file or folder: --also names more of the corpus")


def _annotation_files(files: Iterable[Path], with_lengths: bool) -> dict[Path, Reader]:
    found = ((path, readers.reader_of(path)) for path in files)
    usable = [(path, reader) for path, reader in found if reader and (with_lengths or not reader.needs_length)]
    # Of two files of one name, the first keeps it: that of the first format in the registry.
    return dict(sorted(usable, key=lambda item: readers.READERS.index(item[1])))


def _no_length(path: Path) -> int:
    raise AssertionError("readers that need the length of audio are not called without it")


def _documents(path: Path, reader: Reader, length_ms: LengthMs) -> readers.Documents:
    try:
        return reader.read(path, length_ms)
    except U2UError as error:
        return [], [error]


def _recording(
    document: AnnotationDocument,
    name: str,
    others: Mapping[str, Recording],
    audio: Mapping[str, list[Path]],
    length_ms: LengthMs | None,
) -> Recording:
    linked = linked_audio(document, audio)
    tracks = speaker_tracks(document.tiers, linked)
    used = {linked[0].path, *(track.path for track in tracks.values())}
    more = [path for path in (*(one.path for one in linked), *same_name(linked, audio)) if path not in used]
    return Recording(
        name=_free_name(name, Path(document.path).suffix, others),
        document=document,
        audio=str(linked[0].path),
        origin_ms=linked[0].origin_ms + domain_origin_ms(document.domain_ms, linked[0].path, length_ms),
        tracks=tuple((tier, SoundFile(str(track.path), track.origin_ms)) for tier, track in tracks.items()),
        others=tuple(dict.fromkeys(map(str, more))),
    )


def _free_name(name: str, suffix: str, taken: Container[str]) -> str:
    numbered = (f"{name}{suffix} ({number})" for number in itertools.count(2))
    return next(free for free in itertools.chain((name, f"{name}{suffix}"), numbered) if free not in taken)


def _nothing_usable(corpus: Path, annotation_files: Iterable[Path], skipped: Iterable[Skipped]) -> U2UError:
    names = list(map(str, annotation_files))
    first = next(s for s in skipped if s.where in names)
    count = f"{len(names)} annotation file{'s' if len(names) > 1 else ''}"
    return U2UError(f"{corpus}: of {count} not one can be used; the first, {first.where}: {first.reason}")


def utterances(recordings: Iterable[Recording], tiers: dict[str, list[Tier]], rules: TextRules) -> list[Utterance]:
    """Return an utterance for each annotation of the chosen tiers, in the time of the audio; the channel is unknown."""
    annotated = [
        (recording, tier, annotation)
        for recording in recordings
        for tier in tiers.get(recording.name, [])
        for annotation in tier.annotations
    ]
    texts = rules.of_corpus([annotation.value for *_, annotation in annotated])
    return [
        Utterance(
            recording=recording.name,
            audio=sound.audio,
            tier=tier.name,
            speaker=tier.participant or tier.name,
            channel=None,
            start_ms=annotation.start_ms + sound.origin_ms,
            end_ms=annotation.end_ms + sound.origin_ms,
            raw_text=annotation.value,
            text=text,
        )
        for (recording, tier, annotation), text in zip(annotated, texts, strict=True)
        for sound in [recording.sound_of(tier.name)]
    ]
