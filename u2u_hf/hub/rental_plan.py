"""A plan for a recipe on a rented computer of the Hugging Face Hub: what it costs, reads, sends and writes."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, JobHardwareInfo, constants, get_token
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from u2u_hf.hub import jobs
from u2u_hf.hub.job_code import TOKEN, code_files, resumes
from u2u_hf.hub.problems import hub_problem, in_one_line, log_in
from u2u_hf.model_folder import LAST, SETTINGS, STATE
from u2u_hf.records import U2UError
from u2u_hf.settings import as_flags, duration, seconds_of, setting

CODE = "u2u-hf-code"  # name of the repository with the project's code, in the user's account
LABEL = "u2u-hf"  # of our jobs; its value is the repository that the job writes to
RECIPES = ("train.py", "export.py", "language_model.py")  # which push what they make, and read what is on the Hub
# Settings of recipes that name what is read → its kind on the Hub.
_READS = {"dataset": "dataset", "model": "model", "untranscribed": "dataset"}
LENGTHS = {"--time_budget", "--max_steps", "--num_train_epochs"}  # flags that say how long train.py trains


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
    with in_one_line("your login", "write"):
        account = HfApi().whoami()["name"]
    computer = jobs.flavor(rental.flavor)
    reads = tuple(_source(flag, name, secret) for flag, name in names.items())
    resumable = resumes([f"recipes/{recipe.name}", *words])
    step, trained = checkpoint(values["push_to"]) if resumable else (0, 0.0)
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


def set_up_seconds(seconds: float) -> float:
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
    return max(1, round(min(whole - set_up_seconds(whole), trained + seconds - set_up_seconds(seconds))))


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
    if budget and budget > seconds - set_up_seconds(seconds):
        most = duration(int(seconds - set_up_seconds(seconds)))
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
    elif not LENGTHS & set(words) and trained >= training_seconds(seconds, seconds, trained):
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


def require_access(repo_id: str, write: bool, secret: Secret) -> None:
    try:
        HfApi().auth_check(repo_id, repo_type="model", write=write, token=secret.value)
    except Exception as error:  # of many types
        what = "write to" if write else "read"
        raise U2UError(
            f"{repo_id}: the token of {secret.source} may not {what} it: {secret.hide(hub_problem(error, 'write'))}"
        ) from error


def checkpoint(repo_id: str) -> tuple[int, float]:
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


def label_of(repo_id: str) -> str:
    """Return a repository's name as a label of a job may be: letters, digits, - and _, at most 100.

    >>> label_of("ana/my.ears")
    'ana-my-ears-1c5d2b1c'
    """
    digest = hashlib.sha256(repo_id.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', repo_id)[:80]}-{digest}"
