"""Folders that recipes write into: new, empty or made by the same recipe, so that nobody's files are lost.

Each has two hidden files, which are not pushed: `MARKER` with the recipe that made the folder, and that of
`written_files`. While a recipe runs, it holds the folder's `folder_lock`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from u2u_hf import folder_lock
from u2u_hf.files import replacing, write_text
from u2u_hf.records import U2UError
from u2u_hf.written_files import WRITTEN, keep_edited, note, put_back, recorded, wrote

MARKER = ".u2u-hf.json"
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
    put_back(folder)
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
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")
        if made_by(path.parent):
            keep_edited(path.parent, path, new)
            note(path.parent, path, new)


def amend(path: Path, text: str) -> None:
    """Write UTF-8 text that contains everything of the file it replaces, edits too.

    A file that a person has edited still counts as edited.

    Raises:
        U2UError: it cannot be written.
    """
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")
        if made_by(path.parent) and wrote(path.parent, path):
            note(path.parent, path, new)


def replace_all(made: Path, folder: Path) -> None:
    """Move the files of `made` into the claimed `folder` on the same disk, and remove files of earlier runs.

    A person's own files stay, and edited ones are kept beside the new ones.

    Raises:
        U2UError: a file cannot be written.
    """
    new = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
    try:
        for name in sorted(recorded(folder).keys() - new.keys()):
            if wrote(folder, folder / name):
                (folder / name).unlink()
                _remove_if_empty(*(parent for parent in (folder / name).parents if folder in parent.parents))
        for name, path in new.items():
            keep_edited(folder, folder / name, path)
            note(folder, folder / name, path)
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
