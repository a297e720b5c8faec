"""Reading regular files only, and text in the encodings that common programs write."""

from __future__ import annotations

import io
import os
import stat

from u2u_hf.records import U2UError

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Latin-1 comes last because it accepts every byte. Before it comes the variant of Windows, which has curly quotes and
# dashes in place of control characters.
_GUESSES = ("utf-8-sig", "cp1252", "latin-1")
_KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise U2UError unless `path` is a regular file: reading a pipe or a device might never end."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: the name contains NUL
        raise U2UError(f"{path}: there is no such file") from error
    except OSError as error:
        raise U2UError(f"{path}: cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(mode):
        raise U2UError(f"{path}: is not a regular file but a {_KINDS.get(stat.S_IFMT(mode), 'device')}: give a file")


def open_regular(path: str | os.PathLike[str], kind: type[io.FileIO] = io.FileIO) -> io.FileIO:
    """Open a regular file for reading, unbuffered, as an object of class `kind`.

    Raises:
        OSError: the file cannot be opened.
        U2UError: there is no such file, or it is not a regular one.
    """
    require_regular(path)  # before opening, which already acts on some devices: a tape is rewound
    # Non-blocking, in case a pipe has replaced the file since then: opening it would wait for a writer.
    non_blocking = getattr(os, "O_NONBLOCK", 0)  # Windows has no such flag
    file = kind(os.fspath(path), opener=lambda name, flags: os.open(name, flags | non_blocking))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise U2UError(f"{path}: is not a regular file: give a file")
    return file


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the file's bytes.

    Raises:
        U2UError: the file is not a regular one, cannot be read, or is empty.
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
    """Return bytes as text with lines that end in ``\\n``.

    The encoding is UTF-16 if there is a byte order mark, otherwise UTF-8, otherwise Latin-1.

    Args:
        path: the file, for the error message.

    Raises:
        U2UError: invalid UTF-16, or NUL characters, which text does not contain.
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
