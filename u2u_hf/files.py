"""Writing so that a file is either whole or not there."""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from u2u_hf.records import U2UError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, it takes `path`'s place.

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
        raise U2UError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def require_source(source: str, what: str) -> None:
    """Check that `source` is a folder or may be a Hub name.

    Args:
        what: how the message calls it: ``"model"``, ``"dataset"``.

    Raises:
        U2UError: neither.
    """
    path_like = source.startswith((".", "/", "~")) or "\\" in source or source.count("/") > 1
    if not Path(source).is_dir() and (path_like or Path(source).exists() or not source):
        raise U2UError(f"{source}: there is no such {what} folder, and it is not a Hub name of the form OWNER/NAME")


def first_line(error: Exception) -> str:
    """The first line of what a library says went wrong."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def fold(name: str) -> str:
    """A name as it is compared with another: whatever its case and Unicode form (macOS decomposes names)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def before_edit(stem: str) -> str:
    """The name of what was edited: of ``story_ed-2025-02-12``, ``story``; ``story_eduardo`` is no edited ``story``."""
    return re.split(r"_ed(?![a-z])", stem, flags=re.IGNORECASE)[0]
