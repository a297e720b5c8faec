"""Pieces of HTML that several screens have. All of it is escaped: names and annotations may hold anything."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from projects import Projects
from words import Say, found_in, whole

from u2u_hf.command_line.recipe_commands import shown
from u2u_hf.project import runs
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import BLOCKED, FINISHED, OUTDATED, RUNNING, UNFINISHED, Step
from u2u_hf.reports.html import Markup, OwnText, element, joined

_MOST_SKIPPED = 8
MARKS = {FINISHED: "✓", RUNNING: "▶", UNFINISHED: "…", OUTDATED: "↻", BLOCKED: "", "open": ""}


@dataclass
class Tab:
    """What one tab of the browser shows: a project, a step, and what was typed into it but is not saved."""

    project: str = ""
    step: str = ""
    browse: dict[str, str] = field(default_factory=dict)
    draft: dict[str, str] = field(default_factory=dict)
    message: str = ""
    is_problem: bool = False
    document: str = ""  # the key of the transcript that is corrected
    answer: int = 0  # number of the last one that it was given
    hashes: dict[str, int] = field(default_factory=dict)  # of each part of the page in that answer


@dataclass(frozen=True)
class View:
    """What a screen is drawn from."""

    say: Say
    language: str
    tab: Tab
    projects: Projects
    project: Project | None
    steps: Mapping[str, Step]

    def whole(self, number: int) -> OwnText:
        """Return a whole number as the page's language writes it."""
        return whole(self.language, number)

    def found(self, text: str) -> OwnText:
        """Return what the library says of a corpus, in the page's language."""
        return found_in(self.language, text)

    @property
    def run(self) -> runs.Run | None:
        return self.steps[self.tab.step].run

    @property
    def state(self) -> str:
        return self.steps[self.tab.step].state


def button(
    label: str, act: str, *, primary: bool = False, value: str = "", name: str = "", spoken: str | None = None
) -> Markup:
    """Return a button that does an act.

    Args:
        value: given to the act, with the fields of the button's form.
        name: tells buttons of one act apart, where their values do not.
        spoken: its name for screen readers.
    """
    kind = "button primary" if primary else "button"
    return element(
        "button",
        label,
        type="button",
        class_=kind,
        data_act=act,
        data_value=value or None,
        id=f"do-{act}-{name or value}",
        aria_label=spoken,
    )


def control(**attributes: str | None) -> Markup:
    """Return an ``<input>``, which has no end tag."""
    return Markup(element("input", **attributes).removesuffix("</input>"))


def field_of(
    name: str, label: str, value: str, info: str = "", *, browse: str = "", placeholder: str = "", change: str = ""
) -> Markup:
    """Return a labelled text field; with `browse`, the button's label, it gets one that opens the folder picker."""
    described = f"{name}-info" if info else None
    typed = control(
        type="text",
        id=f"field-{name}",
        name_=name,
        value=value,
        aria_describedby=described,
        placeholder=placeholder or None,
        autocomplete="off",
        spellcheck="false",
        data_change=change or None,
    )
    row = (
        element("div", typed, button(browse, "browse", value=name, spoken=f"{browse} {label}"), class_="row")
        if browse
        else typed
    )
    hint = element("span", info, class_="soft", id=described) if info else None
    return element("div", element("label", label, for_=f"field-{name}"), hint, row, class_="field")


def choice(kind: str, name: str, value: str, label: str | Markup, is_on: bool, change: str = "") -> Markup:
    """Return a radio button or checkbox with its label."""
    box = control(
        type=kind,
        name_=name,
        value=value,
        checked="" if is_on else None,
        id=f"{name}={value}",
        data_change=change or None,
    )
    return element("label", box, element("span", label), class_="choice")


def section(title: str, *children: str | None, **attributes: str) -> Markup:
    return element("section", element("h2", title), *children, **attributes)


def paragraph(text: str, kind: str = "") -> Markup:
    return element("p", text, class_=kind or None)


def problem(text: str) -> Markup:
    return element("p", text, class_="problem", role="alert")


def terminal(view: View, command: list[str], name: str = "") -> Markup:
    """Return the command of a step, to copy."""
    text = shown(command)
    copy = element(
        "button", view.say("copy"), type="button", class_="button small", data_copy=text, data_done=view.say("copied")
    )
    code = element("div", element("code", text), copy, class_="command")
    return element("details", element("summary", view.say("terminal")), code, id=f"terminal-{name}")


def table(heads: Iterable[str], rows: Iterable[Iterable[str | int | None]], kind: str = "") -> Markup:
    heads = list(heads)
    head = [element("th", h.lstrip("#"), scope="col", class_="n" if h.startswith("#") else None) for h in heads]
    lines = [
        element(
            "tr",
            *(
                element("td", cell, class_="n" if h.startswith("#") else None, data_label=h.lstrip("#"))
                for h, cell in zip(heads, row, strict=True)
            ),
        )
        for row in rows
    ]
    return element(
        "div",
        element("table", element("thead", element("tr", *head)), element("tbody", *lines)),
        class_=f"table {kind}".strip(),
    )


def numbers(items: Iterable[tuple[str, str]]) -> Markup:
    boxes = (element("div", element("b", value), element("span", name)) for value, name in items)
    return element("div", *boxes, class_="numbers")


def duration(seconds: float) -> str:
    """Return a duration as a person reads it.

    >>> duration(5), duration(75), duration(3700)
    ('5 s', '1 min 15 s', '1 h 1 min')
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def run_note(view: View, run: runs.Run | None) -> Markup | None:
    """Return how the last run of a step ended, in words; None while it runs and if there was none."""
    say = view.say
    if not run or run.state == runs.RUNNING:
        return None
    took = duration((run.ended or time.time()) - run.began)
    if run.state == runs.DONE:
        return element("p", say("run_done", time=took), class_="good")
    if run.state == runs.SKIPPED:
        told = (element("li", one) for one in run.skipped[:_MOST_SKIPPED])
        return element("div", element("p", say("run_skipped", time=took)), element("ul", *told), class_="note")
    if run.state == runs.STOPPED:
        return element("p", say("run_stopped"), class_="note")
    if run.state == runs.LOST:
        return problem(say("run_lost"))
    return problem(say("run_killed") if run.was_killed else say("run_failed", error=run.error))


def joined_if(part: Markup | None) -> Markup:
    return part or Markup("")


def log_of(view: View, run: runs.Run, lines: int = 40, name: str = "") -> Markup | None:
    """Return the end of a run's log, folded."""
    text = "\n".join(line for line in run.text(40_000).splitlines() if line.strip()).strip().splitlines()[-lines:]
    if not text:
        return None
    shown_text = Markup("\n").join(joined(line) for line in text)
    return element(
        "details",
        element("summary", view.say("log")),
        element("pre", Markup(shown_text), tabindex="0"),
        id=f"log-{name}",
    )
