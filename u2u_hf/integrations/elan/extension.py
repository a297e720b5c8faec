"""The recogniser as an extension of ELAN: one small folder for each model in an `extensions` folder.

The folder holds a .cmdi file for each entry of the menu, the starters, an icon, the help page and `MARKER`. The Python
environment and the model stay where they are: at each start, ELAN looks through all that is below the folder.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import u2u_hf
from u2u_hf.files import write_text
from u2u_hf.integrations.elan.help_page import help_page
from u2u_hf.integrations.elan.icon import icon
from u2u_hf.integrations.elan.parameters import (
    MENU,
    ChoiceParameter,
    FileParameter,
    MenuItem,
    NumberParameter,
    Parameter,
)
from u2u_hf.integrations.elan.starters import BATCH, COMMANDS, SHELL, batch_starter, shell_starter
from u2u_hf.integrations.menu_folder import MARKER, free_name, note, noted, remove
from u2u_hf.records import U2UError

_HELP, _ICON = "help.html", "icon.png"
_OWN = (*(f"{item.task}.cmdi" for item in MENU), SHELL, BATCH, _HELP, _ICON)


@dataclass(frozen=True)
class Extension:
    """An installed extension.

    Attributes:
        folder: in an ELAN's `extensions`.
        title: the model's name in ELAN's menu, unlike those of other models there.
        source: the model as the user named it: an absolute folder, or a name on the Hub.
        model: the absolute folder that recognition reads.
        version: of u2u-hf, when it was installed.
    """

    folder: Path
    title: str
    source: str
    model: str
    version: str = u2u_hf.__version__

    @property
    def entries(self) -> list[str]:
        """The names in ELAN's menu."""
        return [_entry(item, self.title) for item in MENU]


def installed(extensions: Path) -> list[Extension]:
    """Return our extensions in an `extensions` folder, in order of their names; others are not looked at."""
    return list(_installed(extensions))


def _installed(extensions: Path) -> Iterator[Extension]:
    for marker in sorted(extensions.glob(f"*/{MARKER}")):
        if found := noted(marker.parent):
            with contextlib.suppress(TypeError):  # not one of ours
                yield Extension(folder=marker.parent, **found)


def install(extensions: Path, name: str, source: str, model: Path) -> Extension:
    """Write the extension of a model, or write it again; an `extensions` folder that is missing is made.

    Args:
        name: of the model, for people.
        source, model: see `Extension`.

    Raises:
        U2UError: a file cannot be written.
    """
    there = installed(extensions)
    before = next((extension for extension in there if extension.source == source), None)
    taken = {path.name for path in _inside(extensions)}
    folder = before.folder if before else extensions / free_name(_ascii(name), taken, "_")
    title = before.title if before else free_name(name, {extension.title for extension in there})
    extension = Extension(folder, title, source, str(model))
    note(folder, {key: value for key, value in asdict(extension).items() if key != "folder"})
    write_text(folder / SHELL, shell_starter(str(model)))
    _write_bytes(folder / BATCH, batch_starter(str(model)).encode())
    _write_bytes(folder / _ICON, icon())
    write_text(folder / _HELP, help_page(title))
    (folder / SHELL).chmod(0o755)
    # Last, because these are what ELAN looks for.
    for item in MENU:
        write_text(folder / f"{item.task}.cmdi", cmdi(item, title))
    return extension


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _write_bytes(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise U2UError(f"{path}: cannot be written ({error.strerror})") from error


def uninstall(extension: Extension) -> list[str]:
    """Remove what `install` wrote, and return the names of other files in the folder, which stay.

    Raises:
        U2UError: a file cannot be removed.
    """
    return remove(extension.folder, _OWN)


def _ascii(name: str) -> str:
    """Return a folder's name for a model: ASCII without spaces, which ELAN passes on to other programs.

    >>> _ascii("Ñuu Savi – v2"), _ascii("声音")
    ('u2u-hf_Nuu_Savi_v2', 'u2u-hf_model')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"u2u-hf_{re.sub(r'[^A-Za-z0-9-]+', '_', plain).strip('_-')[:60] or 'model'}"


def _entry(item: MenuItem, title: str) -> str:
    return f"{item.name}: {title} (u2u-hf)"


def cmdi(item: MenuItem, title: str) -> str:
    """Return the .cmdi file of an entry in ELAN's menu."""
    commands = " ".join(f'{system}="{command} {item.task}"' for system, command in COMMANDS.items())
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<CMD CMDVersion="1.1" xmlns="http://www.clarin.eu/cmd/">',
        "<Header/>",
        "<Resources><ResourceProxyList/><JournalFileProxyList/><ResourceRelationList/></Resources>",
        "<Components><RECOGNIZER>",
        f'<recognizer recognizerType="local" {commands} info={quoteattr(_entry(item, title))}>'
        f"u2u_hf_{item.task}</recognizer>",
        f'<documentation icon16="{_ICON}">{_HELP}</documentation>',
        *map(_parameter, item.parameters),
        "</RECOGNIZER></Components>",
        "</CMD>",
        "",
    ]
    return "\n".join(lines)


def _parameter(parameter: Parameter) -> str:
    label = f"info={quoteattr(parameter.label)}"
    if isinstance(parameter, NumberParameter):
        limits = f'min="{parameter.least}" max="{parameter.most}" default="{parameter.default}"'
        return f'<numparam level="advanced" type="float" {limits} {label}>{parameter.id}</numparam>'
    if isinstance(parameter, ChoiceParameter):
        choices = f'convoc="{" ".join(parameter.choices)}" default="{parameter.default}"'
        return f'<textparam level="basic" {choices} {label}>{escape(parameter.id)}</textparam>'
    return _file_parameter(parameter, label)


def _file_parameter(parameter: FileParameter, label: str) -> str:
    tag = "input" if parameter.is_input else "output"
    # Without MIME types, ELAN also offers the sound of videos (FileParamPanel.isMediaSupported).
    needed = f'type="{parameter.type}" optional="{str(parameter.optional).lower()}"'
    return f'<{tag} level="basic" {needed} {label}>{parameter.id}</{tag}>'
