"""The registry of annotation formats that can be read.

A new format needs a module with a function that reads a file, and one line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from u2u_hf.formats.delimited import is_metadata, is_table, read_metadata, read_table
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.textgrid import read_textgrid
from u2u_hf.records import AnnotationDocument, U2UError

LengthMs = Callable[[Path], int]
# The documents in a file, and an error for each part of it that cannot be used.
Documents = tuple[list[AnnotationDocument], list[U2UError]]
Read = Callable[[Path, LengthMs], Documents]


@dataclass(frozen=True)
class Reader:
    """An annotation format.

    Attributes:
        name: what cards call it, before the suffix.
        suffixes: of its files, as they are usually spelled; case does not matter.
        read: file, and a function that returns an audio file's length in ms → the documents in the file. Raises
            U2UError if the whole file cannot be used.
        is_one: whether a file with one of the suffixes is of this format, where others share the suffix.
        many_recordings: one file annotates many recordings, and each is named by its audio file too.
        needs_length: `read` calls its function for the lengths of audio files.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Read
    is_one: Callable[[Path], bool] = lambda path: True
    many_recordings: bool = False
    needs_length: bool = False

    def spelled(self, path: Path) -> str | None:
        """Return the suffix of `path` as it is usually spelled, or None if it is not one of this format's."""
        return next((suffix for suffix in self.suffixes if suffix.lower() == path.suffix.lower()), None)

    def recording_name(self, document: AnnotationDocument, corpus: Path) -> str:
        """Return the name of the document's recording: the path of the annotation file in `corpus`, without suffix.

        A file with many recordings is a folder of them: ``table/one/c`` is one/c.wav in table.csv.
        """
        name = Path(document.path).relative_to(corpus).with_suffix("").as_posix()
        if not self.many_recordings:
            return name
        audio = PurePosixPath(document.media[0].urls[0].replace("\\", "/"))
        return f"{name}/{audio.with_suffix('')}"


def _whole(read: Callable[[Path], AnnotationDocument]) -> Read:
    return lambda path, length_ms: ([read(path)], [])


ELAN = Reader("ELAN", (".eaf",), _whole(read_eaf))
# The first one that a file belongs to reads it: metadata.csv is not looked at as a table.
READERS = [
    ELAN,
    Reader("Praat", (".TextGrid",), _whole(read_textgrid)),
    Reader("table", (".csv", ".jsonl"), read_metadata, is_metadata, many_recordings=True, needs_length=True),
    Reader("table", (".csv", ".tsv"), lambda path, _: (read_table(path), []), is_table, many_recordings=True),
]


def reader_of(path: Path) -> Reader | None:
    """Return the reader of an annotation file, or None for a file of another kind."""
    return next((reader for reader in READERS if reader.spelled(path) and reader.is_one(path)), None)


def suffixes() -> list[str]:
    """Return the suffixes of all annotation files, as they are usually spelled."""
    return list(dict.fromkeys(suffix for reader in READERS for suffix in reader.suffixes))


def label(path: Path) -> str:
    """Return the name of an annotation file's format, such as ``ELAN (.eaf)``, without opening the file."""
    labels = (f"{reader.name} ({spelled})" for reader in READERS if (spelled := reader.spelled(path)))
    return next(labels, path.suffix.lower())
