"""The files of a corpus folder, and which of them are recordings."""

from __future__ import annotations

import os
from pathlib import Path

from u2u_hf.records import Skipped

AUDIO_SUFFIXES = tuple(
    (
        ".wav .flac .mp3 .ogg .oga .opus .aiff .aif .caf .m4a .mp4 .aac .amr .wma "
        ".mov .mkv .webm .avi .mts .m2ts .mpg .mpeg .m4v .3gp .wmv .vob .flv"
    ).split()
)
_VIDEO_SUFFIXES = tuple(".mp4 .m4v .mov .mkv .webm .avi .mts .m2ts .mpg .mpeg .3gp .wmv .vob .flv".split())
# Archives and disks of older systems leave such names; neither a report nor a dataset can store them.
_BAD_NAME = "its name is not valid UTF-8: rename it"


def is_audio(path: Path) -> bool:
    """Return whether the file name has the suffix of a recording, audio or video."""
    return path.suffix.lower() in AUDIO_SUFFIXES


def is_video(path: Path) -> bool:
    """Return whether the file name has the suffix of a video."""
    return path.suffix.lower() in _VIDEO_SUFFIXES


def files_below(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """Return every file in `folder` and below it, in order of name, and the files and folders that are unusable.

    Hidden files and folders are ignored. Links to folders are followed, because audio often lies on another disk.
    Links may form circles, so each folder is visited once, and the folders that contain `folder` never.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []
    seen = set(map(str, Path(os.path.realpath(folder)).parents))

    def unreadable(error: OSError) -> None:
        skipped.append(Skipped(str(error.filename), f"the folder cannot be read ({error.strerror})"))

    def usable(here: str, names: list[str]) -> list[str]:
        shown = {n: n.encode("utf-8", "replace").decode() for n in sorted(names) if not n.startswith(".")}
        skipped.extend(Skipped(os.path.join(here, shown[n]), _BAD_NAME) for n in shown if shown[n] != n)
        return [n for n in shown if shown[n] == n]

    for here, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = usable(here, folders)
        files += [path for name in usable(here, names) if (path := Path(here, name)).is_file()]
    return sorted(files), skipped
