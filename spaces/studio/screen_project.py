"""The first screen: make or open a project, and see how far it is."""

from pathlib import Path

from folders import listing
from parts import MARKS, View, button, field_of, paragraph, problem, section

from u2u_hf.project import runs
from u2u_hf.project.steps import BLOCKED, FINISHED, OUTDATED, SCORES, next_step
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup, element, joined

_LOW_DISK = 3_000_000_000


def project_screen(view: View) -> Markup:
    say, project = view.say, view.project
    if not project or not project.is_there:
        gone = project and view.projects.is_gone(project)
        return joined(
            problem(say("project_gone", folder=str(project.folder))) if gone and project else None,
            section(say("project_new"), paragraph(say("project_about")), _form(view, "make", say("make"))),
        )
    return joined(
        *warnings(view),
        section(say("next_heading"), _next(view)),
        section(say("where"), _form(view, "save_paths", say("save"))),
        button(say("another"), "another"),
    )


def blocked_screen(view: View) -> Markup:
    """Return the screen of a step before which another is to be done, with the button to that."""
    say = view.say
    open_steps = (name for name, step in view.steps.items() if step.state not in (FINISHED, OUTDATED, BLOCKED))
    first = next(name for name in open_steps if name != SCORES)  # for which no other step waits
    named = say(f"step_{first}")
    go = button(say("go", step=named), "step", primary=True, value=first)
    return joined(*warnings(view), paragraph(say("blocked", step=named), "note"), go)


def warnings(view: View) -> list[Markup]:
    """Return what is wrong with the project's folders, in words."""
    project, found = view.project, []
    if not project or not project.is_there:
        return []
    try:
        for folder in dict.fromkeys([project.corpus, *project.recordings]):
            if not folder.exists():
                found.append(problem(view.say("moved", folder=str(folder))))
    except U2UError as error:
        found.append(problem(str(error)))
    free = runs.free_bytes(project.folder)
    if free < _LOW_DISK:
        found.append(problem(view.say("disk", free=f"{free / 1e9:.1f} GB")))
    return found


def _next(view: View) -> Markup:
    say = view.say
    step = next_step(dict(view.steps))
    rows = [
        element(
            "li",
            element("span", MARKS[item.state] or "·", class_="mark", aria_hidden="true"),
            element("span", say(f"step_{item.name}")),
            element("span", say(f"state_{item.state}"), class_="soft"),
            class_=item.state,
        )
        for item in view.steps.values()
        if item.name != "project"
    ]
    go = button(say("next", step=say(f"step_{step}")), "step", primary=True, value=step)
    return joined(element("ol", *rows, class_="overview"), go)


def _form(view: View, act: str, label: str) -> Markup:
    say, draft = view.say, view.tab.draft
    saved = _saved(view)
    names = ("corpus", "recordings") if act == "save_paths" else ("folder", "corpus", "recordings")
    rows: list[Markup] = []
    if act == "save_paths" and view.project:
        rows.append(paragraph(say("labelled", name=say("project_folder"), value=str(view.project.folder)), "soft"))
    for name in names:
        key = "project_folder" if name == "folder" else f"{name}_folder"
        value = draft.get(name, saved.get(name, ""))
        rows.append(field_of(name, say(key), value, say(f"{key}_info"), browse=say("browse")))
        if view.tab.browse.get("field") == name:
            rows.append(listing(view))
    return element("form", *rows, button(label, act, primary=act == "make"))


def _saved(view: View) -> dict[str, str]:
    if not view.project:
        return {}
    saved = {"folder": str(view.project.folder)}
    if view.project.is_there:
        try:
            corpus, recordings = view.project.corpus, view.project.recordings
        except U2UError:
            return saved
        saved["corpus"] = str(corpus)
        saved["recordings"] = "" if recordings == [corpus] else "; ".join(map(str, recordings))
    return saved


def paths_in(text: str) -> list[Path]:
    """Return the folders of a field: several are separated by semicolons."""
    return [Path(part.strip()).expanduser() for part in text.split(";") if part.strip()]
