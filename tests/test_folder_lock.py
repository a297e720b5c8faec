"""Two runs never write into one folder: tested with a second process, forked or started, that holds the lock."""

import multiprocessing
import os
import signal
import time

import pytest

from u2u_hf import folder_lock, output_folder
from u2u_hf.records import U2UError

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None
pytestmark = pytest.mark.skipif(FORK is None, reason="the other process is a fork of this one")


def claim_and_wait(folder, recipe, connection):
    output_folder.claim(folder, recipe)
    connection.send("claimed")
    connection.recv()
    output_folder.give_back()
    connection.send("given back")
    connection.recv()


@pytest.fixture
def other():
    """Start a process that claims a folder for a recipe, and return it with a connection to it."""
    started = []

    def start(folder, recipe):
        here, there = FORK.Pipe()
        process = FORK.Process(target=claim_and_wait, args=(folder, recipe, there))
        process.start()
        started.append(process)
        assert here.recv() == "claimed"
        return process, here

    yield start
    for process in started:
        process.kill()
        process.join()
    output_folder.give_back()


@pytest.mark.parametrize("recipe", ["prepare.py", "train.py"])
def test_the_second_of_two_runs_stops(recipe, other, tmp_path):
    folder = tmp_path / "out"
    _, connection = other(folder, "train.py")
    with pytest.raises(U2UError, match=r"out: another run is writing into it: let it end, or choose another --output_"):
        output_folder.claim(folder, recipe)
    assert output_folder.made_by(folder) == "train.py"  # it is left as it was
    output_folder.claim(tmp_path / "another", recipe)
    connection.send("end")
    assert connection.recv() == "given back"
    assert not folder.exists()
    output_folder.claim(folder, recipe)
    assert output_folder.made_by(folder) == recipe


def test_a_killed_run_blocks_nobody(other, tmp_path):
    process, _ = other(tmp_path, "train.py")
    (tmp_path / "checkpoint-1").mkdir()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert (tmp_path / folder_lock.LOCK).exists()
    output_folder.claim(tmp_path, "train.py")
    output_folder.give_back()
    assert sorted(path.name for path in tmp_path.iterdir()) == [output_folder.MARKER, "checkpoint-1"]


def test_a_child_that_outlives_a_killed_run_blocks_nobody(tmp_path):
    """Forked data loader workers notice only after seconds that they are alone."""
    here, there = FORK.Pipe()

    def claim_and_fork():
        output_folder.claim(tmp_path, "train.py")
        worker = FORK.Process(target=there.recv, daemon=False)
        worker.start()
        there.send(worker.pid)
        signal.pause()

    process = FORK.Process(target=claim_and_fork)
    process.start()
    worker = here.recv()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    try:
        output_folder.claim(tmp_path, "train.py")
    finally:
        os.kill(worker, signal.SIGKILL)
        output_folder.give_back()


def test_an_export_waits_for_what_else_writes_into_the_models_folder(other, tmp_path):
    (tmp_path / "model").mkdir()
    other(tmp_path / "model", "train.py")
    with pytest.raises(U2UError, match="another run is writing into it"):
        output_folder.claim_for_model(tmp_path / "model", "export.py", str(tmp_path / "model"))


def test_one_run_may_claim_its_folder_twice(tmp_path):
    output_folder.claim(tmp_path, "train.py")
    output_folder.claim(tmp_path, "train.py")
    output_folder.give_back()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / folder_lock.LOCK).mkdir()
    with pytest.raises(U2UError, match=r"cannot be written to \(.*\): choose another --output_dir"):
        folder_lock.take(tmp_path)


def ask_for_a_moment(folder, connection):
    """As `is_held`, which has the lock while it looks, on a computer that lets it wait just then."""
    import fcntl

    with open(folder / folder_lock.LOCK, "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        connection.send("asks")
        connection.recv()
        time.sleep(0.05)


def test_who_only_asks_keeps_no_run_from_beginning(tmp_path):
    here, there = FORK.Pipe()
    process = FORK.Process(target=ask_for_a_moment, args=(tmp_path, there))
    process.start()
    assert here.recv() == "asks"
    here.send("go on")
    folder_lock.take(tmp_path)
    folder_lock.release(tmp_path)
    process.join()
