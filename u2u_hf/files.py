"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from u2u_hf.records import U2UError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; when the block ends without an error, that file replaces `path`.

    Raises:
        U2UError: the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({reason(error, path)})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def reason(error: OSError, path: Path) -> str:
    """Return in words why a file could not be written, and which disk is full if one is."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error.strerror or str(error)
    disk = next((folder for folder in Path(path).absolute().parents if os.path.ismount(folder)), Path(path).anchor)
    return f"the disk of {disk} is full: make room"


def add(new: Path, path: Path) -> bool:
    """Give a file another name as well; return False, and do nothing, if there is a file of that name.

    os.replace would replace what another program saves there in this very moment; this never does.

    Raises:
        OSError: it cannot be done.
    """
    try:
        os.link(new, path)
    except FileExistsError:
        return False
    except OSError:  # disks without links: those of cameras and recorders (FAT), some of networks
        return _copied(new, path)
    return True


def _copied(new: Path, path: Path) -> bool:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(new, temporary)
        if os.name == "nt":
            os.rename(temporary, path)  # refuses a name that is there
        else:
            open(path, "xb").close()  # the name is ours; the whole file comes at once
            os.replace(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
