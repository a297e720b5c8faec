"""Rented hardware as a project sees it: the commands, and what is read from what remote.py writes."""

import os
import sys
import time

import pytest

from u2u_hf.command_line.recipe_commands import recipes_folder, shown
from u2u_hf.hub.job_state import JobState
from u2u_hf.hub.jobs import table_rows
from u2u_hf.project import rented, runs
from u2u_hf.project.folder import Project

OFFER = """rents     t4-small: 1 × Nvidia T4, 16 GB; 4 vCPU; 15 GB
costs     at most $1.20: 3h at $0.40 an hour, paid by the minute
writes    to ana/ears (private)
!         ana/ears holds a finished model: the job trains a new one in its place
Start it? [y/N]
nothing was started or uploaded
"""
STARTED = {"job": "0123", "url": "https://huggingface.co/jobs/ana/0123"}


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project")
    project.set_paths(tmp_path)
    rented.set_wish(project, repository="ana/ears", flavor="t4-small")
    return project


def ran(project, step, text, code=0, *more, noted=()):
    """Return the run of a program that notes states of a job, writes a text, and ends."""
    notes = "".join(f"note(JobState(**{state!r}));" for state in noted)
    says = f"import sys; from u2u_hf.hub.job_state import JobState, note; {notes} print({text!r}); sys.exit({code})"
    words = [sys.executable, "-c", says, *more]
    runs.start(project.folder, step, words)
    deadline = time.monotonic() + 20
    while runs.find(project.folder, step).state == runs.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return runs.find(project.folder, step)


def test_the_commands_are_those_of_the_recipe(project, understood, monkeypatch):
    monkeypatch.setenv("PATH", "")
    rent = "python recipes/remote.py --flavor t4-small --time_budget 3h --secret HF_TOKEN"
    reads = "--dataset ana/ears-data --push_to ana/ears"
    assert shown(rented.price_command(project)) == f"{rent} -- train.py {reads}"
    project.set_settings("train", {"max_steps": 9})
    config = project.config("train")
    assert shown(rented.rent_command(project)) == f"{rent} --yes -- train.py --config {config} {reads}"
    project.set_settings("train", {"time_budget": "20s"})  # of a training here
    assert f"--config {config} --time_budget= --dataset" in shown(rented.price_command(project))
    for command in (
        rented.hardware_command(),
        rented.upload_command(project),
        rented.watch_command("0"),
        rented.cancel_command("0"),
        rented.fetch_command(project),
    ):
        understood(shown(command))


@pytest.mark.parametrize("name", ["ana/ears", "a.b-c/d_e"])
def test_names_on_the_hub(name):
    assert rented.is_repository(name)
    for other in ("hf_" + "aB3" * 12, name.replace("/", ""), f"{name}/x", f"../{name}", f"{name} ", f"-{name}", ""):
        assert not rented.is_repository(other)


def test_an_offer_is_for_what_was_asked(project, monkeypatch):
    assert rented.offer(project) is None
    project.set_settings("train", {"max_steps": 8})
    run = ran(project, rented.PRICE, OFFER, 0, "--config", str(project.config("train")))
    assert rented.offer(project) is None  # another command
    asked = [*run.command[:3], "--config", str(project.config("train"))]  # and read a copy of the settings
    monkeypatch.setattr(rented, "price_command", lambda project: asked)
    found = rented.offer(project)
    assert found.most == "$1.20"
    assert [verb for verb, _ in found.lines] == ["rents", "costs", "writes", "!"]
    recipe = str(recipes_folder() / "remote.py")
    ran(project, "train", "error: the job cannot be started: the Hub refuses", 1, recipe)
    assert rented.offer(project)
    ran(project, "train", "step 2", 0, recipe, noted=[STARTED | {"ending": "finished"}])
    assert rented.offer(project) is None  # it was paid: a second press would pay again
    runs.record_of(project.folder, "train").unlink()
    project.set_settings("train", {"max_steps": 9})
    later = time.time() + 10
    os.utime(project.config("train"), (later, later))  # the settings of the training have changed since
    assert rented.offer(project) is None
    os.utime(project.config("train"), (1, 1))
    assert rented.offer(project)
    now = time.time()
    monkeypatch.setattr(rented.time, "time", lambda: now + 3600)
    assert rented.offer(project) is None


@pytest.mark.parametrize(
    ("noted", "code", "how"),
    [
        ([STARTED, STARTED | {"ending": "finished", "time": "6m1s", "cost": "$0.05"}], 0, rented.FINISHED),
        ([STARTED, STARTED | {"ending": "cancelled"}], 1, rented.CANCELLED),
        ([STARTED, STARTED | {"ending": "stopped"}], 1, rented.STOPPED),
        ([STARTED, STARTED | {"ending": "failed"}], 1, rented.FAILED),
        ([STARTED], 1, rented.UNSEEN),  # nothing told how the job is
        ([STARTED], 137, rented.UNSEEN),
        ([STARTED], 0, rented.UNSEEN),
        ([], 1, rented.REFUSED),
        ([STARTED, {}], 1, rented.REFUSED),  # it was stopped, and the Hub refused to start another
    ],
)
def test_how_a_job_is(project, noted, code, how):
    run = ran(project, "train", "step 2\nerror: no data\nerror: the job ended: correct it", code, noted=noted)
    assert rented.ending(run) == how
    assert run.job == JobState(**(noted[-1] if noted else {}))
    assert rented.recipe_error(run) == "no data"


def test_only_rows_of_the_table_are_read():
    text = "flavor      what it has            an hour\ncpu-basic   no GPU; 2 vCPU; 16 GB    $0.01\ngive one of them"
    assert table_rows(text) == [("cpu-basic", "no GPU; 2 vCPU; 16 GB", "$0.01")]
