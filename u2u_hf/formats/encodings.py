"""Regular files only, and text in whatever encoding people's programs leave it."""

from __future__ import annotations

import io
import os
import stat

from u2u_hf.records import U2UError

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Every byte is a character of Latin-1, so it comes last; before it the Latin-1 of Windows, which has curly
# quotes and dashes where the standard has control characters.
_GUESSES = ("utf-8-sig", "cp1252", "latin-1")
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise an error for a path that does not lead to a regular file: reading a pipe or a device might never end.

    Raises:
        U2UError: there is no such file, it may not be looked at, or it is a folder, a pipe, a socket or a device.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a name that none can have
        raise U2UError(f"{path}: there is no such file") from error
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(mode):
        raise U2UError(f"{path}: is not a regular file but a {_KINDS.get(stat.S_IFMT(mode), 'device')}: give a file")


def open_regular(path: str | os.PathLike[str], kind: type[io.FileIO] = io.FileIO) -> io.FileIO:
    """Return the regular file open for reading, unbuffered, as an object of class `kind`.

    Raises:
        OSError: it cannot be opened.
        U2UError: there is no such file, or it is not a regular one.
    """
    require_regular(path)  # opening a device may already do something: a tape is wound back
    # A pipe that took the file's place since then is opened without waiting for who writes to it.
    at_once = getattr(os, "O_NONBLOCK", 0)  # Windows has no such flag
    file = kind(os.fspath(path), opener=lambda name, flags: os.open(name, flags | at_once))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise U2UError(f"{path}: is not a regular file: give a file")
    return file


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The file's bytes.

    Raises:
        U2UError: it is not a regular file, cannot be read, or is empty.
    """
    try:
        with open_regular(path) as file:
            data = file.read()
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
