"""What the headers of WAV, W64, FLAC, MP3 and Ogg files do not tell: their true length.

The header of a WAV is wrong where it was written before the end, never (0), or above 4 GB (modulo 2^32). RF64 and W64
are WAV with lengths of 64 bits: RF64 in a chunk ``ds64`` of its own, W64 in every chunk, whose names are GUIDs.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# Integers, floating point, A-law, mu-law, any of them: what has a fixed number of bytes a sample.
_CODES = (1, 3, 6, 7, 0xFFFE)
_ID = re.compile(rb"[A-Za-z0-9 _\-]{4}")
_IN_DS64 = 0xFFFFFFFF
_NEXT_FLAC = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # a header begins with a block of 34 bytes
_TELLING_MP3 = re.compile(rb"Xing|Info|VBRI")


@dataclass(frozen=True)
class Data:
    """The samples of a file: from byte `offset`, `frames` per channel."""

    offset: int
    frames: int


@dataclass(frozen=True)
class _Chunk:
    """A chunk: its name of 4 bytes, and its content [begin, begin + length)."""

    name: bytes
    begin: int
    length: int


@dataclass(frozen=True)
class _Form:
    """How a file of chunks is laid out: the size of its own header, and what each chunk begins with.

    Attributes:
        counts_head: a chunk's length counts its name and length too.
        align: chunks begin at multiples of this many bytes.
    """

    header: int
    head: struct.Struct
    counts_head: bool
    align: int

    def chunks(self, file: io.BufferedReader) -> Iterator[_Chunk]:
        at = self.header
        while True:
            file.seek(at)
            if len(head := file.read(self.head.size)) < self.head.size:
                return
            name, length = self.head.unpack(head)
            chunk = _Chunk(name[:4], at + len(head), max(0, length - self.counts_head * len(head)))
            yield chunk
            at = chunk.begin + chunk.length
            at += -at % self.align

    def are_chunks(self, file: io.BufferedReader, at: int, size: int) -> bool:
        """Tell whether only whole chunks lie between byte `at` and the file's end, but for a few bytes of padding."""
        later = _Form(at + -at % self.align, self.head, self.counts_head, self.align).chunks(file)
        return all(_ID.fullmatch(chunk.name) and chunk.begin + chunk.length <= size for chunk in later)


_WAV, _W64 = _Form(12, struct.Struct("<4sI"), False, 2), _Form(40, struct.Struct("<16sQ"), True, 8)


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
    """Return the samples of a WAV, RF64 or W64 file that go on to the file's end though its header says otherwise.

    None where the header is right: what follows the samples is a row of chunks, or nothing.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = file.read(40)
        if not re.match(rb"(RIFF|RF64).{4}WAVE|riff\x2e\x91\xcf\x11.{16}wave\xf3\xac", start, re.DOTALL):
            return None
        form = _W64 if start.startswith(b"riff") else _WAV
        block = long = 0
        for chunk in form.chunks(file):
            file.seek(chunk.begin)
            if chunk.name == b"ds64":
                long = int.from_bytes(file.read(16)[8:], "little")  # after the length of the whole file
            elif chunk.name == b"fmt ":
                block = _block_size(file.read(16))
            elif chunk.name == b"data":
                length = long if chunk.length == _IN_DS64 and start.startswith(b"RF64") else chunk.length
                end = chunk.begin + length
                if not block or end >= size or form.are_chunks(file, end, size):
                    return None
                return Data(chunk.begin, (size - chunk.begin) // block)
    return None


def _block_size(fields: bytes) -> int:
    """Return the bytes of one sample of all channels from the content of ``fmt ``, or 0 if that is not fixed."""
    if len(fields) < 16:
        return 0
    code, _, _, _, block, _ = struct.unpack("<HHIIHH", fields)
    return block if code in _CODES else 0


def is_joined_flac(path: str) -> bool:
    """Tell whether a FLAC file has another one behind it. The file is read to its end: no field of it leads there."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return bool(_NEXT_FLAC.search(content, 1))


def mp3_tells_length(path: str) -> bool:
    """Tell whether the first packet of an MP3 file is a header, with the number of packets."""
    with open(path, "rb") as file:
        while (tag := file.read(10)).startswith(b"ID3") and len(tag) == 10:
            high, second, third, low = tag[6:]
            file.seek(high << 21 | second << 14 | third << 7 | low, os.SEEK_CUR)
        return bool(_TELLING_MP3.search(tag + file.read(4096)))


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
