"""A recipe on a rented computer of the Hugging Face Hub: what it costs and sends, its start and its end."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, JobHardwareInfo, JobInfo, constants, get_token
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from u2u_hf.hub import jobs
from u2u_hf.hub.job_code import ENVIRONMENT, IMAGE, TOKEN, code_files, job_command, push_code, resumes
from u2u_hf.hub.problems import hub_problem, log_in
from u2u_hf.hub.push import check_push
from u2u_hf.model_folder import LAST, SETTINGS, STATE
from u2u_hf.records import U2UError
from u2u_hf.settings import as_flags, duration, seconds_of, setting

CODE = "u2u-hf-code"  # name of the repository with the project's code, in the user's account
_LABEL = "u2u-hf"  # of our jobs; its value is the repository that the job writes to
RECIPES = ("train.py", "export.py", "language_model.py")  # which push what they make, and read what is on the Hub
# Settings of recipes that name what is read → its kind on the Hub.
_READS = {"dataset": "dataset", "model": "model", "untranscribed": "dataset"}
_LENGTHS = {"--time_budget", "--max_steps", "--num_train_epochs"}  # flags that say how long train.py trains


@dataclass
class Rental:
    """Which computer is rented, for how long, and the token that its job has."""

    flavor: str = setting("", help="computer to rent, such as t4-small; without it, all are listed with their prices")
    time_budget: str = setting("3h", help="longest time to pay for, installing included; a longer training costs more")
    secret: str = setting("", help="environment variable with the token for the job; HF_TOKEN: your login, if not set")


@dataclass(frozen=True)
class Source:
    """A dataset or model on the Hub that a job reads."""

    kind: str
    id: str
    private: bool


@dataclass(frozen=True)
class Secret:
    """A token and where it comes from: an environment variable, or the login of this computer."""

    source: str
    value: str = field(repr=False)

    def hide(self, text: str) -> str:
        """Return a text without the token."""
        return text.replace(self.value, "…")


@dataclass(frozen=True)
class Plan:
    """A job that can be started.

    Attributes:
        account: the user's name on the Hub.
        recipe: file name.
        words: the recipe's arguments, but for those that depend on the job.
        reads: what the job reads from the Hub.
        push_to: repository that it writes to.
        public: whether that may be public.
        computer: that is rented.
        seconds: longest time to pay for.
        files: the project's code.
        resumable: whether the same job, started again, resumes from a checkpoint in `push_to`.
        step: training step of the checkpoint that is resumed, or 0.
        trained: seconds of training up to there.
        finished: whether `push_to` has a finished model.
    """

    account: str
    recipe: str
    words: tuple[str, ...]
    reads: tuple[Source, ...]
    push_to: str
    public: bool
    computer: JobHardwareInfo
    seconds: int
    secret: Secret
    files: dict[str, Path]
    resumable: bool
    step: int
    trained: float
    finished: bool

    @property
    def code_repo(self) -> str:
        """Return the repository with the project's code."""
        return f"{self.account}/{CODE}"

    @property
    def most(self) -> str:
        """Return what it costs at most."""
        return jobs.usd(jobs.cost(self.computer, self.seconds))


def make_plan(recipe: Path, filled: Sequence[Any], rental: Rental) -> Plan:
    """Return the plan of a job that runs a recipe. Nothing is uploaded, created or started.

    Args:
        recipe: its file in this project.
        filled: its settings, as `u2u_hf.cli.understood` returns them.

    Raises:
        U2UError: the recipe needs what is on this computer only, or pushes nothing; there is no such computer to rent;
            the token is missing, or may not read what the recipe reads.
    """
    values = {name: value for item in filled for name, value in vars(item).items()}
    seconds = round(seconds_of(rental.time_budget))
    secret = _secret(rental.secret)
    words = as_flags(*filled, but=("output_dir",))
    _require_no_token(words, secret)
    if not values.get("push_to"):
        raise U2UError(f"{recipe.name}: add --push_to OWNER/NAME: the job's computer is erased at its end")
    names = {flag: values[flag] for flag in _READS if values.get(flag)}
    _require_on_hub(names, words, values["push_to"])
    _require_fitting(recipe.name, values, seconds)
    files = code_files(recipe.parent.parent)
    with jobs.in_words("your login", "write"):
        account = HfApi().whoami()["name"]
    computer = jobs.flavor(rental.flavor)
    reads = tuple(_source(flag, name, secret) for flag, name in names.items())
    resumable = resumes([f"recipes/{recipe.name}", *words])
    step, trained = _checkpoint(values["push_to"]) if resumable else (0, 0.0)
    if trained:
        _require_time_left(values, words, seconds, trained)
    return Plan(
        account=account,
        recipe=recipe.name,
        words=tuple(words),
        reads=reads,
        push_to=values["push_to"],
        public=bool(values.get("public")),
        computer=computer,
        seconds=seconds,
        secret=secret,
        files=files,
        resumable=resumable,
        step=step,
        trained=trained,
        finished=recipe.name == "train.py" and not step and _is_finished(values["push_to"]),
    )


def described(plan: Plan) -> str:
    """Return what a plan does, costs and sends, for the user to agree to."""
    size = sum(path.stat().st_size for path in plan.files.values()) / 1e6
    price = jobs.usd(jobs.usd_an_hour(plan.computer))
    reads = ", ".join(f"{s.kind} {s.id} ({'private' if s.private else 'public'})" for s in plan.reads)
    seen = "public" if plan.public else "private"
    lines = [
        f"rents     {plan.computer.name}: {jobs.described(plan.computer)}",
        f"costs     at most {plan.most}: {duration(plan.seconds)} at {price} an hour, paid by the minute; less if it "
        "ends earlier. The Hub may also count the minutes of its start",
        f"runs      {plan.recipe} {' '.join(plan.words)}",
        f"reads     {reads or 'nothing'}, where it is, on the Hub",
        f"uploads   the code of u2u-hf, {len(plan.files)} files, {size:.1f} MB, to {plan.code_repo} (private). "
        "No recording and no annotation",
        f"gives     the token of {plan.secret.source} to the job, encrypted, as its secret HF_TOKEN",
        f"writes    to {plan.push_to} ({seen})",
    ]
    if plan.step:
        lines.append(f"resumes   at step {plan.step}, from the checkpoint in {plan.push_to}")
    if not plan.resumable:
        lines.append("!         cannot be resumed: if it is stopped, the same command starts again and costs again")
    if plan.finished:
        lines.append(f"!         {plan.push_to} holds a finished model: the job trains a new one in its place")
    return "\n".join(lines)


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
        if running := jobs.active(_LABEL, _label_of(plan.push_to)):
            self.job = running[0]
            self._write(
                f"{self.job.id} runs already for {plan.push_to}: watching it. It keeps the settings that it was "
                f"started with: for others, end it first: python recipes/remote.py --cancel {self.job.id}"
            )
            return
        check_push(plan.push_to, "model", plan.public)
        with jobs.in_words(plan.code_repo, "write"):
            self._revision = push_code(plan.files, plan.code_repo)
        for repo_id, write in ((plan.push_to, True), (plan.code_repo, False)):
            _require_access(repo_id, write, plan.secret)
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
        if left <= _set_up(self._plan.seconds):  # it would go into installing alone
            return ending
        more = jobs.usd(jobs.cost(self._plan.computer, left))
        self._write(
            f"! {self.job.id} was stopped after {duration(ran)}: resuming for the {duration(left)} that are "
            f"left: at most {more} more, within the {self._plan.most} that you agreed to"
        )
        self._start(left, _checkpoint(self._plan.push_to)[1])
        again = jobs.follow(self.job.id, self._write)
        return jobs.Ending(again.kind, None if again.seconds is None else ran + again.seconds, again.message)

    def _start(self, seconds: int, trained: float) -> None:
        plan = self._plan
        words = [*plan.words, "--output_dir", "model"]
        if plan.recipe == "train.py":
            words += ["--resume"] if plan.resumable and "--resume" not in words else []
            if not _LENGTHS & set(words):
                words += ["--time_budget", duration(training_seconds(plan.seconds, seconds, trained))]
        self._started = time.monotonic()
        command = job_command(plan.code_repo, self._revision, plan.recipe, words, jobs.gpus(plan.computer))
        try:
            with jobs.in_words("the job cannot be started", "write"):
                self.job = HfApi().run_job(
                    image=IMAGE,
                    command=command,
                    env=ENVIRONMENT,
                    secrets={"HF_TOKEN": plan.secret.value},
                    flavor=plan.computer.name,
                    timeout=seconds,
                    labels={_LABEL: _label_of(plan.push_to)},
                    namespace=plan.account,
                )
        except KeyboardInterrupt as stop:
            raise U2UError(
                f"stopped while the job was being started: it may run: see {constants.ENDPOINT}/settings/jobs"
            ) from stop
        self._write(f"job: {self.job.url}")


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
            again = f": {_again(job)}" if job.status.stage in jobs.ACTIVE else ""
            return f"{jobs.cancelled(job)}{again}"
        return (
            f"{job_id()} goes on, and costs. Its log again: python recipes/remote.py --watch {job_id()}. "
            f"To end it: python recipes/remote.py --cancel {job_id()}"
        )
    job = jobs.inspect(job_id())
    place = job.url
    if ending.seconds is not None:
        place += f" ({duration(ending.seconds) or '0s'}{_price(job, ending.seconds)})"
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


def _price(job: JobInfo, seconds: int) -> str:
    try:
        return f", about {jobs.usd(jobs.cost(jobs.flavor(str(job.flavor)), seconds))}"
    except U2UError:  # its computer is not offered any more, or the Hub does not answer: the job has ended all the same
        return ""


def _because(ending: jobs.Ending) -> str:
    return f" ({ending.message})" if ending.message else ""


def _set_up(seconds: float) -> float:
    """Return how much of a job's time is kept for installing the packages and for pushing the model."""
    return min(900.0, 0.2 * seconds)


def training_seconds(whole: int, seconds: int, trained: float) -> int:
    """Return the --time_budget of a training, which counts from its first start, over all its jobs.

    Args:
        whole: time that the user pays for.
        seconds: time of this job.
        trained: time trained before it.

    >>> training_seconds(10_800, 10_800, 0), training_seconds(10_800, 5400, 4500)
    (9900, 9000)
    """
    return max(1, round(min(whole - _set_up(whole), trained + seconds - _set_up(seconds))))


def _secret(name: str) -> Secret:
    advice = "--secret HF_TOKEN takes the variable HF_TOKEN, or else your login"
    if not name:
        raise U2UError(f"--secret: name the environment variable with the token that the job gets: {advice}")
    if name.startswith("hf_") or name == get_token():
        raise U2UError(
            "--secret: give the name of an environment variable, not the token: what is typed here is kept: replace "
            f"the token at {constants.ENDPOINT}/settings/tokens"
        )
    if value := os.environ.get(name, "").strip():
        return Secret(name, value)
    if name == "HF_TOKEN" and (value := get_token() or ""):
        return Secret("your login", value)
    raise U2UError(f"--secret {name}: this environment variable is empty: set it, or {log_in('write')}")


def _require_no_token(words: Sequence[str], secret: Secret) -> None:
    known = {secret.value, get_token() or secret.value}
    if any(TOKEN.search(word) or any(token in word for token in known) for word in words):
        raise U2UError("a token stands in the command, which everybody who sees the job could read: leave it out")


def _require_on_hub(names: dict[str, str], words: Sequence[str], push_to: str) -> None:
    if "--texts" in words:
        raise U2UError("--texts: the job cannot see this computer's files: run language_model.py with them here")
    for flag, name in names.items():
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or name.startswith("."):
            push = "the recipe that made it" if flag == "model" else "prepare.py"
            raise U2UError(
                f"--{flag} {name}: the job cannot see this computer's folders: give OWNER/NAME on the Hub, where "
                f"{push} puts it with --push_to"
            )
    there = {*names.values(), push_to}
    for flag, word in itertools.pairwise(words):
        # A number is never a path, though a file or folder here may have it as its name.
        if word in there or word.startswith("--") or re.fullmatch(r"[\d.e-]+", word):
            continue
        if os.path.exists(word) or os.path.isabs(word):
            raise U2UError(f"{flag} {word}: the job cannot see this computer's files: leave it out")


def _require_fitting(recipe: str, values: dict[str, Any], seconds: int) -> None:
    budget = values.get("budget_seconds") if recipe == "train.py" else None
    if budget and budget > seconds - _set_up(seconds):
        most = duration(int(seconds - _set_up(seconds)))
        raise U2UError(
            f"{recipe} --time_budget {values['time_budget']}: does not fit: the job has {duration(seconds)}, also to "
            f"install and to push: leave it out, or give {most} or less"
        )


def _require_time_left(values: dict[str, Any], words: Sequence[str], seconds: int, trained: float) -> None:
    """Raise U2UError if a resumed training would end at once: its time counts from its first start."""
    done = f"the run in {values['push_to']} has trained {duration(int(trained)) or '0s'} already"
    if budget := values.get("budget_seconds"):
        if trained >= budget:
            raise U2UError(f"train.py --time_budget {values['time_budget']}: {done}: give more")
    elif not _LENGTHS & set(words) and trained >= training_seconds(seconds, seconds, trained):
        raise U2UError(f"--time_budget {duration(seconds)}: {done}, and some time goes into installing: give more")


def _source(flag: str, name: str, secret: Secret) -> Source:
    kind = _READS[flag]
    try:
        return Source(kind, name, bool(HfApi().repo_info(name, repo_type=kind, token=secret.value).private))
    except Exception as error:  # of many types
        if isinstance(error, RepositoryNotFoundError):
            problem = f"is not on the Hub, or is private and the token of {secret.source} may not read it"
        else:
            problem = secret.hide(hub_problem(error))
        raise U2UError(f"--{flag} {name}: {problem}") from error


def _require_access(repo_id: str, write: bool, secret: Secret) -> None:
    try:
        HfApi().auth_check(repo_id, repo_type="model", write=write, token=secret.value)
    except Exception as error:  # of many types
        what = "write to" if write else "read"
        raise U2UError(
            f"{repo_id}: the token of {secret.source} may not {what} it: {secret.hide(hub_problem(error, 'write'))}"
        ) from error


def _checkpoint(repo_id: str) -> tuple[int, float]:
    """Return the step of a run's last checkpoint on the Hub, and the seconds trained until then; 0 without one."""
    try:
        with open(HfApi().hf_hub_download(repo_id, f"{LAST}/{STATE}"), encoding="utf-8") as file:
            state = json.load(file)
    except (EntryNotFoundError, RepositoryNotFoundError):
        return 0, 0.0
    except Exception as error:  # of many types
        raise U2UError(f"{repo_id}: its checkpoint cannot be read: {hub_problem(error)}") from error
    seconds = max((row.get("seconds", 0.0) for row in state.get("log_history", [])), default=0.0)
    return int(state["global_step"]), float(seconds)


def _is_finished(repo_id: str) -> bool:
    try:
        return HfApi().file_exists(repo_id, SETTINGS)
    except Exception as error:  # of many types
        raise U2UError(f"{repo_id}: {hub_problem(error)}") from error


def _label_of(repo_id: str) -> str:
    """Return a repository's name as a label of a job may be: letters, digits, - and _, at most 100.

    >>> _label_of("ana/my.ears")
    'ana-my-ears-1c5d2b1c'
    """
    digest = hashlib.sha256(repo_id.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', repo_id)[:80]}-{digest}"
