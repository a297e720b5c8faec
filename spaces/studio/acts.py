"""What happens at each click. Everything that a person decides is written into the project's own files at once."""

import json
from pathlib import Path
from typing import Any

import screen_project
from acts_rented import RentedActs
from folders import start_of
from parts import Tab
from projects import Projects
from screen_correct import ROUND
from screen_share import ONLINE, WAYS, destination
from typed import Values, text_of
from words import Say

from u2u_hf.output_folder import set_aside
from u2u_hf.project import bases, rented, rules, runs, transcripts
from u2u_hf.project.commands import command, round_command, share_commands
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import RUNNING, STEPS, TRAIN, all_steps, next_step, state_of
from u2u_hf.records import U2UError
from u2u_hf.reports.html import OwnText
from u2u_hf.settings import seconds_of

# Fields into which a person may paste a token → what is said then.
_NO_TOKENS = {
    "repository": "rented_bad_repository",
    "space": "rented_bad_repository",
    "token_from": "share_not_a_token",
}


class Acts:
    """The clicks of one tab: each method is named as the ``data-act`` of a button, with the values of its form."""

    def __init__(self, projects: Projects, tab: Tab, say: Say):
        self._projects, self._tab, self._say = projects, tab, say

    def do(self, act: str, values: Values) -> None:
        """Do what was clicked; what goes wrong is told in the tab's message."""
        self._tab.message, self._tab.is_problem = "", False
        name = f"act_{act}"
        try:
            self._refuse_tokens(values)
            acts = RentedActs(self._project, self._say) if hasattr(RentedActs, name) else self
            if method := getattr(acts, name, None):
                method(values)
        except U2UError as error:
            own = error.args[0] if error.args and isinstance(error.args[0], OwnText) else str(error)
            self._tab.message, self._tab.is_problem = own, True
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            self._tab.message, self._tab.is_problem = f"{where}{error.strerror or error}", True

    def _refuse_tokens(self, values: Values) -> None:
        for name, word in _NO_TOKENS.items():
            if text_of(values, name).strip().startswith("hf_"):  # it is kept nowhere
                raise U2UError(self._say(word))

    # ---- which project, which step

    def act_step(self, values: Values) -> None:
        self._keep(values)
        step = text_of(values, "value")
        if step in STEPS:
            self._tab.step = step
            self._tab.browse, self._tab.draft, self._tab.document = {}, {}, ""

    def act_draft(self, values: Values) -> None:
        self._keep(values)

    def act_another(self, values: Values) -> None:
        self._tab.project, self._tab.step, self._tab.draft, self._tab.browse = "", "project", {}, {}

    def act_make(self, values: Values) -> None:
        self._keep(values)
        typed = self._tab.draft.get("folder", "").strip()
        if not typed:
            raise U2UError(self._say("need_folder"))
        project = Project(Path(typed).expanduser().absolute())
        if not project.is_there:
            self._set_paths(project)
        self._open(project.folder)

    def act_save_paths(self, values: Values) -> None:
        self._keep(values)
        self._set_paths(self._project)
        self._tab.draft = {}
        self._tab.browse = {}

    def _open(self, folder: Path) -> None:
        project = self._projects.open(folder)
        self._tab.project = str(project.folder)
        self._tab.draft, self._tab.browse = {}, {}
        self._tab.step = next_step(all_steps(project)) if project.is_there else "project"

    def _set_paths(self, project: Project) -> None:
        draft = self._tab.draft
        recordings = screen_project.paths_in(draft.get("recordings", ""))
        typed = draft.get("corpus", "").strip()
        if not typed:  # to Path, the folder that Studio was started in
            raise U2UError(self._say("need_corpus"))
        corpus = Path(typed).expanduser()
        for folder in (corpus, *recordings):
            if not folder.exists():
                raise U2UError(self._say("not_here", folder=str(folder)))
        project.set_paths(corpus, recordings)

    # ---- the folder picker

    def act_browse(self, values: Values) -> None:
        self._keep(values)
        name = text_of(values, "value")
        self._tab.browse = {"field": name, "path": str(start_of(self._tab.draft.get(name, "")))}

    def act_enter(self, values: Values) -> None:
        self._keep(values)
        folder = Path(text_of(values, "value"))
        if self._tab.browse and folder.is_dir():
            self._tab.browse["path"] = str(folder)

    def act_choose(self, values: Values) -> None:
        self._keep(values)
        if self._tab.browse:
            self._tab.draft[self._tab.browse["field"]] = self._tab.browse["path"]
            self._tab.browse = {}

    def act_new_folder(self, values: Values) -> None:
        self._keep(values)
        name = text_of(values, "new").strip()
        if self._tab.browse and name:
            self._tab.draft["folder"] = str(Path(self._tab.browse["path"]) / name)
            self._tab.browse = {}

    def act_close(self, values: Values) -> None:
        self._keep(values)
        self._tab.browse = {}

    # ---- the corpus

    def act_tick(self, values: Values) -> None:
        ticked = values.get("tiers") or []
        self._prepare(tiers=[str(name) for name in ticked] if isinstance(ticked, list) else [])

    def act_tiers_auto(self, values: Values) -> None:
        self._prepare(tiers=None)

    def act_channels(self, values: Values) -> None:
        how = text_of(values, "channels")
        if how in ("auto", "order"):
            self._prepare(channels=None if how == "auto" else [how])

    def act_make_rule(self, values: Values) -> None:
        what, by = text_of(values, "value"), text_of(values, "by")
        if what:
            now = rules.rules_of(self._project.settings("prepare"))
            self._prepare(rules=rules.with_replacement(now, what, by))

    def act_remove_rule(self, values: Values) -> None:
        rule, what = json.loads(text_of(values, "value"))
        now = rules.rules_of(self._project.settings("prepare"))
        self._prepare(rules=rules.without(now, rule, what))

    def act_rules_default(self, values: Values) -> None:
        self._prepare(rules=None)

    def act_look_again(self, values: Values) -> None:
        self._projects.look(self._project).request(self._project, again=True)

    def act_keep_corpus(self, values: Values) -> None:
        self._project.set_settings("prepare", self._project.settings("prepare"))
        self._tab.step = "prepare"

    def _prepare(self, **changed: Any) -> None:
        """Change settings of the preparation; None removes one."""
        project = self._project
        settings = project.settings("prepare") | changed
        project.set_settings("prepare", {name: value for name, value in settings.items() if value is not None})
        self._projects.look(project).request(project)

    # ---- runs

    def act_train_settings(self, values: Values) -> None:
        project = self._project
        model = text_of(values, "base")
        if "own_base" in values and not model:
            model = text_of(values, "own_base").strip()
        self._tab.draft["base"] = text_of(values, "base")
        if model:
            bases.choose(project, model)
        self._set_budget(values)

    def _set_budget(self, values: Values) -> None:
        budget = text_of(values, "budget").replace(" ", "")
        self._tab.draft["budget"] = budget  # stays if it is refused: the form shows it
        if budget:
            seconds_of(budget)
        bases.set_budget(self._project, budget)
        del self._tab.draft["budget"]

    def act_start(self, values: Values) -> None:
        self._check_start()
        self._start()

    def act_anew(self, values: Values) -> None:
        project = self._project
        self._check_start()
        if project.model.is_dir() and any(project.model.iterdir()):
            set_aside(project.model)
        self._start()

    def _start(self) -> None:
        project, step = self._project, self._tab.step
        online = step == TRAIN and bases.needs_download(bases.chosen(project))
        runs.start(project.folder, step, command(project, step), online=online)

    def _check_start(self) -> None:
        """Raise an error if the step runs already, or if its form shows a setting that was refused."""
        project, step = self._project, self._tab.step
        if state_of(project, step) == RUNNING:
            run = runs.find(project.folder, step)
            raise U2UError(self._say("runs_already" if run and run.state == runs.RUNNING else "ran_terminal"))
        job = runs.find(project.folder, TRAIN) if step == TRAIN else None
        if rented.is_rented(job) and rented.ending(job) == rented.UNSEEN:  # its record is the way to cancel it
            raise U2UError(self._say("rented_unseen"))
        if step == TRAIN and "budget" in self._tab.draft:
            seconds_of(self._tab.draft["budget"])

    def act_stop(self, values: Values) -> None:
        runs.stop(self._project.folder, self._tab.step)
        self._tab.message = self._say("stopping")

    # ---- correcting

    def act_correct(self, values: Values) -> None:
        key = text_of(values, "value")
        self._tab.document = key if transcripts.of_key(self._project, key) else ""  # "none": the list

    def act_round(self, values: Values) -> None:
        project = self._project
        runs.start(project.folder, ROUND, round_command(project))

    def act_stop_round(self, values: Values) -> None:
        runs.stop(self._project.folder, ROUND)
        self._tab.message = self._say("stopping")

    # ---- sharing

    def act_share(self, values: Values) -> None:
        self._keep(values)
        way, draft, project = text_of(values, "value"), self._tab.draft, self._project
        found = share_commands(project, *destination(draft))
        if way not in WAYS or way not in found:
            raise U2UError(self._say("share_need"))
        runs.start(project.folder, way, found[way], online=way in ONLINE)

    def act_stop_share(self, values: Values) -> None:
        way = text_of(values, "value")
        if way in WAYS:
            runs.stop(self._project.folder, way)

    # ----

    @property
    def _project(self) -> Project:
        project = self._projects.opened(self._tab.project)
        if not project or not project.is_there:
            raise U2UError(self._say("no_project"))
        return project

    def _keep(self, values: Values) -> None:
        """Keep what was typed, which is in no file yet, while the screen is drawn anew."""
        for name in ("folder", "corpus", "recordings", "repository", "space", "kind", "token_from"):
            if name in values:
                self._tab.draft[name] = text_of(values, name)
