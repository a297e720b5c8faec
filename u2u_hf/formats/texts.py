"""The registry of formats of texts without a recording, for a language model: documents, interlinear texts, word lists.

A new format needs a module with a function that reads a file, and one line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.formats.delimited import read_columns
from u2u_hf.formats.docx import read_docx
from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.formats.flextext import read_flextext
from u2u_hf.formats.toolbox import is_toolbox, read_toolbox
from u2u_hf.records import U2UError

# Name of a part → its lines. What may be of another language is a part of its own: a column, a marker.
Parts = Mapping[str, list[str]]


@dataclass(frozen=True)
class Reader:
    """A format of texts.

    Attributes:
        name: what people call it.
        suffixes: of its files, in lower case.
        read: a file → its parts. Raises U2UError if it cannot be read.
        is_one: whether a file with one of the suffixes is of this format, where others share the suffix.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Parts]
    is_one: Callable[[Path], bool] = lambda path: True


def read_plain(path: Path) -> Parts:
    """Return the lines of a text file, which may also be a list with a word on each line.

    Raises:
        U2UError: the file cannot be read or is no text.
    """
    return {"": decode(read_bytes(path), path).split("\n")}


# The first one that a file belongs to reads it.
READERS = (
    Reader("FLEx", (".flextext",), read_flextext),
    Reader("Word", (".docx",), read_docx),
    Reader("Toolbox", (".txt", ".sfm", ".db", ".sht", ".itx"), read_toolbox, is_toolbox),
    Reader("plain text", (".txt",), read_plain),
    Reader("word list", (".csv", ".tsv"), read_columns),
)


def read_texts(path: Path) -> Parts:
    """Return the parts of a file of texts.

    Raises:
        U2UError: it is of no known format, or cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in suffixes():
        raise U2UError(f"{path}: is not a kind of text that is read ({', '.join(suffixes())}): save it as one of these")
    reader = next((reader for reader in READERS if suffix in reader.suffixes and reader.is_one(path)), None)
    if reader is None:
        raise U2UError(f"{path}: has no Toolbox markers (\\tx …): save it as plain text (.txt)")
    return reader.read(path)


def suffixes() -> list[str]:
    """Return the suffixes of all files of texts, in lower case."""
    return list(dict.fromkeys(suffix for reader in READERS for suffix in reader.suffixes))
