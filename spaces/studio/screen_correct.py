"""The transcripts of a project, and the editor of one of them."""

import time
from pathlib import Path

from parts import View, button, duration, element, log_of, paragraph, problem, run_note, section, table, terminal
from progress import progress_in, round_in
from screen_runs import bar

from u2u_hf.growth.rounds import rounds_of
from u2u_hf.project import runs
from u2u_hf.project.commands import round_command
from u2u_hf.project.transcripts import all_of, is_checked, is_edited, key_of
from u2u_hf.reports.html import Markup, joined

ROUND = "grow"  # the name of its runs


def correct_screen(view: View) -> Markup:
    say, project = view.say, view.project
    assert project
    files = all_of(project)
    if not files:
        return problem(say("not_here", folder=str(project.transcripts)))
    keys = {key_of(project, path): path for path in files}
    if view.tab.document in keys:
        return _editor(view, view.tab.document, keys[view.tab.document])
    heads = [say("transcript"), say("corrected"), say("checked"), say("file")]
    rows = [
        (
            button(_name(path, project.transcripts), "correct", value=key),
            _yes(view, is_edited(project, path)),
            _yes(view, is_checked(path)),
            str(path),
        )
        for key, path in keys.items()
    ]
    return joined(paragraph(say("about_correct")), table(heads, rows, "transcripts"), _round(view))


def _round(view: View) -> Markup:
    """Return what begins the next round, and how the last one went."""
    say, project = view.say, view.project
    assert project
    run = runs.find(project.folder, ROUND)
    running = bool(run and run.state == runs.RUNNING)
    act = button(say("stop"), "stop_round") if running else button(say("round_start"), "round", primary=True)
    page = project.folder / "growth.html"
    address = f"/view/{view.projects.key(project)}/growth"
    link = element("a", say("round_page"), href=address, target="_blank", rel="noopener") if page.is_file() else None
    return section(
        say("round"),
        paragraph(say("round_about")),
        element("div", act, link, class_="row"),
        element("p", say("round_running"), class_="busy") if running else _outcome(view, run),
        terminal(view, round_command(project), ROUND),
    )


def _outcome(view: View, run: runs.Run | None) -> Markup | None:
    """Return how the last round ended, in words."""
    say, project = view.say, view.project
    assert project
    if not run or run.state != runs.DONE:
        return run_note(view, run)
    if not round_in(run.text())[0]:
        return paragraph(say("round_nothing"), "note")
    last = rounds_of(project)[-1]
    try:
        kept, rate = last.facts["compare"]["is_better"], f"{float(last.facts['test']):.1%}"
    except (KeyError, TypeError, ValueError):  # a newer round was begun in a terminal
        return run_note(view, run)
    found = say("round_better" if kept else "round_worse", number=last.number, rate=rate)
    return joined(run_note(view, run), paragraph(found, "note"))


def round_panel(view: View) -> Markup:
    """Return what changes while a round runs: in which of its steps it is, how far that is, and what it wrote."""
    assert view.project
    run = None if view.tab.document else runs.find(view.project.folder, ROUND)
    if not run:
        return Markup("")
    step, of, log = round_in(run.text(200_000))
    if run.state != runs.RUNNING or not step:
        return joined(log_of(view, run, name=ROUND))
    share, left, what = progress_in(log)
    seconds = time.time() - run.began
    rest = (", ", view.say("left", time=left)) if left else ()
    note = (view.say("round_step", step=step, of=of), ". ", view.say("running_for", time=duration(seconds)), *rest)
    return joined(element("p", *note, class_="soft"), bar(share, what), log_of(view, run, name=ROUND))


def _editor(view: View, key: str, path: Path) -> Markup:
    say, project = view.say, view.project
    assert project
    folder = view.projects.key(project)
    editor = element(
        "studio-transcript",
        lang=view.language,
        data_transcript=f"/transcript/{folder}/{key}",
        data_sound=f"/sound/{folder}/{key}",
        data_peaks=f"/peaks/{folder}/{key}",
        data_saved=say("correct_saved"),
        data_saving=say("correct_saving"),
        data_failed=say("correct_failed", problem="{problem}"),
        data_checked=say("correct_check"),
        data_done=say("correct_checked"),
        data_followed=say("correct_followed"),
        data_theirs=say("correct_theirs"),
        data_mine=say("correct_mine"),
    )
    return joined(
        element(
            "div",
            button(say("correct_back"), "correct", value="none"),
            element("b", _name(path, project.transcripts)),
            class_="row",
        ),
        editor,
        paragraph(say("correct_elan", path=str(path)), "soft"),
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _yes(view: View, is_so: bool) -> str:
    return view.say("yes" if is_so else "no")
