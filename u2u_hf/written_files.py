"""Files that recipes write where people work too: what a person wrote or edited is never lost.

The hidden file `WRITTEN` of an output folder has the checksum of each file that a recipe wrote. A file with another
checksum was edited by a person.

A file that a new one replaces is moved aside before it is looked at, and the new one takes a free name only: what a
person saves in this moment is kept too. A run that is killed then leaves it aside; `put_back` finds it.
"""

from __future__ import annotations

import contextlib
import filecmp
import functools
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Container, Mapping
from pathlib import Path

from u2u_hf.files import add, reason, replacing
from u2u_hf.records import U2UError
from u2u_hf.visible_text import visible

WRITTEN = ".u2u-hf.written"
# In names of files: what a person edited, and what is aside while a new file takes its place. If the run is killed
# then, a person sees the latter: its name says what happened, and is nobody's own.
_EDITED, _ASIDE = ".edited", ".moved-aside-by-u2u-hf"


def note(folder: Path, path: Path, there: Path | None = None, kind: str = "") -> None:
    """Record that a recipe wrote this file, in or below `folder`, as it is now. Processes may do so at once.

    Args:
        there: where the file is before it moves to `path`: a file of a run that is killed then is recorded already.
        kind: of file, for `kinds`.

    Raises:
        U2UError: the record cannot be written.
    """
    try:
        # One short append is atomic, also with other processes'. It begins with a line break because a killed run may
        # have left half a line.
        line = f"\n{json.dumps([_within(folder, path), _checksum(there or path), kind])}\n".encode()
        descriptor = os.open(Path(folder) / WRITTEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise U2UError(f"{folder / WRITTEN}: cannot be written ({reason(error, folder)})") from error


def recorded(folder: Path) -> Mapping[str, Container[str]]:
    """Return the checksums of all versions that recipes wrote, by path in the folder with forward slashes."""
    return _record_of(folder)[0]


def kinds(folder: Path) -> Mapping[str, str]:
    """Return the kind of the last version that recipes wrote, by path in the folder, of the files that have one."""
    return _record_of(folder)[1]


def _record_of(folder: Path) -> tuple[dict[str, set[str]], dict[str, str]]:
    path = Path(folder) / WRITTEN
    try:
        return _record(path, path.stat().st_size, path.stat().st_mtime_ns)
    except OSError:
        return {}, {}


@functools.lru_cache(4)
def _record(path: Path, _size: int, _changed: int) -> tuple[dict[str, set[str]], dict[str, str]]:
    checksums: dict[str, set[str]] = {}
    kinds: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            name, checksum, *kind = json.loads(line)  # earlier versions wrote no kind
            checksums.setdefault(name, set()).add(checksum)
            if any(kind):
                kinds[name] = kind[0]
        except (ValueError, TypeError):
            continue  # cut off when a run was killed; its file counts as edited
    return checksums, kinds


def is_recorded(folder: Path, path: Path) -> bool:
    """Return whether a recipe ever wrote a file of this name in or below `folder`."""
    return _within(folder, path) in recorded(folder)


def wrote(folder: Path, path: Path, there: Path | None = None) -> bool:
    """Return whether a file in or below `folder` exists and is as a recipe wrote it.

    Args:
        there: where the file is that was at `path`.
    """
    there = there or path
    hashes = recorded(folder).get(_within(folder, path), ())
    return bool(hashes) and there.is_file() and _checksum(there) in hashes


def _within(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _checksum(path: Path) -> str:
    checksum = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


def unfinished(path: Path) -> Path:
    """Return a hidden name beside `path`, from which links lead where they do from there, for a file that is made."""
    return path.with_name(f".{os.getpid()}.new.{path.name}")


def put_if_missing(new: Path, folder: Path, path: Path, kind: str = "") -> None:
    """Move a file that a recipe wrote to `path` in or below `folder`, and record it; remove it if there is one already.

    Raises:
        U2UError: it cannot be moved.
    """
    note(folder, path, new, kind)
    try:
        add(new, path)
        new.unlink()
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def put(new: Path, folder: Path, path: Path, kind: str = "") -> None:
    """Move a file that a recipe wrote to `path` in or below `folder`, and record it; what a person edited stays beside.

    Raises:
        U2UError: it cannot be moved.
    """
    note(folder, path, new, kind)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        asides = [_free_beside(path, _ASIDE)]
        while not exchange(new, path, asides[-1], lambda old: True):
            asides.append(_free_beside(path, _ASIDE))
        new.unlink()
        for aside in asides:
            _settle(path, aside, wrote(folder, path, aside))
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def put_if_same(new: Path, path: Path, before: bytes) -> None:
    """Move a file to the place of a person's own file, unless that is not as it was `before`.

    Raises:
        U2UError: it was changed, or it cannot be moved.
    """
    aside = _free_beside(path, _ASIDE)

    def is_same(old: Path) -> bool:
        return old.read_bytes() == before

    try:
        is_done = exchange(new, path, aside, is_same)
        _settle(path, aside, aside.is_file() and is_same(aside))
        if not is_done:
            raise U2UError(f"{path}: was saved by another program meanwhile, and stays as it is: run this again")
        new.unlink()
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def exchange(new: Path, path: Path, aside: Path, is_old: Callable[[Path], bool]) -> bool:
    """Put a file, which keeps its own name too, in the place of an old one; return whether that was done.

    Args:
        aside: a free name on the same disk: the old file is moved there, looked at, and left there: a program that had
            it open may still write into it. If it may not be replaced, it moves back, unless a newer state was saved
            meanwhile.
        is_old: whether the file that was at `path` may be replaced.

    Raises:
        OSError: a file cannot be moved.
    """
    aside.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.replace(path, aside)
    if aside.exists() and not is_old(aside):
        if add(aside, path):
            aside.unlink()
        return False
    try:
        return add(new, path)
    except OSError:
        if aside.exists() and not path.exists():
            os.replace(aside, path)
        raise


def bring_back(folder: Path, path: Path, aside: Path) -> bool:
    """Bring a file that is aside back to `path` in or below `folder`; return False if there is one already.

    Then it is removed, unless a person edited it: it is kept beside the other.

    Raises:
        U2UError: it cannot be moved.
    """
    try:
        if add(aside, path):
            aside.unlink(missing_ok=True)
            return True
        _settle(path, aside, wrote(folder, path, aside))
        return False
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def put_back(folder: Path) -> None:
    """Bring back what runs that were killed left aside, in or below a folder, and tell of it.

    Raises:
        U2UError: it cannot be moved.
    """
    for aside in sorted(Path(folder).rglob(f"*{_ASIDE}*")):
        path = aside.with_name(re.sub(rf"{re.escape(_ASIDE)}(-\d+)?", "", aside.name, count=1))
        if aside.is_file() and bring_back(folder, path, aside):
            print(visible(f"! {path}: was moved aside by a run that was killed, and is back"))


def keep_edited(folder: Path, path: Path, new: Path) -> None:
    """Copy a file to a free name beside it if it is neither as a recipe wrote it nor equal to `new`.

    Raises:
        U2UError: it cannot be copied.
    """
    if not path.is_file() or wrote(folder, path) or filecmp.cmp(path, new, shallow=False):
        return
    copy = _free_beside(path, _EDITED)
    with replacing(copy) as temporary:
        shutil.copy2(path, temporary)
    _tell_edited(path, copy)


def _settle(path: Path, aside: Path, is_worthless: bool) -> None:
    """Remove an earlier state of the file at `path`, if it was one; keep it beside that, if it has anything of its own.

    Raises:
        OSError: it cannot be moved.
    """
    if not aside.is_file():
        return
    if is_worthless or (path.is_file() and filecmp.cmp(path, aside, shallow=False)):
        aside.unlink()
        return
    beside = _free_beside(path, _EDITED)
    os.replace(aside, beside)
    _tell_edited(path, beside)


def _tell_edited(path: Path, kept: Path) -> None:
    print(visible(f"! {path}: was edited, and is kept as {kept.name}"))


def _free_beside(path: Path, mark: str) -> Path:
    names = (f"{path.stem}{mark}{number}{path.suffix}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
