"""Folders that recipes write into: new, empty or made by the same recipe, so that nobody's files are lost.

Each has two hidden files, which are not pushed: `MARKER` with the recipe that made the folder, and `WRITTEN` with the
checksum of each file that a recipe wrote. A file with another checksum was edited by a person. While a recipe runs, it
holds the folder's `folder_lock`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from u2u_hf import folder_lock
from u2u_hf.files import add, reason, replacing, write_text
from u2u_hf.records import U2UError
from u2u_hf.visible_text import visible

MARKER = ".u2u-hf.json"
WRITTEN = ".u2u-hf.written"
# Files of file managers, which do not show them.
_CLUTTER = (".ds_store", "thumbs.db", "desktop.ini")
_OURS = (MARKER, WRITTEN, folder_lock.LOCK)
_ADDING = ("export.py", "language_model.py")  # recipes that may share an output folder
# Each with the folders that were made for it, the innermost first.
_claimed: list[tuple[Path, list[Path]]] = []


def check(folder: Path, made_by: str, *, inputs: Mapping[str, str] | None = None) -> None:
    """Raise U2UError unless a recipe may write into `folder`: new, empty or made by it. Nothing is written.

    Args:
        made_by: the recipe's file name: ``prepare.py``.
        inputs: flag → folder that the recipe reads; `folder` may be inside it, but must not be it or contain it.
    """
    _check(Path(folder), (made_by,), inputs or {})


def claim(folder: Path, made_by: str, *, inputs: Mapping[str, str] | None = None) -> None:
    """Create `folder` if it is missing and mark it as made by a recipe; see `check`. Call it before any long work.

    A folder that contains only the mark counts as empty, so that other recipes may use it after a run that failed.

    Raises:
        U2UError: as `check`, the folder cannot be made or written to, or another run is writing into it.
    """
    folder = Path(folder)
    _check(folder, (made_by,), inputs or {})
    _mark(folder, made_by)


def check_for_model(folder: Path, made_by: str, source: str) -> None:
    """Raise U2UError unless a recipe may write files made from the model `source` into `folder`.

    It may write into the model's own folder or, as with `check`, into one for such files. In the folder of another
    model they would be taken for that model's.
    """
    folder = Path(folder)
    if not is_model_folder(folder, source):
        _check(folder, (made_by, *_ADDING), {})
    elif not os.access(folder, os.W_OK):
        raise U2UError(f"{folder}: you may not write there: choose another --output_dir")


def claim_for_model(folder: Path, made_by: str, source: str) -> None:
    """Claim `folder` for files made from the model `source`; the mark of the model's own folder stays.

    Raises:
        U2UError: as `check_for_model`, the folder cannot be made or written to, or another run is writing into it.
    """
    check_for_model(folder, made_by, source)
    if is_model_folder(folder, source):
        folder_lock.take(Path(folder))
        _claimed.append((Path(folder), []))
    else:
        _mark(Path(folder), made_by)


def is_model_folder(folder: Path, source: str) -> bool:
    """Return whether `folder` is the folder of the model `source`, which may be a Hub name."""
    return os.path.isdir(source) and Path(folder).is_dir() and Path(folder).samefile(source)


def _check(folder: Path, makers: tuple[str, ...], inputs: Mapping[str, str]) -> None:
    if folder.is_symlink() and not folder.exists():
        raise U2UError(f"{folder}: is a link that leads nowhere: choose another --output_dir")
    if folder.exists() and not folder.is_dir():
        raise U2UError(f"{folder}: is a file, not a folder: choose another --output_dir")
    for flag, path in inputs.items():
        if folder.resolve() in (Path(path).resolve(), *Path(path).resolve().parents) and os.path.isdir(path):
            raise U2UError(f"{folder}: is the folder of {flag}, or holds it: choose a new folder for --output_dir")
    try:
        there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise U2UError(f"{folder}: cannot be read ({error.strerror}): choose another --output_dir") from error
    others = [name for name in there if not _is_clutter(name)]
    maker = made_by(folder)
    if not others or maker in makers:
        return
    only = f"--output_dir must be a new or empty folder, or one that {makers[0]} made"
    if maker:
        raise U2UError(f"{folder}: was made by {maker}: {only}")
    named = ", ".join(others[:2]) + (", …" if len(others) > 2 else "")
    raise U2UError(f"{folder}: holds something else ({named}): {only}")


def _is_clutter(name: str) -> bool:
    # Temporary files of the mark after a killed run, and files (._) that macOS adds on other systems' disks, count too.
    return name.lower() in _CLUTTER or name in _OURS or name.startswith(("._", f".{MARKER}."))


def _mark(folder: Path, recipe: str) -> None:
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise U2UError(f"{folder}: cannot be made ({error.strerror}): choose another --output_dir") from error
    folder_lock.take(folder)
    _claimed.append((folder, new))
    others = [path.name for path in folder.iterdir() if not _is_clutter(path.name)]
    if others and made_by(folder):  # of recipes that share the folder, the first one made it
        return
    try:
        write_text(folder / MARKER, json.dumps({"made_by": recipe}) + "\n")
    except U2UError as error:
        reason = getattr(error.__cause__, "strerror", None) or error.__cause__
        raise U2UError(f"{folder}: cannot be written to ({reason}): choose another --output_dir") from error


def set_aside(folder: Path) -> Path:
    """Rename an output folder, so that a new run begins with an empty one, and return where it is now.

    Raises:
        U2UError: a run is writing into it, or it cannot be renamed.
    """
    if folder_lock.is_held(folder):
        raise U2UError(f"{folder}: a run is writing into it: stop it first")
    number = 1
    while (to := folder.with_name(f"{folder.name}-before-{number}")).exists():
        number += 1
    try:
        folder.rename(to)
    except OSError as error:
        raise U2UError(f"{folder}: cannot be renamed ({error.strerror})") from error
    return to


def give_back() -> None:
    """Unlock claimed folders; unmark those that nothing was written into, and remove those that were created."""
    while _claimed:
        folder, new = _claimed.pop()
        with contextlib.suppress(OSError):
            if all(_is_clutter(path.name) for path in folder.iterdir()):
                (folder / MARKER).unlink(missing_ok=True)
                (folder / WRITTEN).unlink(missing_ok=True)
        folder_lock.release(folder)
        with contextlib.suppress(OSError):
            _remove_if_empty(*new)


def made_by(folder: Path) -> str:
    """Return the recipe that made the folder, or the empty string if none did."""
    try:
        maker = json.loads((Path(folder) / MARKER).read_text(encoding="utf-8"))["made_by"]
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    return maker if isinstance(maker, str) else ""


def write(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all. If a person edited the earlier file, it is kept beside the new one.

    A folder that no recipe made has no record of written files; there an earlier file is replaced.

    Raises:
        U2UError: it cannot be written.
    """
    if made_by(path.parent):
        data = text.encode("utf-8")
        keep_edited(path.parent, path, data)
        _note(path.parent, path.name, hashlib.sha256(data).hexdigest())
    write_text(path, text)


def amend(path: Path, text: str) -> None:
    """Write UTF-8 text that contains everything of the file it replaces, edits too.

    A file that a person has edited still counts as edited.

    Raises:
        U2UError: it cannot be written.
    """
    if made_by(path.parent) and wrote(path.parent, path):
        _note(path.parent, path.name, hashlib.sha256(text.encode("utf-8")).hexdigest())
    write_text(path, text)


def replace_all(made: Path, folder: Path) -> None:
    """Move the files of `made` into the claimed `folder` on the same disk, and remove files of earlier runs.

    A person's own files stay, and edited ones are kept beside the new ones.

    Raises:
        U2UError: a file cannot be written.
    """
    new = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
    try:
        for name in sorted(_written(folder).keys() - new.keys()):
            if wrote(folder, folder / name):
                (folder / name).unlink()
                _remove_if_empty(*(parent for parent in (folder / name).parents if folder in parent.parents))
        for name, path in new.items():
            data = path.read_bytes()
            keep_edited(folder, folder / name, data)
            _note(folder, name, hashlib.sha256(data).hexdigest())
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, folder / name)
    except OSError as error:
        raise U2UError(f"{error.filename2 or error.filename}: cannot be written ({error.strerror})") from error


def remove(folder: Path, is_ours: Callable[[str], object]) -> None:
    """Remove the files of a folder whose names `is_ours` accepts, and the folder if it is empty then."""
    if folder.is_dir():
        for path in list(folder.iterdir()):
            if is_ours(path.name):
                path.unlink()
        _remove_if_empty(folder)


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError as error:
            # Some systems say EEXIST for a folder that is not empty. ENOTDIR: a link, which stays.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
                raise


def note(folder: Path, path: Path, there: Path | None = None) -> None:
    """Record that a recipe wrote this file, in or below `folder`, as it is now. Processes may do so at once.

    Args:
        there: where the file is before it moves to `path`: a file of a run that is killed then is recorded already.

    Raises:
        U2UError: the record cannot be written.
    """
    try:
        _note(folder, path.relative_to(folder).as_posix(), _checksum(there or path))
    except OSError as error:
        raise U2UError(f"{folder / WRITTEN}: cannot be written ({reason(error, folder)})") from error


def unfinished(path: Path) -> Path:
    """Return a hidden name beside `path`, from which links lead where they do from there, for a file that is made."""
    return path.with_name(f".{os.getpid()}.new.{path.name}")


def put_if_missing(new: Path, folder: Path, path: Path) -> None:
    """Move a file that a recipe wrote to `path` in or below `folder`, and record it; remove it if there is one already.

    Raises:
        U2UError: it cannot be moved.
    """
    note(folder, path, new)
    try:
        add(new, path)
        new.unlink()
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def put(new: Path, folder: Path, path: Path) -> None:
    """Move a file that a recipe wrote to `path` in or below `folder`, and record it; what a person edited stays beside.

    The old file is moved aside before it is looked at, and the new one takes a free place only: what a person saves in
    this moment is kept too.

    Raises:
        U2UError: it cannot be moved.
    """
    asides = []
    note(folder, path, new)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not add(new, path):
            asides.append(_free_beside(path))
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, asides[-1])
        new.unlink()
        for aside in filter(Path.is_file, asides):
            keep_aside(folder, path, aside)
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def exchange(new: Path, path: Path, aside: Path, is_old: Callable[[Path], bool]) -> bool:
    """Put a file, which keeps its own name too, in the place of an old one; return whether that was done.

    Args:
        aside: on the same disk: the old file is moved there, looked at, and left there: a program that had it open may
            still write into it. If it may not be replaced, it moves back, unless a newer state was saved meanwhile.
        is_old: whether the file that was at `path` may be replaced.

    Raises:
        OSError: a file cannot be moved.
    """
    if path.exists():
        aside.parent.mkdir(parents=True, exist_ok=True)
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


def wrote(folder: Path, path: Path) -> bool:
    """Return whether a file in or below `folder` exists and is as a recipe wrote it."""
    return wrote_as(folder, path, path)


def wrote_as(folder: Path, path: Path, there: Path) -> bool:
    """Return whether the file `there`, which was at `path` in or below `folder`, is as a recipe wrote it."""
    hashes = _written(folder).get(path.relative_to(folder).as_posix(), ())
    return bool(hashes) and there.is_file() and _checksum(there) in hashes


def is_recorded(folder: Path, path: Path) -> bool:
    """Return whether a recipe ever wrote a file of this name in or below `folder`."""
    return path.relative_to(folder).as_posix() in _written(folder)


def _checksum(path: Path) -> str:
    checksum = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


def _written(folder: Path) -> dict[str, set[str]]:
    """Return the checksums of all versions that recipes wrote, by path in the folder."""
    found: dict[str, set[str]] = {}
    try:
        lines = (Path(folder) / WRITTEN).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            name, checksum = json.loads(line)
            found.setdefault(name, set()).add(checksum)
        except (ValueError, TypeError):
            continue  # cut off when a run was killed; its file counts as edited
    return found


def _note(folder: Path, name: str, checksum: str) -> None:
    # One short append is atomic, also with other processes'. It begins with a line break because a killed run may have
    # left half a line.
    line = f"\n{json.dumps([name, checksum])}\n".encode()
    descriptor = os.open(Path(folder) / WRITTEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def put_if_same(new: Path, path: Path, before: bytes) -> None:
    """Move a file to the place of a person's own file, unless that is not as it was `before`.

    Raises:
        U2UError: it was changed, or it cannot be moved.
    """
    aside = _free_beside(path)
    try:
        is_done = exchange(new, path, aside, lambda old: old.read_bytes() == before)
        if aside.is_file() and aside.read_bytes() == before:
            aside.unlink()
        if not is_done:
            raise U2UError(f"{path}: was saved by another program meanwhile, and stays as it is: run this again")
        new.unlink()
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error


def keep_aside(folder: Path, path: Path, aside: Path) -> None:
    """Remove an earlier state of the file at `path`, unless a person edited it: then keep it beside that.

    Raises:
        OSError: it cannot be moved.
    """
    if wrote_as(folder, path, aside) or (path.is_file() and _checksum(path) == _checksum(aside)):
        aside.unlink()
        return
    beside = aside if aside.parent == path.parent else _free_beside(path)
    os.replace(aside, beside)
    print(visible(f"! {path}: was edited, and is kept as {beside.name}"))


def keep_edited(folder: Path, path: Path, data: bytes | None = None) -> None:
    """Copy a file to a free name beside it if it is neither as a recipe wrote it nor equal to `data`.

    Raises:
        U2UError: it cannot be copied.
    """
    if not path.is_file() or wrote(folder, path) or (data is not None and path.read_bytes() == data):
        return
    copy = _free_beside(path)
    with replacing(copy) as temporary:
        shutil.copy2(path, temporary)
    print(visible(f"! {path}: was edited, and is kept as {copy.name}"))


def _free_beside(path: Path) -> Path:
    names = (f"{path.stem}.edited{number}{path.suffix}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
