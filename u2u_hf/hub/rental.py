"""A recipe on a rented computer of the Hugging Face Hub: its start, its log, and its end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from huggingface_hub import HfApi, JobInfo, constants
from huggingface_hub.errors import JobNotFoundError

from u2u_hf.hub import jobs
from u2u_hf.hub.job_code import ENVIRONMENT, IMAGE, job_command, push_code, resumes
from u2u_hf.hub.job_state import JobState, note
from u2u_hf.hub.problems import in_one_line
from u2u_hf.hub.push import check_push
from u2u_hf.hub.rental_plan import (
    LABEL,
    LENGTHS,
    Plan,
    checkpoint,
    label_of,
    require_access,
    set_up_seconds,
    training_seconds,
)
from u2u_hf.records import U2UError
from u2u_hf.settings import duration


class Rented:
    """A plan that is carried out: one job, and one more if it was stopped before its time and can be resumed.

    Attributes:
        job: the running job.
    """

    def __init__(self, plan: Plan, write: Callable[[str], None]):
        """Prepare to start a plan's job, or to watch the one that runs already for the same repository.

        Args:
            write: gets each line for the user, without the token.
        """
        self.job: JobInfo
        self._plan = plan
        self._started = 0.0  # monotonic time
        self._revision = ""  # of the code; of a job that was running before, unknown
        self._write = lambda line: write(plan.secret.hide(line))

    def begin(self) -> None:
        """Start the job: from here on it costs. One that runs already for the same repository is taken instead.

        Raises:
            U2UError: the Hub refuses: no credit, no rights, no such repository…
        """
        plan = self._plan
        if running := jobs.active(LABEL, label_of(plan.push_to)):
            self.job = running[0]
            note(JobState(self.job.id, self.job.url))
            self._write(
                f"{self.job.id} runs already for {plan.push_to}: watching it. It keeps the settings that it was "
                f"started with: for others, end it first: python recipes/remote.py --cancel {self.job.id}"
            )
            return
        check_push(plan.push_to, "model", plan.public)
        with in_one_line(plan.code_repo, "write"):
            self._revision = push_code(plan.files, plan.code_repo)
        for repo_id, write in ((plan.push_to, True), (plan.code_repo, False)):
            require_access(repo_id, write, plan.secret)
        self._start(plan.seconds, plan.trained)

    def follow(self) -> jobs.Ending:
        """Write the log, resume once, if that is possible, within what was agreed to, and return how it ended."""
        ending = jobs.follow(self.job.id, self._write)
        if not self._plan.resumable:
            return ending
        if ending.kind != "stopped" or not self._revision:
            return ending
        # Where the Hub does not say how long it ran, all time since its start counts: what was agreed to is a limit.
        ran = math.ceil(time.monotonic() - self._started) if ending.seconds is None else ending.seconds
        left = self._plan.seconds - 60 * math.ceil(ran / 60)  # a begun minute is paid
        if left <= set_up_seconds(self._plan.seconds):  # it would go into installing alone
            return ending
        more = jobs.usd(jobs.cost(self._plan.computer, left))
        self._write(
            f"! {self.job.id} was stopped after {duration(ran)}: resuming for the {duration(left)} that are "
            f"left: at most {more} more, within the {self._plan.most} that you agreed to"
        )
        self._start(left, checkpoint(self._plan.push_to)[1])
        again = jobs.follow(self.job.id, self._write)
        return jobs.Ending(again.kind, None if again.seconds is None else ran + again.seconds, again.message)

    def _start(self, seconds: int, trained: float) -> None:
        plan = self._plan
        words = [*plan.words, "--output_dir", "model"]
        if plan.recipe == "train.py":
            words += ["--resume"] if plan.resumable and "--resume" not in words else []
            if not LENGTHS & set(words):
                words += ["--time_budget", duration(training_seconds(plan.seconds, seconds, trained))]
        self._started = time.monotonic()
        note(JobState())  # the job before, if there was one, has ended
        command = job_command(plan.code_repo, self._revision, plan.recipe, words, jobs.gpus(plan.computer))
        try:
            with in_one_line("the job cannot be started", "write"):
                self.job = HfApi().run_job(
                    image=IMAGE,
                    command=command,
                    env=ENVIRONMENT,
                    secrets={"HF_TOKEN": plan.secret.value},
                    flavor=plan.computer.name,
                    timeout=seconds,
                    labels={LABEL: label_of(plan.push_to)},
                    namespace=plan.account,
                )
        except KeyboardInterrupt as stop:
            raise U2UError(
                f"stopped while the job was being started: it may run: see {constants.ENDPOINT}/settings/jobs"
            ) from stop
        note(JobState(self.job.id, self.job.url))
        self._write(f"job: {self.job.url}")


def watched(job_id: str, write: Callable[[str], None]) -> jobs.Ending:
    """Follow a job that was started before, see `jobs.follow`."""
    note(JobState(job_id))
    try:
        return jobs.follow(job_id, write)
    except U2UError as error:
        if isinstance(error.__cause__, JobNotFoundError):
            note(JobState())
        raise


def attended(follow: Callable[[], jobs.Ending], job_id: Callable[[], str], ask: Callable[[str], bool]) -> str:
    """Follow a job to its end and return the closing line. Ctrl-C asks whether the job shall end or go on.

    Args:
        follow: writes the log and returns how the job ended.
        job_id: returns the job's id.
        ask: puts a question and returns whether the answer is yes.

    Raises:
        U2UError: the job did not finish.
    """
    try:
        ending = follow()
    except KeyboardInterrupt:
        if ask(f"\n{job_id()} runs on if you say no. Cancel it? [y/N] "):
            job = jobs.cancel(job_id())
            again = ""
            if job.status.stage in jobs.ACTIVE:
                note(JobState(job.id, job.url, "cancelled"))
                again = f": {_again(job)}"
            return f"{jobs.cancelled(job)}{again}"
        return (
            f"{job_id()} goes on, and costs. Its log again: python recipes/remote.py --watch {job_id()}. "
            f"To end it: python recipes/remote.py --cancel {job_id()}"
        )
    job = jobs.inspect(job_id())
    ran, cost = ("", "") if ending.seconds is None else (duration(ending.seconds) or "0s", _cost(job, ending.seconds))
    note(JobState(job.id, job.url, ending.kind, ran, cost))
    spent = ", about ".join(filter(None, (ran, cost)))
    place = f"{job.url} ({spent})" if spent else job.url
    if ending.kind == "finished":
        return f"finished: {place}"
    if ending.kind == "cancelled":
        raise U2UError(f"the job was cancelled: {place}: {_again(job)}")
    if ending.kind == "stopped":
        raise U2UError(f"the job was stopped before its end{_because(ending)}: {place}: {_again(job)}")
    raise U2UError(f"the recipe ended with an error, which stands above{_because(ending)}: {place}: correct it")


def _again(job: JobInfo) -> str:
    """Return what happens if the command that started a job is given again."""
    does = "resumes from the last checkpoint" if resumes(job.command or ()) else "starts again from the beginning"
    return f"the same command as before {does}, and costs again"


def _cost(job: JobInfo, seconds: int) -> str:
    try:
        return jobs.usd(jobs.cost(jobs.flavor(str(job.flavor)), seconds))
    except U2UError:  # its computer is not offered any more, or the Hub does not answer: the job has ended all the same
        return ""


def _because(ending: jobs.Ending) -> str:
    return f" ({ending.message})" if ending.message else ""
