"""A project's training on hardware that is rented from the Hugging Face Hub: recipes/remote.py, as a page runs it.

The job itself is a run of the step "train", so that it is seen as a training here is. What comes before and after it
are runs of their own, `RUNS`. Only the recipe speaks with the Hub; a page shows what it notes of its job (`Run.job`)
and what it writes.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from typing import Any, TypeGuard

from u2u_hf.command_line.recipe_commands import recipes_folder
from u2u_hf.hub import jobs
from u2u_hf.project import runs
from u2u_hf.project.commands import command
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import PREPARE, TRAIN

HARDWARE, UPLOAD, PRICE, CANCEL, FETCH = RUNS = ("hardware", "upload", "price", "cancel", "fetch")
SETTINGS = "rented"  # PROJECT/rented.yaml
# How a job is, or why there is none. Unseen: this computer lost sight of it; it may go on, and cost. Refused: it was
# not started. Stopped: by the end of its time, or because its computer was lost.
RUNNING, FINISHED, CANCELLED, STOPPED, FAILED, UNSEEN, REFUSED = (
    "running",
    "finished",
    "cancelled",
    "stopped",
    "failed",
    "unseen",
    "refused",
)
_KEPT_S = 15 * 60  # a price is not agreed to much later: the Hub may have changed it
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_OFFER = re.compile(r"^(rents|costs|runs|reads|uploads|gives|writes|resumes|!) +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Wish:
    """What a person chose.

    Attributes:
        repository: OWNER/NAME of the recogniser on the Hub; its dataset is OWNER/NAME-data there, as grow.py has it.
        flavor: name of the hardware.
        time_budget: longest time to pay for.
    """

    repository: str = ""
    flavor: str = ""
    time_budget: str = "3h"

    @property
    def dataset(self) -> str:
        return f"{self.repository}-data"

    @property
    def is_complete(self) -> bool:
        return bool(self.repository and self.flavor)


@dataclass(frozen=True)
class Offer:
    """What recipes/remote.py says that a job does, costs and sends, before it asks.

    Attributes:
        lines: (verb, what).
        most: the highest price, as it writes it.
    """

    lines: list[tuple[str, str]]
    most: str


def wish(project: Project) -> Wish:
    """Return what was chosen; of a damaged value, the default.

    Raises:
        U2UError: rented.yaml is damaged.
    """
    found = project.settings(SETTINGS)
    return Wish(**{name: str(found[name]) for name in Wish.__dataclass_fields__ if found.get(name)})


def set_wish(project: Project, **changed: Any) -> None:
    """Write what was chosen into rented.yaml.

    Raises:
        U2UError: it is damaged, or cannot be written.
    """
    project.set_settings(SETTINGS, project.settings(SETTINGS) | changed)


def is_repository(name: str) -> bool:
    """Return whether a name is of the form OWNER/NAME."""
    return bool(_REPOSITORY.fullmatch(name))


def hardware_command() -> list[str]:
    """Return the command that lists the hardware with its prices."""
    return _remote()


def upload_command(project: Project) -> list[str]:
    """Return the command that prepares the dataset again and pushes it to a private repository."""
    return [*command(project, PREPARE), "--push_to", wish(project).dataset]


def price_command(project: Project) -> list[str]:
    """Return the command that says what a job costs, sends and does; it starts nothing where nobody says yes."""
    chosen, config = wish(project), project.config("train")
    rented = ["--flavor", chosen.flavor, "--time_budget", chosen.time_budget, "--secret", "HF_TOKEN"]
    settings = ["--config", str(config)] if config.is_file() else []
    # The time budget of a training here says nothing about one there, which gets what the job's own leaves for it.
    no_budget = ["--time_budget="] if project.settings("train").get("time_budget") else []
    return [
        *_remote(*rented),
        *("--", "train.py", *settings, *no_budget),
        *("--dataset", chosen.dataset, "--push_to", chosen.repository),
    ]


def rent_command(project: Project) -> list[str]:
    """Return the command that starts the job, or watches the one that runs already, without asking."""
    words = price_command(project)
    at = words.index("--")
    return [*words[:at], "--yes", *words[at:]]


def watch_command(job_id: str) -> list[str]:
    """Return the command that shows a job's log and end."""
    return _remote("--watch", job_id)


def cancel_command(job_id: str) -> list[str]:
    """Return the command that ends a job."""
    return _remote("--cancel", job_id)


def fetch_command(project: Project) -> list[str]:
    """Return the command that downloads the recogniser into the project."""
    repository = repository_of(project, runs.find(project.folder, TRAIN))
    return _remote("--fetch", repository, "--output_dir", str(project.model))


def _remote(*words: str) -> list[str]:
    return [sys.executable, str(recipes_folder() / "remote.py"), *words]


def hardware(project: Project) -> list[tuple[str, str, str]]:
    """Return name, description and price an hour of each hardware, as it was listed last."""
    run = runs.find(project.folder, HARDWARE)
    return jobs.table_rows(run.text()) if run and run.state == runs.DONE else []


def offer(project: Project) -> Offer | None:
    """Return the offer that was asked for; None if there is none, it is old, or its job is finished.

    None too if the settings have changed since.
    """
    run = runs.find(project.folder, PRICE)
    if not run or run.state != runs.DONE or time.time() - run.began > _KEPT_S:
        return None
    if list(run.asked) != price_command(project) or _changed(project) > run.began:
        return None
    job = runs.find(project.folder, TRAIN)
    if is_rented(job) and job.began > run.began and ending(job) == FINISHED:
        return None
    lines = _OFFER.findall(run.text())
    price = re.match(r"at most (\$[\d.]+)", dict(lines).get("costs", ""))
    return Offer(lines, price[1]) if price else None


def _changed(project: Project) -> float:
    try:
        return project.config("train").stat().st_mtime
    except OSError:
        return 0.0


def is_rented(run: runs.Run | None) -> TypeGuard[runs.Run]:
    """Return whether a run of a training is one on rented hardware."""
    return run is not None and str(recipes_folder() / "remote.py") in run.command


def ending(run: runs.Run) -> str:
    """Return how the job of a run is, one of the seven above."""
    if run.state == runs.RUNNING:
        return RUNNING
    # Unless it told how its job ended, a job may go on and cost: its watcher was killed, for example.
    return run.job.ending or (UNSEEN if run.job.job else REFUSED)


def repository_of(project: Project, run: runs.Run | None) -> str:
    """Return where a run's job pushes the recogniser to; where the run only watches, the name in the form."""
    words = list(run.command) if is_rented(run) else []
    return words[words.index("--push_to") + 1] if "--push_to" in words else wish(project).repository


def recipe_error(run: runs.Run) -> str:
    """Return what the recipe on the rented computer said last about its error, or the empty string."""
    said = [line for line in run.text(60_000).splitlines() if line.startswith("error: ")]
    return said[-2].removeprefix("error: ") if len(said) > 1 else ""
