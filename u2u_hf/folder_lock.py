"""A lock on an output folder, so that two runs do not write into it at the same time.

By hand rather than with filelock: its lock (flock) is inherited by processes that are forked, such as data loader
workers, and outlives a killed run with them. This one belongs to one process, and the operating system releases it
when that process ends, however it ends: a killed run blocks nobody.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

from u2u_hf.records import U2UError

LOCK = ".u2u-hf.lock"
# Some network file systems have no locks: there, runs are not kept apart.
_TAKEN = (errno.EACCES, errno.EAGAIN)
_ASKING_S = 0.2
_held: dict[Path, int] = {}  # folder → descriptor of its lock file


def take(folder: Path) -> None:
    """Take the lock of an existing folder, until `release` or the end of this process.

    Raises:
        U2UError: another process holds it, or its file cannot be made.
    """
    place = folder.resolve()
    while place not in _held:
        try:
            descriptor = os.open(place / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise U2UError(f"{folder}: cannot be written to ({error.strerror}): choose another --output_dir") from error
        if not _becomes_free(descriptor):
            os.close(descriptor)
            raise U2UError(f"{folder}: another run is writing into it: let it end, or choose another --output_dir")
        if _is_at(descriptor, place / LOCK):
            _held[place] = descriptor
        else:  # the run that held it removed the file in between
            os.close(descriptor)


def release(folder: Path) -> None:
    """Release the lock of a folder, if this process holds it, and remove its file."""
    folder = folder.resolve()
    if folder not in _held:
        return
    descriptor = _held.pop(folder)
    if sys.platform == "win32":  # an open file cannot be removed there
        os.close(descriptor)
        _remove(folder / LOCK)
    else:
        _remove(folder / LOCK)
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Return whether a run of any process writes into a folder now."""
    place = folder.resolve()
    if place in _held:
        return True
    try:
        descriptor = os.open(place / LOCK, os.O_RDWR)
    except OSError:  # there is no such file, or we may not write there
        return False
    try:
        return not _is_free(descriptor)
    finally:
        os.close(descriptor)


def _becomes_free(descriptor: int) -> bool:
    """Lock an open file and return True. Who asks whether a run writes holds its lock for a moment: wait for that."""
    latest = time.monotonic() + _ASKING_S
    while not _is_free(descriptor):
        if time.monotonic() > latest:
            return False
        time.sleep(_ASKING_S / 10)
    return True


def _is_free(descriptor: int) -> bool:
    """Lock an open file and return True, or return False if another process has locked it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:  # another run holds it by now, or somebody removed the folder
        return
