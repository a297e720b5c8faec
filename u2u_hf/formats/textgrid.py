"""Praat TextGrids: read by Praat's own rules, written through pympi.

Praat reads a text file as a stream of numbers, quoted strings and ``<flags>``; all else is comment, and line
breaks mean nothing (manual page "TextGrid file formats"). pympi 1.71 goes by lines instead, and its searches
for numbers take 1e-05 for 5 and drop signs; no preparing of its input mends that short of parsing it, and in
binary files it stops at characters from U+8000 on. So reading is done here, for both forms by one walk.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from pympi.Praat import TextGrid

from u2u_hf.files import replacing
from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError

# A token reaches to the next white space; one without a named group is a comment.
_TOKEN = re.compile(
    r'"(?P<string>[^"]*(?:""[^"]*)*)"(?!\S)|(?P<quote>")|!.*|'
    r"(?P<flag><(?:exists|absent)>)(?!\S)|(?P<number>[-+0-9]\S*)|\S+"
)
_HEAD = re.compile(r'[^"]*"ooTextFile(?: short)?"(?!\S)')
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_BINARY = b"ooBinaryFile"
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_MOST_SECONDS = 1e9  # times beyond it, infinity and NaN are damage


def read_textgrid(path: str | os.PathLike[str]) -> AnnotationDocument:
    """Read a TextGrid: long text, short text or binary; text in UTF-8, UTF-16 with its mark, or Latin-1.

    Intervals with text become annotations; those without are Praat's way of writing silence, and are left
    out. A point becomes an annotation that ends where it starts. Of tiers with the same name, which Praat
    allows, the second is called ``name (2)``. A TextGrid does not say which recording it belongs to.

    Raises:
        U2UError: not readable, not a TextGrid, or a damaged one.
    """
    data = read_bytes(path)
    source = _Binary(data) if data.startswith(_BINARY) else _Text(decode(data, path))
    try:
        source.header()
        tiers = tuple(_named_apart(_tiers(source)))
    except _Damage as damage:
        raise U2UError(f"{path}: {source.where()}: {damage}: mend it, or open and save it in Praat") from damage
    return AnnotationDocument(path=str(path), media=(), tiers=tiers)


class _Damage(Exception):
    """What is wrong, for a message that says where."""


def _tiers(source: _Text | _Binary) -> Iterator[Tier]:
    source.time(), source.time()
    for _ in range(source.count() if source.exists() else 0):
        kind, name = source.word(), source.string()
        if kind not in ("IntervalTier", "TextTier"):
            raise _Damage(f"{_short(kind)} is not a kind of tier")
        source.time(), source.time()
        annotations = []
        for _ in range(source.count()):
            start = source.time()
            end = source.time() if kind == "IntervalTier" else start
            text = source.string()
            if end < start:
                raise _Damage(f"tier {_short(name)}: an interval starts at {start / 1000} s and ends before it")
            if text.strip() or kind == "TextTier":
                annotations.append(Annotation(start, end, text))
        yield Tier(name, tuple(sorted(annotations, key=lambda a: (a.start_ms, a.end_ms))))


def _named_apart(tiers: Iterator[Tier]) -> Iterator[Tier]:
    seen: set[str] = set()
    for tier in tiers:
        name, number = tier.name, 1
        while name in seen:
            number += 1
            name = f"{tier.name} ({number})"
        seen.add(name)
        yield Tier(name, tier.annotations)


def _ms(seconds: float) -> int:
    if not abs(seconds) < _MOST_SECONDS:
        raise _Damage(f"{seconds} is not a time")
    return round(seconds * 1000)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


class _Text:
    """The numbers, strings and flags of a text file, one after the other."""

    def __init__(self, text: str):
        self._text, self._at = text, 0

    def where(self) -> str:
        line = self._text.count("\n", 0, self._at) + 1
        return f"line {line}"

    def header(self) -> None:
        if not (head := _HEAD.match(self._text)):
            raise _Damage("is not a TextGrid saved as text file")
        self._tokens = _TOKEN.finditer(self._text, head.end())
        if (held := self.string()) != "TextGrid":
            raise _Damage(f"holds a {_short(held)}, not a TextGrid")

    def _next(self, kind: str, what: str) -> str:
        for token in self._tokens:
            if token.lastgroup:
                self._at = token.start()
                if token.lastgroup == kind:
                    return token[kind]
                if token.lastgroup == "quote":
                    raise _Damage('a text in quotes has no end; quotes inside it are to be doubled ("")')
                raise _Damage(f"here should be {what}, and there is {_short(token[0])}")
        self._at = len(self._text.rstrip())
        raise _Damage(f"the file ends where {what} should be")

    def _number(self, what: str) -> float:
        number = self._next("number", what)
        if not _NUMBER.fullmatch(number):
            raise _Damage(f"here should be {what}, and there is {_short(number)}")
        return float(number)

    def time(self) -> int:
        return _ms(self._number("a time in seconds"))

    def count(self) -> int:
        number = self._number("a count")
        if number < 0 or number % 1:
            raise _Damage(f"{number} is not a count")
        return int(number)

    def string(self) -> str:
        return self._next("string", "a text in quotes").replace('""', '"')

    word = string

    def exists(self) -> bool:
        return self._next("flag", "<exists>") == "<exists>"


class _Binary:
    """The same of a binary file; integers and floats are big-endian."""

    def __init__(self, data: bytes):
        self._data, self._at = data, len(_BINARY)

    def where(self) -> str:
        return f"byte {self._at}"

    def header(self) -> None:
        if (held := self.word()) != "TextGrid":
            raise _Damage(f"holds a {_short(held)}, not a TextGrid")

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise _Damage("the file ends too early")
        self._at += size
        return taken

    def _unpack(self, form: str) -> float:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def time(self) -> int:
        return _ms(self._unpack(">d"))

    def count(self) -> int:
        if (number := self._unpack(">i")) < 0:
            raise _Damage(f"{number} is not a count")
        return number

    def word(self) -> str:
        return self._take(self._unpack(">B")).decode("latin-1")

    def string(self) -> str:
        if (length := self._unpack(">H")) != 0xFFFF:
            return self._take(length).decode("latin-1")
        # UTF-16, its length in characters: one beyond U+FFFF counts once and takes two units.
        units = bytearray()
        for _ in range(self._unpack(">H")):
            units += self._take(2)
            if units[-2] >> 2 == 0xD8 >> 2:
                units += self._take(2)
        try:
            return units.decode("utf-16-be")
        except UnicodeDecodeError as error:
            raise _Damage("a text is not UTF-16") from error

    def exists(self) -> bool:
        return self._take(1) != b"\0"


def write_textgrid(path: Path, tiers: Sequence[Tier], duration_ms: int) -> None:
    """Write interval tiers in Praat's long text format, UTF-8; gaps become empty intervals.

    The TextGrid is as long as the recording, or up to its last annotation if that ends later. Praat makes no
    TextGrid without tiers, so without any an empty one is written.

    Raises:
        ValueError: annotations of a tier are out of order, overlap, start before 0 or have no length.
        U2UError: the file cannot be written.
    """
    for tier in tiers:
        end = 0
        for annotation in tier.annotations:
            if not end <= annotation.start_ms < annotation.end_ms:
                raise ValueError(f"tier {tier.name!r}: {annotation} overlaps the one before or has no length")
            end = annotation.end_ms
    last = max((a.end_ms for tier in tiers for a in tier.annotations), default=1)
    grid = TextGrid(xmax=max(duration_ms, last) / 1000)
    for tier in tiers or [Tier("transcript", ())]:
        intervals = grid.add_tier(_writable(tier.name).replace('"', '""'))  # pympi doubles quotes only in labels
        for a in tier.annotations:
            # Unchecked: pympi's own check takes a time that grows with the square of their number.
            intervals.add_interval(a.start_ms / 1000, a.end_ms / 1000, _writable(a.value), check=False)
    with replacing(Path(path)) as temporary:
        grid.to_file(str(temporary), codec="utf-8")


def _writable(text: str) -> str:
    """`text` with what UTF-8 cannot hold and what Praat takes for the end of the file marked by U+FFFD."""
    return _UNWRITABLE.sub("\ufffd", text)
