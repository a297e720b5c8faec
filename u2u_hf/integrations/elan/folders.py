"""Where ELAN looks for extensions: inside each ELAN on this computer, so that a new version begins without any."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from u2u_hf.records import U2UError

_EXTENSIONS = "extensions"
# From the folder of an ELAN to the one that holds its `extensions`.
_INSIDE = ("Contents/app", "lib/app", "app")
# Places below each of the roots: an ELAN itself, or a folder in which archives of ELAN were unpacked.
_DEPTHS = ("*", "*/*")
_LINUX = ("opt", "usr/local", "usr/share", "usr/lib", "usr/local/share", "usr/local/lib")
_LINUX_HOME = ("", "bin", "opt", ".local", ".local/share", ".local/opt", "Applications", "Programs", "Downloads")


def find_extension_folders(
    platform: str = sys.platform, home: Path | None = None, environment: Mapping[str, str] | None = None, top: str = "/"
) -> list[Path]:
    """Return the `extensions` folder of every ELAN found, in order; one may not exist yet.

    Args:
        platform: as `sys.platform` has it.
        home: the user's folder.
        environment: the variables of the environment: Windows has its folders there.
        top: the root of the file system.
    """
    roots = _roots(platform, home or Path.home(), os.environ if environment is None else environment, Path(top))
    elans = {path for root in roots for depth in _DEPTHS for path in _matching(root, depth)}
    return sorted({folder for elan in elans if (folder := _extensions_of(elan))})


def _roots(platform: str, home: Path, environment: Mapping[str, str], top: Path) -> list[Path]:
    if platform == "darwin":
        return [top / "Applications", home / "Applications", home / "Downloads", home / "Desktop"]
    if platform == "win32":
        names = ("LOCALAPPDATA", "ProgramFiles", "ProgramFiles(x86)", "ProgramW6432")
        found = [Path(environment[name]) for name in names if environment.get(name)]
        return [*found, *(path / "Programs" for path in found[:1]), home / "Downloads", home / "Desktop"]
    return [*(top / name for name in _LINUX), *(home / name for name in _LINUX_HOME)]


def _matching(root: Path, depth: str) -> list[Path]:
    try:
        return [path for path in root.glob(depth) if path.name.lower().startswith("elan") and path.is_dir()]
    except OSError:  # a folder that this user may not list
        return []


def _extensions_of(elan: Path) -> Path | None:
    """Return the `extensions` folder of an ELAN's folder, or None if no ELAN is there."""
    for inside in _INSIDE:
        app = elan / inside
        if (app / _EXTENSIONS).is_dir() or any(app.glob("elan*.jar")):
            return app / _EXTENSIONS
    return None


def chosen_extension_folders(given: str) -> list[Path]:
    """Return the folder that ``--elan`` names, which may also be the ELAN that it is in; without one, all found.

    Raises:
        U2UError: there is no such folder, it is no ELAN, or no ELAN is found.
    """
    if not given:
        if found := find_extension_folders():
            return found
        raise U2UError("no ELAN found: name the folder `extensions` inside it: --elan FOLDER (--help says where it is)")
    folder = Path(given)
    if not folder.is_dir():
        raise U2UError(f"{folder}: there is no such folder: --elan names ELAN's folder `extensions`")
    if folder.name.lower() == _EXTENSIONS:
        return [folder]
    if inside := _extensions_of(folder):
        return [inside]
    raise U2UError(f"{folder}: is not an ELAN: --elan names the folder `extensions` inside ELAN (--help says where)")


def how_to_get_access(folder: Path, platform: str = sys.platform) -> str:
    """Return what a user can do who may not write into an ELAN's folder."""
    if platform == "darwin":
        app = next((path.name for path in folder.parents if path.suffix == ".app"), "ELAN")
        return (
            f"allow your terminal to change {app} (System Settings > Privacy & Security > App Management), or put sudo "
            "before this command"
        )
    if platform == "win32":
        return "open the terminal with 'Run as administrator', and give this command again"
    return "put sudo before this command, with the full path of this Python, or make the folder yours"
