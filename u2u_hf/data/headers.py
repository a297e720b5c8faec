"""What the headers of WAV and Ogg files do not tell: their true length.

A WAV header is wrong where it was written before the end, never (0), or above 4 GB (modulo 2^32).
"""

from __future__ import annotations

import io
import os
import re
import struct
from dataclasses import dataclass

# Integers, floating point, A-law, mu-law, any of them: what has a fixed number of bytes a sample.
_CODES = (1, 3, 6, 7, 0xFFFE)
_ID = re.compile(rb"[A-Za-z0-9 _\-]{4}")


@dataclass(frozen=True)
class Data:
    """The samples of a file: from byte `offset`, `frames` per channel."""

    offset: int
    frames: int


class FileFrom(io.FileIO):
    """A file that seems to begin at a byte of another one."""

    def __init__(self, path: str, offset: int):
        super().__init__(path)
        self.offset = offset
        super().seek(offset)

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        return super().seek(position + self.offset if whence == os.SEEK_SET else position, whence) - self.offset

    def tell(self) -> int:
        return super().tell() - self.offset


def data_to_the_end(path: str) -> Data | None:
    """Return the samples of a WAV file that go on to the file's end though its header tells a shorter length.

    None where the header is right: what follows the samples is a row of chunks, or nothing.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if not re.match(rb"RIFF.{4}WAVE", file.read(12), re.DOTALL):
            return None
        block = 0
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            begin = file.tell()
            if name == b"fmt ":
                fields = file.read(16)
                if len(fields) < 16:
                    return None
                code, _, _, _, block, _ = struct.unpack("<HHIIHH", fields)
                if code not in _CODES or not block:
                    return None
            elif name == b"data":
                if not block or begin + length >= size or _are_chunks(file, begin + length, size):
                    return None
                return Data(begin, (size - begin) // block)
            file.seek(begin + length + length % 2)
    return None


def _are_chunks(file: io.BufferedReader, at: int, size: int) -> bool:
    """Tell whether only whole chunks lie between byte `at` and the file's end, but for a few bytes of padding."""
    at += at % 2
    while size - at >= 8:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if not _ID.fullmatch(name) or at + 8 + length > size:
            return False
        at += 8 + length + length % 2
    return True


def is_chained(path: str) -> bool:
    """Tell whether an Ogg file is several that were joined: a stream begins after others have gone on."""
    begun = False
    with open(path, "rb") as file:
        while (page := file.read(27)).startswith(b"OggS") and len(page) == 27:
            begins = bool(page[5] & 2)
            if begins and begun:
                return True
            begun = begun or not begins
            file.seek(sum(file.read(page[26])), os.SEEK_CUR)
    return False
