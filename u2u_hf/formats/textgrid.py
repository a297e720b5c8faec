"""Praat TextGrids: read by Praat's own rules, written with pympi.

Praat reads a text file as a sequence of numbers, quoted strings and ``<flags>``; everything else is a comment, and line
breaks have no meaning (manual page "TextGrid file formats"). pympi 1.71 reads line by line, takes 1e-05 for 5, drops
signs, and in binary files stops at characters from U+8000 on. Only a parser of the whole file would correct that,
therefore reading is done here, with the same steps for text and binary files.
"""

from __future__ import annotations

import itertools
import os
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pympi.Praat import TextGrid

from u2u_hf.files import replacing
from u2u_hf.formats import praat_symbols
from u2u_hf.formats.encodings import decode, read_bytes
from u2u_hf.formats.machine_tiers import with_machine_types
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError, trimmed

# A token ends at the next white space; a token without a named group is a comment.
_TOKEN = re.compile(
    r'"(?P<string>[^"]*(?:""[^"]*)*)"(?!\S)|(?P<quote>")|!.*|'
    r"(?P<flag><(?:exists|absent)>)(?!\S)|(?P<number>[-+0-9]\S*)|\S+"
)
_HEAD = re.compile(r'[^"]*"ooTextFile(?: short)?"(?!\S)')
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_KINDS = ("IntervalTier", "TextTier")
_BINARY = b"ooBinaryFile"
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_MOST_SECONDS = 1e9  # a longer time, infinity or NaN is damage


def read_textgrid(path: str | os.PathLike[str]) -> AnnotationDocument:
    """Read a TextGrid: long text, short text or binary; text in UTF-8, UTF-16 with a byte order mark, or Latin-1.

    Intervals with text become annotations; intervals without are silence and are dropped. A point becomes an annotation
    of no length. If two tiers have the same name, which Praat allows, the second is called ``name (2)``. A TextGrid
    does not name its recording, so `media` is empty. Texts are as Praat shows them: its backslash symbols (``\\ng``)
    are a way to write characters in a file, see `praat_symbols`. Tiers have no linguistic type, except those that the
    recogniser wrote and nobody corrected yet, see `machine_tiers`.

    In a text file, what follows the counted intervals and tiers is read too: a count that is too small, as scripts and
    people leave it, loses nothing. A count that is too large is damage.

    Raises:
        U2UError: the file cannot be read, is not a TextGrid, or is damaged.
    """
    data = read_bytes(path)
    source = _Binary(data) if data.startswith(_BINARY) else _Text(decode(data, path))
    try:
        source.header()
        domain_ms = source.time(), source.time()
        tiers = tuple(with_machine_types(_named_apart(_tiers(source))))
    except _Damage as damage:
        raise U2UError(f"{path}: {source.where()}: {damage}: fix it, or open and save it in Praat") from damage
    return AnnotationDocument(path=str(path), media=(), tiers=tiers, domain_ms=domain_ms)


class _Damage(Exception):
    """What is wrong; the message does not say where."""


def _tiers(source: _Text | _Binary) -> Iterator[Tier]:
    if not source.exists():
        return
    for _ in _counted(source.count(), source.tier_follows):
        kind, name = source.word(), source.string()
        if kind not in _KINDS:
            raise _Damage(f"{trimmed(kind)} is not a kind of tier")
        source.time(), source.time()
        annotations = []
        for _ in _counted(source.count(), source.number_follows):
            start = source.time()
            end = source.time() if kind == "IntervalTier" else start
            text = praat_symbols.decoded(source.string())
            if end < start:
                raise _Damage(f"tier {trimmed(name)}: an interval starts at {start / 1000} s and ends before it")
            if text.strip() or kind == "TextTier":
                annotations.append(Annotation(start, end, text))
        yield Tier(name, tuple(sorted(annotations, key=lambda a: (a.start_ms, a.end_ms))))


def _counted(count: int, more: Callable[[], bool]) -> Iterator[int]:
    """Count to `count`, and on as long as there is more."""
    return itertools.takewhile(lambda number: number < count or more(), itertools.count())


def _named_apart(tiers: Iterator[Tier]) -> Iterator[Tier]:
    seen: set[str] = set()
    last: dict[str, int] = {}  # name in the file → its last number; counting from 1 each time would take the square
    for tier in tiers:
        name, number = tier.name, last.get(tier.name, 1)
        while name in seen:
            number += 1
            name = f"{tier.name} ({number})"
        seen.add(name)
        last[tier.name] = number
        yield Tier(name, tier.annotations)


def _ms(seconds: float) -> int:
    if not abs(seconds) < _MOST_SECONDS:
        raise _Damage(f"{seconds} is not a time")
    return round(seconds * 1000)


class _Text:
    """Reads the numbers, strings and flags of a text file in order."""

    def __init__(self, text: str):
        self._text, self._at = text, 0
        self._seen: re.Match[str] | None = None

    def where(self) -> str:
        line = self._text.count("\n", 0, self._at) + 1
        return f"line {line}"

    def header(self) -> None:
        if not (head := _HEAD.match(self._text)):
            raise _Damage("is not a TextGrid saved as text file")
        self._tokens = (token for token in _TOKEN.finditer(self._text, head.end()) if token.lastgroup)
        if (kind := self.string()) != "TextGrid":
            raise _Damage(f"holds a {trimmed(kind)}, not a TextGrid")

    def _follows(self) -> re.Match[str] | None:
        """Return the next token, which stays the next one."""
        self._seen = self._seen or next(self._tokens, None)
        return self._seen

    def number_follows(self) -> bool:
        """Return whether a number comes next: one more interval or point."""
        return bool((token := self._follows()) and token.lastgroup == "number")

    def tier_follows(self) -> bool:
        """Return whether the kind of a tier comes next."""
        return bool((token := self._follows()) and token["string"] in _KINDS)

    def _next(self, kind: str, what: str) -> str:
        token, self._seen = self._follows(), None
        if token:
            self._at = token.start()
            if token.lastgroup == kind:
                return token[kind]
            if token.lastgroup == "quote":
                raise _Damage('a text in quotes has no end; quotes inside it must be doubled ("")')
            raise _Damage(f"expected {what}, found {trimmed(token[0])}")
        self._at = len(self._text.rstrip())
        raise _Damage(f"the file ends where {what} should be")

    def _number(self, what: str) -> float:
        number = self._next("number", what)
        if not _NUMBER.fullmatch(number):
            raise _Damage(f"expected {what}, found {trimmed(number)}")
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
    """Reads the same values from a binary file; integers and floats are big-endian."""

    def __init__(self, data: bytes):
        self._data, self._at = data, len(_BINARY)

    def where(self) -> str:
        return f"byte {self._at}"

    def header(self) -> None:
        if (kind := self.word()) != "TextGrid":
            raise _Damage(f"holds a {trimmed(kind)}, not a TextGrid")

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise _Damage("the file ends too early")
        self._at += size
        return taken

    def _integer(self, size: int, signed: bool = False) -> int:
        return int.from_bytes(self._take(size), "big", signed=signed)

    def time(self) -> int:
        return _ms(struct.unpack(">d", self._take(8))[0])

    def count(self) -> int:
        if (number := self._integer(4, signed=True)) < 0:
            raise _Damage(f"{number} is not a count")
        return number

    def word(self) -> str:
        return self._take(self._integer(1)).decode("latin-1")

    def string(self) -> str:
        if (length := self._integer(2)) != 0xFFFF:
            return self._take(length).decode("latin-1")
        # UTF-16 with its length in characters: one beyond U+FFFF counts once, though it has two units.
        units = bytearray()
        for _ in range(self._integer(2)):
            units += self._take(2)
            if units[-2] >> 2 == 0xD8 >> 2:
                units += self._take(2)
        try:
            return units.decode("utf-16-be")
        except UnicodeDecodeError as error:
            raise _Damage("a text is not UTF-16") from error

    def exists(self) -> bool:
        return self._take(1) != b"\0"

    def number_follows(self) -> bool:
        return False  # no person or script writes a binary file with a wrong count

    tier_follows = number_follows


def write_textgrid(path: Path, tiers: Sequence[Tier], duration_ms: int) -> None:
    """Write interval tiers in Praat's long text format, UTF-8; gaps become empty intervals.

    The TextGrid is as long as the recording, or longer if an annotation ends later. Praat makes no TextGrid without
    tiers, so an empty tier is written if there is none.

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
            # Unchecked, because the time of pympi's check grows with the square of the number of intervals.
            intervals.add_interval(a.start_ms / 1000, a.end_ms / 1000, _label(a.value), check=False)
    with replacing(Path(path)) as temporary:
        grid.to_file(str(temporary), codec="utf-8")


def _label(text: str) -> str:
    return praat_symbols.encoded(_writable(text))


def _writable(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates, which UTF-8 cannot store, and NUL, which ends a file for Praat."""
    return _UNWRITABLE.sub("\ufffd", text)
