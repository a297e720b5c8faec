"""Plug-ins that put a model's commands into Praat's menus: written, listed, removed.

A plug-in is a folder ``plugin_…`` in Praat's preferences folder; Praat runs its ``setup.praat`` when it starts. Ours
holds scripts made of the ones beside this module, a folder for temporary files, and a marker. A folder without the
marker is not touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from u2u_hf.files import write_text
from u2u_hf.integrations.installed_model import model_name
from u2u_hf.integrations.menu_folder import free_name, note, noted, remove
from u2u_hf.records import U2UError

_SCRIPTS = Path(__file__).parent
_SETUP, _BODY = "setup.praat", "recognise.praat"
_COMMANDS = ("transcribe.praat", "find_speech.praat", "transcribe_tier.praat", "align.praat")
_WORK = "work"
_PREFIX = "plugin_u2u_"


@dataclass(frozen=True)
class Plugin:
    """An installed plug-in.

    Attributes:
        name: of the model, as the menu shows it.
        model: as it was given: a folder's absolute path, or OWNER/NAME on the Hub.
        folder: the model's folder on this computer.
        python: the interpreter that runs it.
    """

    name: str
    model: str
    folder: str
    python: str

    @property
    def problem(self) -> str:
        """What is missing by now, or the empty string."""
        missing = next((path for path in (self.folder, self.python) if not os.path.exists(path)), "")
        return f"{missing} is not there any more: install again" if missing else ""


def preference_folders(given: str = "") -> list[Path]:
    """Return the preferences folders of the Praats on this computer, or the one that was given.

    Raises:
        U2UError: there is none, because no Praat has been started yet.
    """
    if given:
        if not os.path.isdir(given):
            raise U2UError(f"{given}: there is no such folder: start Praat once, which makes its preferences folder")
        return [Path(os.path.abspath(given))]
    found = [folder for folder in _known_folders() if folder.is_dir()]
    if not found:
        searched = " or ".join(map(str, _known_folders()))
        raise U2UError(f"no Praat: there is no {searched}: start Praat once, or give its preferences folder to --praat")
    return found


def _known_folders() -> list[Path]:
    """Return where Praat 7 and Praat 6 keep their preferences (Praat's manual, "preferences folder")."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "Praat", home / "Praat"]
    if sys.platform == "darwin":
        library = home / "Library"
        return [library / "Application Support" / "Praat", library / "Preferences" / "Praat Prefs"]
    return [Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "praat", home / ".praat-dir"]


def installed(preferences: Path) -> dict[Path, Plugin]:
    """Return the folders of our plug-ins in a preferences folder, and what each is for."""
    found = {folder: _read(folder) for folder in sorted(preferences.glob(f"{_PREFIX}*"))}
    return {folder: plugin for folder, plugin in found.items() if plugin}


def _read(folder: Path) -> Plugin | None:
    with contextlib.suppress(TypeError):  # not one of ours
        if found := noted(folder):
            return Plugin(**found)
    return None


def identity(model: str) -> str:
    """Return how a plug-in names its model: a folder's absolute path, or OWNER/NAME on the Hub."""
    # A folder that was removed is no Hub name if it has more than one separator, or begins as paths do.
    is_path = os.path.isdir(model) or model.startswith((".", "~")) or os.path.isabs(model) or model.count("/") > 1
    return os.path.abspath(model) if is_path else model


def install(preferences: Path, model: str, folder: Path) -> Path:
    """Write the plug-in for a model, also over an earlier one for it, and return its folder.

    Args:
        model: as the user gave it: a folder, or OWNER/NAME on the Hub.
        folder: where the model is on this computer.

    Raises:
        U2UError: the preferences folder cannot be written to, or holds a folder of this name that is not ours.
    """
    model = identity(model)
    target = preferences / _folder_name(model)
    if target.exists() and not _read(target):
        raise U2UError(f"{target}: was not made by praat.py: move it away")
    others = {plugin.name for at, plugin in installed(preferences).items() if at != target}
    plugin = Plugin(free_name(model_name(model), others), model, str(folder), sys.executable)
    try:
        (target / _WORK).mkdir(parents=True, exist_ok=True)
        (target / _WORK).chmod(0o700)  # it holds recordings while they are transcribed
    except OSError as error:
        raise U2UError(f"{target}: cannot be made ({error.strerror}): give Praat's preferences with --praat") from error
    # The marker first and setup.praat last: what a full disk leaves is ours to remove, and no menu without its scripts.
    note(target, asdict(plugin))
    body = (_SCRIPTS / _BODY).read_text(encoding="utf-8")
    for name in _COMMANDS:
        write_text(target / name, _filled((_SCRIPTS / name).read_text(encoding="utf-8") + body, plugin))
    write_text(target / _SETUP, _filled((_SCRIPTS / _SETUP).read_text(encoding="utf-8"), plugin))
    return target


def uninstall(folder: Path) -> None:
    """Remove a folder of `installed`; a person's own files in it stay, and the folder with them.

    Raises:
        U2UError: a file cannot be removed.
    """
    # First the script without which Praat ignores the rest.
    remove(folder, (_SETUP, _WORK, *_COMMANDS), "quit Praat and try again")


def _folder_name(model: str) -> str:
    """Return a folder's name in ASCII, the same for each installation of a model."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", model_name(model)).strip("_")[:40]
    return f"{_PREFIX}{readable}_{hashlib.sha256(model.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"


def _filled(script: str, plugin: Plugin) -> str:
    """Return a script with Praat strings in place of its ``@NAMES@``."""
    name = plugin.name
    titles = {
        "TRANSCRIBE": f"Transcribe ({name})...",
        "FIND_SPEECH": f"Find speech ({name})...",
        "TRANSCRIBE_TIER": f"Transcribe intervals ({name})...",
        "ALIGN": f"Align ({name})...",
    }
    values = {key: _praat_string(title) for key, title in titles.items()}
    # A form's title is no expression, so that it cannot be joined from parts.
    values |= {f"{key}_WINDOW": _praat_string(title[:-3].replace("'", "\u2019")) for key, title in titles.items()}
    values |= {"MENU": _praat_string(f"{name} -"), "NAME": _praat_string(name)}
    values |= {"PYTHON": _praat_string(plugin.python), "MODEL": _praat_string(plugin.folder)}
    return re.sub("@([A-Z_]+)@", lambda found: values[found[1]], script)


def _praat_string(text: str) -> str:
    """Return an expression of Praat's scripting language whose value is `text`.

    Praat puts a variable's value in place of its name between two apostrophes, also in strings. Joined from parts that
    end at apostrophes, a text has no name between them.

    >>> print(_praat_string("it's"), _praat_string('a"b'))
    "it'" + "s" "a""b"
    """
    inner = text.replace('"', '""').replace("'", '\'" + "')
    return f'"{inner}"'
