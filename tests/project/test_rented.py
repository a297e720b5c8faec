"""Rented hardware as a project sees it: the commands, and what is read from what remote.py writes."""

import os
import sys
import time

import pytest

from u2u_hf.command_line.recipe_commands import recipes_folder, shown
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
JOB = "https://huggingface.co/jobs/ana/0123"


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project")
    project.set_paths(tmp_path)
    rented.set_wish(project, repository="ana/ears", flavor="t4-small")
    return project


def ran(project, step, text, code=0, *more):
    """Return the run of a program that writes a text and ends."""
    words = [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})", *more]
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
    ran(project, "train", f"job: {JOB}\nerror: the job cannot be started: the Hub refuses", 1, recipe)
    assert rented.offer(project)
    ran(project, "train", f"job: {JOB}\nfinished: {JOB} (6m1s, about $0.05)", 0, recipe)
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
    ("text", "code", "how"),
    [
        (f"job: {JOB}\nfinished: {JOB} (6m1s, about $0.05)", 0, rented.FINISHED),
        (f"job: {JOB}\nerror: the job was cancelled: {JOB} (6m): the same command as before", 1, rented.CANCELLED),
        (f"job: {JOB}\nerror: the job was stopped before its end (Job timeout): {JOB}", 1, rented.STOPPED),
        (
            f"job: {JOB}\nerror: no data\nerror: the recipe ended with an error, which stands above (x): {JOB}: fix",
            1,
            rented.FAILED,
        ),
        (f"job: {JOB}\nerror: 0123: cannot be watched: no net. The job goes on, and costs: r.py", 1, rented.UNSEEN),
        (f"job: {JOB}\nstep 2", 137, rented.UNSEEN),
        (f"job: {JOB}\nstep 2\nOSError: [Errno 28]", 1, rented.UNSEEN),  # nothing told how the job is
        ("error: the job cannot be started: the Hub refuses", 1, rented.REFUSED),
        (f"job: {JOB}\nerror: the job cannot be started: the Hub refuses", 1, rented.REFUSED),
        ("step 2", 137, rented.REFUSED),
    ],
)
def test_how_a_job_is(project, text, code, how):
    run = ran(project, "train", text, code)
    assert rented.ending(run) == how
    assert rented.job_of(run) == (("0123", JOB) if "job: " in text else ("", ""))
    if how == rented.FINISHED:
        assert rented.spent(run) == ("6m1s", "$0.05")
    if how == rented.FAILED:
        assert rented.recipe_error(run) == "no data"


def test_only_rows_of_the_table_are_read():
    text = "flavor      what it has            an hour\ncpu-basic   no GPU; 2 vCPU; 16 GB    $0.01\ngive one of them"
    assert table_rows(text) == [("cpu-basic", "no GPU; 2 vCPU; 16 GB", "$0.01")]
