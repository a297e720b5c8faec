"""What happens at each click for rented hardware. Each act that asks the Hub starts recipes/remote.py."""

from typed import Values, text_of
from words import Say

from u2u_hf.project import rented, runs
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import RUNNING, TRAIN, state_of
from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of


class RentedActs:
    """The clicks for a project: methods as those of `acts.Acts`."""

    def __init__(self, project: Project, say: Say):
        self._project, self._say = project, say

    def act_rented_settings(self, values: Values) -> None:
        changed = {}
        if "rented_repository" in values:
            name = text_of(values, "rented_repository").strip()
            if name and not rented.is_repository(name):  # a token has no slash: it is not kept either
                raise U2UError(self._say("rented_bad_repository"))
            changed["repository"] = name
        if "rented_budget" in values:
            budget = text_of(values, "rented_budget").replace(" ", "")
            seconds_of(budget)  # raises before anything is written
            changed["time_budget"] = budget
        if flavor := text_of(values, "flavor").strip():
            changed["flavor"] = flavor
        if changed:
            rented.set_wish(self._project, **changed)

    def act_ask_hardware(self, values: Values) -> None:
        self.act_rented_settings(values)
        self._ask(rented.HARDWARE, rented.hardware_command())

    def act_upload(self, values: Values) -> None:
        self.act_rented_settings(values)
        if not rented.wish(self._project).repository:
            raise U2UError(self._say("rented_first_repository"))
        self._ask(rented.UPLOAD, rented.upload_command(self._project))

    def act_ask_price(self, values: Values) -> None:
        self.act_rented_settings(values)
        if not rented.wish(self._project).is_complete:
            raise U2UError(self._say("rented_first"))
        self._ask(rented.PRICE, rented.price_command(self._project))

    def act_rent(self, values: Values) -> None:
        """Start the job, if what stands in the form and on the button is what the price was asked for."""
        self.act_rented_settings(values)
        found = rented.offer(self._project)
        if not found or found.most != text_of(values, "value").strip():
            raise U2UError(self._say("rented_changed"))
        if state_of(self._project, TRAIN) == RUNNING:
            raise U2UError(self._say("runs_already"))
        self._ask(TRAIN, rented.rent_command(self._project))

    def act_watch_job(self, values: Values) -> None:
        if state_of(self._project, TRAIN) == RUNNING:
            raise U2UError(self._say("runs_already"))
        self._ask(TRAIN, rented.watch_command(self._job()))

    def act_cancel_job(self, values: Values) -> None:
        self._ask(rented.CANCEL, rented.cancel_command(self._job()))

    def act_fetch(self, values: Values) -> None:
        self._ask(rented.FETCH, rented.fetch_command(self._project))

    def _job(self) -> str:
        run = runs.find(self._project.folder, TRAIN)
        job_id = run.job.job if rented.is_rented(run) else ""
        if not job_id:
            raise U2UError(self._say("rented_no_job"))
        return job_id

    def _ask(self, name: str, command: list[str]) -> None:
        runs.start(self._project.folder, name, command, online=True)
