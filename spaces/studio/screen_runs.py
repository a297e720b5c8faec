"""The steps that a recipe does: prepare, train, score, transcribe."""

import json
import time
from pathlib import Path
from typing import Any

from curve import curve
from parts import (
    View,
    button,
    choice,
    duration,
    field_of,
    log_of,
    numbers,
    paragraph,
    problem,
    run_note,
    section,
    table,
    terminal,
)
from progress import progress_in
from screen_project import warnings
from screen_rented import rented_section, rented_state

from u2u_hf.command_line.recipe_commands import gpus
from u2u_hf.evaluation.verdict import grade
from u2u_hf.project import bases, runs
from u2u_hf.project.commands import command
from u2u_hf.project.rented import is_rented
from u2u_hf.project.steps import (
    BLOCKED,
    FINISHED,
    OUTDATED,
    RUNNING,
    SCORES,
    STEPS,
    TRAIN,
    TRANSCRIBE,
    UNFINISHED,
    has_checkpoint,
)
from u2u_hf.project.training_log import training_of
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup, element, joined
from u2u_hf.reports.quantities import length


def run_screen(view: View) -> Markup:
    """Return what stands still while a step runs: its settings, its buttons, its command, its result."""
    say, project, name, state = view.say, view.project, view.tab.step, view.state
    assert project
    parts: list[Markup | None] = [paragraph(say(f"about_{name}")), *warnings(view)]
    if state == OUTDATED:
        parts.append(element("p", say(f"outdated_{name}"), class_="note"))
    rented = name == TRAIN and is_rented(view.run)
    if rented and view.run:
        parts.append(rented_state(view, view.run))
    if name == TRAIN:
        parts += [_expectation(view), _train_settings(view) if state != RUNNING else None]
    if name == TRANSCRIBE and state != RUNNING:
        parts.append(_recordings(view))
    try:
        if not (rented and state == RUNNING):
            parts += [_buttons(view), None if rented else run_note(view, view.run)]
            parts.append(terminal(view, command(project, name)))
    except U2UError as error:
        parts.append(problem(str(error)))
    if state != RUNNING:
        parts += [_next(view), _result(view), rented_section(view) if name == TRAIN else None]
    return joined(*parts)


def live_panel(view: View) -> Markup:
    """Return what changes while a step runs: how far it is, what it wrote, the curve of a training."""
    run, say = view.run, view.say
    if not view.project or view.state == BLOCKED:
        return Markup("")
    parts: list[Markup | None] = []
    running = run and run.state == runs.RUNNING
    if run and running:
        seconds = time.time() - run.began
        share, left, what = progress_in(run.text(60_000))
        parts.append(bar(share, what))
        rest = (", ", say("left", time=left)) if left else ()
        parts.append(element("p", say("running_for", time=duration(seconds)), *rest, class_="soft"))
    elif view.state == RUNNING:
        parts.append(element("p", say("ran_terminal"), class_="note"))
    if view.tab.step == TRAIN and (view.state != "open" or is_rented(run)):  # a rented one leaves nothing here
        parts.append(_training(view, run))
    if run:
        parts.append(log_of(view, run))
    return joined(*parts)


def _next(view: View) -> Markup | None:
    """Return the button to the next step, once this one is done."""
    if view.state != FINISHED:
        return None
    after = STEPS[STEPS.index(view.tab.step) + 1]
    label = view.say("next", step=view.say(f"step_{after}"))
    return element("div", button(label, "step", primary=True, value=after), class_="row")


def _buttons(view: View) -> Markup:
    say, name, state = view.say, view.tab.step, view.state
    run = view.run
    if state == RUNNING:
        ours = run and run.state == runs.RUNNING
        return element("div", button(say("stop"), "stop"), class_="row") if ours else Markup("")
    key = "again" if state in (FINISHED, OUTDATED) else "resume" if state == UNFINISHED else "start"
    label = say(f"{key}_{name}")
    project = view.project
    assert project
    if name == TRAIN:
        if not has_checkpoint(project) and key == "resume":
            label = say("start_train")
        if bases.needs_download(bases.chosen(project)):
            label = say("start_train_download")
        act = "anew" if key == "again" else "start"
        buttons = [button(label, act, primary=state != FINISHED and not is_rented(run))]
        if key == "resume" and has_checkpoint(project):
            buttons.append(button(say("again_train"), "anew"))
        return element("div", *buttons, class_="row")
    return element("div", button(label, "start", primary=state != FINISHED), class_="row")


def _expectation(view: View) -> Markup | None:
    say, project = view.say, view.project
    assert project
    hours = _hours(project.dataset / "report.json")
    if hours is None:
        return None
    kind = "tiny" if hours < 1 / 6 else "little" if hours < 0.8 else "hour" if hours < 8 else "good"
    source = (" ", say("expect_source")) if kind in ("little", "hour") else ()
    slow = None if gpus() else element("p", say("no_gpu"), class_="note")
    return section(say("expect"), element("p", say(f"expect_{kind}", hours=length(hours)), *source), slow)


def _hours(report: Path) -> float | None:
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        return float(found["splits"]["train"]["hours"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _train_settings(view: View) -> Markup:
    say, project = view.say, view.project
    assert project
    chosen = bases.chosen(project)
    known = {base.model: base.name for base in bases.BASES}
    options = [
        choice("radio", "base", model, say(f"base_{name}"), model == chosen, change="train_settings")
        for model, name in known.items()
    ]
    own = chosen if chosen not in known else ""
    options.append(
        choice(
            "radio",
            "base",
            "",
            say("base_other"),
            bool(own) or view.tab.draft.get("base") == "",
            change="train_settings",
        )
    )
    other = None
    if own or view.tab.draft.get("base") == "":
        other = field_of("own_base", say("base_own"), own, change="train_settings")
    legend = element("legend", say("base"))
    budget = view.tab.draft.get("budget", str(project.settings("train").get("time_budget") or ""))
    return element(
        "form",
        element("fieldset", legend, element("p", say("base_info"), class_="soft"), *options, other),
        field_of("budget", say("budget"), budget, say("budget_info"), placeholder="2h30m", change="train_settings"),
        element("p", say("download"), class_="note") if bases.needs_download(chosen) else None,
    )


def _recordings(view: View) -> Markup | None:
    say, project = view.say, view.project
    assert project
    try:
        named = "; ".join(map(str, project.recordings))
    except U2UError as error:
        return problem(str(error))
    return element(
        "div",
        element("span", say("recordings_are", folders=named)),
        button(say("recordings_change"), "step", value="project", name="recordings"),
        class_="row",
    )


def _result(view: View) -> Markup | None:
    name, project = view.tab.step, view.project
    assert project
    if name == "prepare":
        return _report(view, "report", project.dataset / "report.html")
    if name == SCORES:
        return joined(_scores(view), _report(view, "evaluation", project.scores / "evaluation.html"))
    if name == TRAIN:
        picture = project.model / "training_curves.png"
        if picture.is_file():
            address = _address(view, "curves", picture)
            image = Markup(f'<img src="{address}" alt="{view.say("curves_picture")}">')
            return element("details", element("summary", view.say("curves_picture")), image, id="curves")
    return None


def _scores(view: View) -> Markup | None:
    project, say = view.project, view.say
    assert project
    try:
        found: dict[str, Any] = json.loads((project.scores / "metrics.json").read_text(encoding="utf-8"))
        cer, wer, count = float(found["cer"]), float(found["wer"]), int(found["utterances"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    boxes = numbers(
        [
            (f"{cer:.1%}", say("characters_wrong")),
            (f"{wer:.1%}", say("words_wrong")),
            (view.whole(count), say("numbers_utterances")),
        ]
    )
    return joined(boxes, paragraph(say("verdict", verdict=say(f"verdict_{grade(cer)}"))))


def _report(view: View, name: str, path: Path) -> Markup | None:
    if not path.is_file():
        return None
    address, say = _address(view, name, path), view.say
    title = say("report_scores" if name == "evaluation" else "report_prepare")
    link = element("a", say("report_window"), href=address, target="_blank", rel="noopener")
    frame = element("iframe", src=address, title=title, class_="report", loading="lazy")
    return section(title, element("p", link), frame)


def _address(view: View, name: str, path: Path) -> str:
    """Return a file's address, which changes when the file does."""
    assert view.project
    return f"/view/{view.projects.key(view.project)}/{name}?{path.stat().st_mtime_ns}"


def bar(share: float | None, what: str) -> Markup:
    """Return how far something is: 0…1, or None if it is not known."""
    value = f"{share:.2f}" if share is not None else None
    drawn = element("progress", value=value, max="1", aria_label=what or "…")
    percent = element("span", f"{share:.0%}", class_="percent") if share is not None else None
    return element("div", element("span", what), drawn, percent, class_="bar")


def _training(view: View, run: runs.Run | None) -> Markup:
    say, project = view.say, view.project
    assert project
    # A training here has checkpoints in the project; one on rented hardware has none here.
    told = training_of(None if is_rented(run) else project, run.text() if run else "")
    parts: list[Markup | None] = []
    if told.scores:
        parts.append(curve(told.scores, say))
    elif view.state == RUNNING:
        parts.append(paragraph(say("curve_none"), "soft"))
    if told.samples:
        heads = [say("reference"), say("hypothesis")]
        quotes = [
            tuple(element("span", text.strip(), class_="quote", dir="auto") for text in pair) for pair in told.samples
        ]
        parts += [element("h3", say("samples_heading")), table(heads, quotes, "samples")]
    return joined(*parts)
