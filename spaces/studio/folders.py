"""Browsing the folders of this computer, to choose one. Only names are shown."""

import os
from pathlib import Path

from parts import View, button, field_of, paragraph, problem

from u2u_hf.corpus.folder import is_audio
from u2u_hf.formats.readers import suffixes
from u2u_hf.reports.html import Markup, element

_MOST = 500


def start_of(typed: str) -> Path:
    """Return where browsing begins: at the folder typed so far, or the nearest one above it, or at home."""
    path = Path(typed).expanduser() if typed.strip() else Path.home()
    path = path if path.is_absolute() else Path.home()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def listing(view: View) -> Markup:
    """Return the folder picker at the folder that the tab is in."""
    say = view.say
    name, here = view.tab.browse["field"], Path(view.tab.browse["path"])
    try:
        entries = sorted(os.scandir(here), key=lambda entry: entry.name.lower())
        folders = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    except OSError as error:
        entries, folders = [], []
        trouble: Markup | None = problem(f"{here}: {error.strerror}")
    else:
        trouble = None
    files = [Path(entry.path) for entry in entries if not _is_folder(entry)]
    known = {suffix.lower() for suffix in suffixes()}
    annotations = sum(path.suffix.lower() in known for path in files)
    recordings = sum(is_audio(path) for path in files)
    holds = say("browse_holds", annotations=annotations, recordings=recordings)
    items = [
        element("li", button(f"📁 {folder}", "enter", value=str(here / folder), name=str(number)))
        for number, folder in enumerate(folders[:_MOST])
    ]
    new = (
        element("div", field_of("new", say("browse_new"), ""), button(say("browse_make"), "new_folder"), class_="row")
        if name == "folder"
        else None
    )
    return element(
        "div",
        element("h3", say("browse_title"), tabindex="-1", id="picker"),
        element("p", str(here), class_="path"),
        trouble,
        element(
            "div",
            button(say("browse_here"), "choose", primary=True),
            button(say("browse_up"), "enter", value=str(here.parent), name="up"),
            button(say("browse_home"), "enter", value=str(Path.home()), name="home"),
            button(say("browse_close"), "close"),
            class_="row",
        ),
        paragraph(holds, "soft") if annotations or recordings else None,
        element("ul", *items, class_="folders") if items else paragraph(say("browse_none"), "soft"),
        new,
        class_="picker",
        role="group",
        aria_labelledby="picker",
    )


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
