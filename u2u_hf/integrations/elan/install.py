"""What recipes/elan.py does: install, uninstall and list the recogniser in every ELAN on this computer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import u2u_hf
from u2u_hf.evaluation.card_score import card_score
from u2u_hf.evaluation.verdict import warning
from u2u_hf.integrations.elan import extension as elan_extension
from u2u_hf.integrations.elan import folders as elan_folders
from u2u_hf.integrations.elan.extension import Extension
from u2u_hf.integrations.installed_model import checked_model, model_name
from u2u_hf.records import U2UError
from u2u_hf.settings import quoted


@dataclass(frozen=True)
class Outcome:
    """What was done in all ELANs: lines for the user, and whether all of it worked."""

    lines: tuple[str, ...]
    is_complete: bool = True


def install(source: str, elan: str) -> Outcome:
    """Install a model in the ELANs.

    Args:
        source: folder or Hub name of the model.
        elan: an `extensions` folder, or the empty string for all that are found.

    Raises:
        U2UError: the model cannot be used, or no ELAN is found.
    """
    if not source:
        raise U2UError("--model: name the model to install: a folder, or OWNER/NAME on the Hub")
    folders = elan_folders.chosen_extension_folders(elan)
    model = checked_model(source)
    named = _named(source)
    doubt = warning(*score) if (score := card_score(str(model))) else ""
    lines, entries, failed = [f"! {source}: {doubt}"] if doubt else [], [], False
    for folder in folders:
        try:
            extension = elan_extension.install(folder, model_name(source), named, model)
        except U2UError as error:
            failed = True
            lines.append(_refused(folder, error))
        else:
            entries = extension.entries
            lines.append(f"installed: {extension.folder}")
    if entries:
        lines += ["", "Restart ELAN, open a transcript, and choose the tab Recognizers. Its list has now:"]
        lines += [f"  {entry}" for entry in entries]
        lines += ["Choose one, press Start; the button ? beside the list explains everything."]
    return Outcome(tuple(lines), not failed)


def uninstall(source: str, elan: str) -> Outcome:
    """Remove a model, or with an empty `source` all of them, from the ELANs; others' extensions are not touched.

    Raises:
        U2UError: no ELAN is found, or the model is installed in none.
    """
    found = _found(source, elan_folders.chosen_extension_folders(elan))
    if not found:
        raise U2UError(f"{source or 'u2u-hf'}: is not installed in ELAN (python recipes/elan.py list shows what is)")
    lines, failed = [], False
    for extension in found:
        try:
            others = elan_extension.uninstall(extension)
        except U2UError as error:
            failed = True
            lines.append(_refused(extension.folder.parent, error))
            continue
        kept = f" (not ours, and kept: {', '.join(others)})" if others else ""
        lines.append(f"uninstalled: {extension.folder}{kept}")
    return Outcome((*lines, "Restart ELAN."), not failed)


def show(source: str, elan: str) -> Outcome:
    """Return what is installed, of one model or of all. Raises U2UError if no ELAN is found."""
    lines = []
    for folder in elan_folders.chosen_extension_folders(elan):
        found = _found(source, [folder])
        lines.append(f"{folder}{'' if found else ': no recogniser of u2u-hf'}")
        lines += [f"  {extension.title}: {extension.source}{_state(extension)}" for extension in found]
    return Outcome(tuple(lines))


ACTIONS = {"install": install, "uninstall": uninstall, "list": show}


def _named(source: str) -> str:
    return str(Path(source).resolve()) if os.path.isdir(source) else source


def _found(source: str, folders: list[Path]) -> list[Extension]:
    # A folder that is gone is named as it was: absolute.
    wanted = {source, _named(source), os.path.abspath(source)} if source else set()
    all_found = [extension for folder in folders for extension in elan_extension.installed(folder)]
    return [extension for extension in all_found if not source or extension.source in wanted]


def _state(extension: Extension) -> str:
    again = f"run python recipes/elan.py install --model {quoted(extension.source)}"
    if not os.path.isdir(extension.model):
        return f" (its model is not there any more: {again})"
    if extension.version != u2u_hf.__version__:
        return f" (of u2u-hf {extension.version}: {again})"
    return ""


def _refused(folder: Path, error: U2UError) -> str:
    if isinstance(error.__cause__, PermissionError):
        return f"! {folder}: you may not write there: {elan_folders.how_to_get_access(folder)}"
    return f"! {error}"
