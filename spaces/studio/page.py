"""What the page consists of: a column with the steps, the screen of one of them, and what changes while it runs."""

import threading
from pathlib import Path
from typing import Any

import gradio as gr
from acts import Acts
from parts import MARKS, Tab, View, element
from projects import Projects
from screen_corpus import corpus_screen, preview
from screen_correct import ROUND, correct_screen
from screen_project import project_screen
from screen_rented import signature as signature_of_rented
from screen_runs import live_panel, run_screen
from screen_share import WAYS, share_screen
from words import WORDS, language, say_in

from u2u_hf.project import rules, runs, transcripts
from u2u_hf.project.steps import STEPS, all_steps, next_step
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup

HERE = Path(__file__).parent
_EVERY_S = 1.5
_SCREENS = {"project": project_screen, "corpus": corpus_screen, "correct": correct_screen, "share": share_screen}
_RUNS = ("prepare", "train", "scores", "transcribe")


def studio_page(projects: Projects) -> gr.Blocks:
    """Return the page."""
    studio = _Studio(projects)
    script = (HERE / "screen.js").read_text(encoding="utf-8")
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def preview_rule(asked: dict[str, Any]) -> str:  # Gradio writes on the function, which it cannot on a method
        return studio.preview_rule(asked)

    with gr.Blocks(title=WORDS["en"]["title"], analytics_enabled=False, fill_width=True) as page:
        tab = gr.State(Tab())
        with gr.Row(elem_id="studio"):
            steps = gr.HTML(elem_id="steps", js_on_load=script, padding=False, apply_default_css=False)
            with gr.Column(elem_id="work", scale=5):
                screen = gr.HTML(
                    elem_id="screen",
                    js_on_load=script,
                    padding=False,
                    apply_default_css=False,
                    server_functions=[preview_rule],
                )
                live = gr.HTML(elem_id="live", js_on_load=script, padding=False, apply_default_css=False)
        shown = [tab, steps, screen, live]
        page.load(studio.open, tab, shown, **quiet)
        for part in (steps, screen, live):
            # By default Gradio drops a click that comes before the answer to the one before.
            part.act(studio.act, tab, shown, trigger_mode="multiple", **quiet)
        gr.Timer(_EVERY_S).tick(studio.tick, tab, shown, **quiet)
    return page


class _Studio:
    """The event handlers: from a tab and a click to what the page shows."""

    def __init__(self, projects: Projects):
        self._projects = projects
        self._one_at_a_time = threading.Lock()

    def open(self, tab: Tab, request: gr.Request) -> list[Any]:
        query = request.query_params
        tab = Tab(project=self._opened(query.get("project", "")))
        view = self._view(tab, request)
        tab.step = query.get("step", "") if query.get("step", "") in STEPS else ""
        tab.document = query.get("document", "")
        if not view.project or not view.project.is_there:
            tab.step = "project"
        elif not tab.step:
            tab.step = next_step(dict(view.steps))
        return self._drawn(self._view(tab, request), everything=True)

    def act(self, tab: Tab, event: gr.EventData, request: gr.Request) -> list[Any]:
        data = event._data if isinstance(event._data, dict) else {}
        values = data.get("values")
        say = say_in(_language(request))
        with self._one_at_a_time:  # acts read settings and write them again
            if tab.is_in_turn(data.get("turn"), bool(data.get("isChange"))):
                Acts(self._projects, tab, say).do(str(data.get("act", "")), values if isinstance(values, dict) else {})
        return self._drawn(self._view(tab, request), everything=True)

    def tick(self, tab: Tab, request: gr.Request) -> list[Any]:
        if not tab.step:
            return [gr.skip()] * 4
        return self._drawn(self._view(tab, request), everything=False)

    def preview_rule(self, asked: dict[str, Any]) -> str:
        """Return what a rule would change, as HTML; nothing is written."""
        project = self._projects.opened(str(asked.get("project", "")))
        found = self._projects.look(project).found if project else None
        what, by = str(asked.get("what", ""))[:100], str(asked.get("by", ""))[:100]
        if not project or not found or not what:
            return ""
        say = say_in(language(str(asked.get("language", ""))))
        view = View(say, "", Tab(), self._projects, project, {})
        try:
            now = rules.rules_of(project.settings("prepare"))
            return preview(view, rules.changes(found, rules.with_replacement(now, what, by)))
        except U2UError as error:
            return element("p", str(error), class_="problem")

    def _opened(self, folder: str) -> str:
        project = self._projects.opened(folder) or self._projects.last
        return str(project.folder) if project else ""

    def _view(self, tab: Tab, request: gr.Request) -> View:
        project = self._projects.opened(tab.project)
        spoken = _language(request)
        steps = all_steps(project) if project else {}
        return View(say_in(spoken), spoken, tab, self._projects, project, steps)

    def _drawn(self, view: View, everything: bool) -> list[Any]:
        tab = view.tab
        drawn = {"steps": _steps(view), "screen": Markup(""), "live": _live(view)}
        signature = hash(_signature(view))
        if everything or tab.shown.get("signature") != signature:
            drawn["screen"] = _screen(view)
        else:  # a large corpus takes a while to draw
            tab.shown["screen"] = hash(drawn["screen"])
        tab.shown["signature"] = signature
        updates: list[Any] = []
        for name, html in drawn.items():
            mark = hash(html)
            updates.append(html if everything or tab.shown.get(name) != mark else gr.skip())
            tab.shown[name] = mark
        return [tab, *updates]


def _language(request: gr.Request) -> str:
    return language(request.headers.get("accept-language", ""), request.cookies.get("studio_language", ""))


def _signature(view: View) -> tuple[Any, ...]:
    """Return what the screen depends on: it is drawn anew when this changes."""
    project, tab = view.project, view.tab
    if not project:
        return (tab.step, tab.message, view.language)
    look = view.projects.look(project)
    runs_now = [runs.find(project.folder, name) for name in (tab.step, *WAYS, ROUND)]
    files = [
        project.folder / "project.yaml",
        *(project.config(name) for name in ("prepare", "train", "rented", "transcribe")),
    ]
    files += transcripts.all_of(project) if tab.step == "correct" and not tab.document else []
    return (
        tab.step,
        tab.message,
        view.language,
        *((step.name, step.state) for step in view.steps.values()),
        *((run.step, run.state, run.began, run.ended) for run in runs_now if run),
        *((path.name, _changed(path)) for path in files),
        *((look.number, look.busy) if tab.step == "corpus" else ()),
        *signature_of_rented(view),
    )


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _steps(view: View) -> Markup:
    say, tab = view.say, view.tab
    items = []
    for name in STEPS:
        step = view.steps.get(name)
        state = step.state if step else "open" if name == "project" else "blocked"
        items.append(
            element(
                "li",
                element(
                    "button",
                    element("span", MARKS[state], class_="mark", aria_hidden="true"),
                    element("span", say(f"step_{name}")),
                    element("span", f" ({say(f'state_{state}')})", class_="hidden"),
                    type="button",
                    data_act="step",
                    data_value=name,
                    id=f"step-{name}",
                    aria_current="step" if name == tab.step else None,
                    class_=state,
                    disabled=None if view.project and view.project.is_there else ("" if name != "project" else None),
                ),
            )
        )
    title = element("p", say("title"), class_="brand")
    own = view.project.folder.name if view.project else ""
    name_of = element("p", own, class_="own", title=str(view.project.folder) if view.project else "")
    listed = element("ol", *items)
    private = element("p", say("private"), class_="private")
    parts = (title, name_of, listed, private, _language_choice(view))
    return element("nav", *parts, aria_label=say("steps"))


def _language_choice(view: View) -> Markup:
    """Return the list of languages: screen.js keeps the choice as a cookie, which comes with every request."""
    options = (
        element("option", words["language"], value=tag, lang=tag, selected="" if tag == view.language else None)
        for tag, words in WORDS.items()
    )
    listed = element("select", *options, id="language", data_change="draft", aria_label=view.say("choose_language"))
    return element("p", listed, class_="language")


def _screen(view: View) -> Markup:
    tab, say = view.tab, view.say
    name = tab.step or "project"
    if not view.project or not view.project.is_there:
        name = "project"
    draw = _SCREENS.get(name, run_screen)
    message = None
    if tab.message:
        kind = {"class_": "problem", "role": "alert"} if tab.is_problem else {"class_": "note", "role": "status"}
        message = element("p", tab.message, **kind)
    return element(
        "div",
        element("h1", say(f"step_{name}")),
        message,
        _safely(draw, view),
        class_="screen",
        lang=view.language,
        data_step=name,
        data_project=tab.project,
        data_document=tab.document or None,
        data_gone=say("gone"),
        data_other=say("other_start"),
    )


def _safely(draw: Any, view: View) -> Markup:
    try:
        return draw(view)
    except U2UError as error:  # a settings file that was damaged by hand, for example
        return element("p", str(error), class_="problem", role="alert")


def _live(view: View) -> Markup:
    if not view.project or view.tab.step not in _RUNS:
        return Markup("")
    return element("div", _safely(live_panel, view), class_="live")
