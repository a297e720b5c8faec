"""Text files as people's programs leave them, in whatever encoding."""

from __future__ import annotations

import os
from pathlib import Path

from u2u_hf.records import U2UError

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Every byte is a character of Latin-1, so it comes last; before it the Latin-1 of Windows, which has curly
# quotes and dashes where the standard has control characters.
_GUESSES = ("utf-8-sig", "cp1252", "latin-1")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The file's bytes.

    Raises:
        U2UError: it cannot be read, or is empty.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error
    if not data:
        raise U2UError(f"{path}: is empty (0 bytes): restore it or take it out")
    return data


def decode(data: bytes, path: str | os.PathLike[str]) -> str:
    """Text from bytes: UTF-16 where a byte order mark says so, else UTF-8, else Latin-1; lines end in ``\\n``.

    Raises:
        U2UError: UTF-16 that is none, or what no text has (NUL characters); `path` is for its message.
    """
    for encoding in (_MARKS[data[:2]],) if data[:2] in _MARKS else _GUESSES:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
        break
    raise U2UError(f"{path}: is not a text file, or a damaged one: save it again as UTF-8 text, or take it out")
