"""What the page consists of: a column with the steps, the screen of one of them, and what changes while it runs."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import gradio as gr
from acts import Acts
from parts import MARKS, Tab, View, element
from projects import Projects
from screen_corpus import corpus_screen, preview
from screen_correct import ROUND, correct_screen, round_panel
from screen_project import blocked_screen, project_screen
from screen_rented import signature as signature_of_rented
from screen_runs import live_panel, run_screen
from screen_share import WAYS, share_screen
from words import WORDS, language, say_in

from u2u_hf.project import rules, runs, transcripts
from u2u_hf.project.steps import BLOCKED, STEPS, all_steps, next_step
from u2u_hf.records import U2UError
from u2u_hf.reports.html import Markup

_PARTS = (
    '<div id="studio"><div id="steps"></div><div id="work"><div id="screen"></div><div id="live"></div></div></div>'
)
_MOST_TABS = 100  # a tab that is forgotten opens anew at its address
_SCREENS = {"project": project_screen, "corpus": corpus_screen, "correct": correct_screen, "share": share_screen}
_LIVE = dict.fromkeys(("prepare", "train", "scores", "transcribe"), live_panel) | {"correct": round_panel}


def studio_page(projects: Projects) -> gr.Blocks:
    """Return the page."""
    studio = _Studio(projects)

    # Gradio writes on these functions, which it cannot on methods.
    def ask(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return studio.ask(asked, _language(request))

    def preview_rule(asked: dict[str, Any]) -> str:
        return studio.preview_rule(asked)

    with gr.Blocks(title=WORDS["en"]["title"], analytics_enabled=False, fill_width=True) as page:
        # The value stays empty: Gradio would move what is typed from one field into another as elements come and go.
        gr.HTML(
            html_template=_PARTS,
            js_on_load='import("/editor/screen.js").then(({ start }) => start(element, server));',
            padding=False,
            apply_default_css=False,
            server_functions=[ask, preview_rule],
        )
    return page


class _Studio:
    """The tabs, and what the page asks for."""

    def __init__(self, projects: Projects):
        self._projects = projects
        self._tabs: OrderedDict[str, Tab] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def ask(self, asked: dict[str, Any], spoken: str) -> dict[str, Any]:
        """Do what a person clicked or changed, if anything, and return what of the page has changed.

        Args:
            asked: ``tab``, a name of the tab's own; ``shown``, the number of the last answer that it shows; ``place``,
                the project, step and transcript of its address; ``act`` and ``values``, a click or change with its
                form's values.
            spoken: the language.

        Returns:
            ``number`` of the answer, and HTML for those of ``steps``, ``screen`` and ``live`` that are to be drawn.
        """
        values, place = (asked.get(name) if isinstance(asked.get(name), dict) else {} for name in ("values", "place"))
        tab = self._tab(str(asked.get("tab", "")), place)
        act = str(asked.get("act", ""))
        if act:
            with self._one_at_a_time:  # acts read settings and write them again
                Acts(self._projects, tab, say_in(spoken)).do(act, values)
        everything = bool(act) or asked.get("shown") != tab.answer  # an answer may have been lost
        return self._drawn(self._view(tab, spoken), everything)

    def _tab(self, name: str, place: dict[str, Any]) -> Tab:
        with self._one_at_a_time:
            tab = self._tabs.pop(name, None) or self._new_tab(place)
            self._tabs[name] = tab
            while len(self._tabs) > _MOST_TABS:
                self._tabs.popitem(last=False)
        return tab

    def _new_tab(self, place: dict[str, Any]) -> Tab:
        folder, step, document = (str(place.get(name, "")) for name in ("project", "step", "document"))
        project = self._projects.opened(folder) or self._projects.last
        if not project or not project.is_there:
            return Tab(project=str(project.folder) if project else "", step="project")
        step = step if step in STEPS else next_step(all_steps(project))
        return Tab(project=str(project.folder), step=step, document=document)

    def preview_rule(self, asked: dict[str, Any]) -> str:
        """Return what a rule would change, as HTML; nothing is written."""
        project = self._projects.opened(str(asked.get("project", "")))
        found = self._projects.look(project).found if project else None
        what, by = str(asked.get("what", ""))[:100], str(asked.get("by", ""))[:100]
        if not project or not found or not what:
            return ""
        spoken = language(str(asked.get("language", "")))
        view = View(say_in(spoken), spoken, Tab(), self._projects, project, {})
        try:
            now = rules.rules_of(project.settings("prepare"))
            return preview(view, rules.changes(found, rules.with_replacement(now, what, by)))
        except U2UError as error:
            return element("p", str(error), class_="problem")

    def _view(self, tab: Tab, spoken: str) -> View:
        project = self._projects.opened(tab.project)
        steps = all_steps(project) if project else {}
        return View(say_in(spoken), spoken, tab, self._projects, project, steps)

    def _drawn(self, view: View, everything: bool) -> dict[str, Any]:
        tab = view.tab
        parts = {"steps": _steps(view), "live": _live(view)}
        hashes = {"signature": hash(_signature(view))}
        if everything or tab.hashes.get("signature") != hashes["signature"]:  # a large corpus takes a while to draw
            parts["screen"] = _screen(view)
        hashes |= {name: hash(html) for name, html in parts.items()}
        changed = {name: html for name, html in parts.items() if everything or tab.hashes.get(name) != hashes[name]}
        tab.hashes |= hashes
        tab.answer += 1
        return {"number": tab.answer, **changed}


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
    draw = blocked_screen if name != "project" and view.state == BLOCKED else _SCREENS.get(name, run_screen)
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
    draw = _LIVE.get(view.tab.step)
    if not view.project or not draw:
        return Markup("")
    return element("div", _safely(draw, view), class_="live")
