"""Runs as processes of their own: their end is known, whoever started them, and whoever was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from u2u_hf.project import runner, runs
from u2u_hf.records import U2UError

LONG = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]


def python(code):
    return [sys.executable, "-c", code]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def ended(folder, step="train"):
    return until(lambda: (run := runs.find(folder, step)) and run.state != runs.RUNNING and run)


def child_of(folder):
    """The process of the command itself, once it has written a line."""
    until(lambda: "here" in runs.find(folder, "train").text())
    pid = json.loads(runs.record_of(folder, "train").read_text())["pid"]
    return psutil.Process(pid), psutil.Process(pid).children()[0]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    for _ in range(2):
        runs.stop(tmp_path, "train")
    ended(tmp_path)


def test_how_a_run_ended_is_known(folder):
    runs.start(folder, "train", python("print('fine')"))
    done = ended(folder)
    assert (done.state, done.code, done.text()) == (runs.DONE, 0, "fine\n")
    runs.start(folder, "train", python("import sys; print('1 of 3'); sys.exit('error: a.eaf: is no ELAN file')"))
    failed = ended(folder)
    assert (failed.state, failed.code) == (runs.FAILED, 1)
    assert failed.error == "a.eaf: is no ELAN file"
    assert failed.ended >= failed.began
    runs.start(folder, "train", ["no-such-program"])
    assert ended(folder).code == 127


def test_that_some_files_were_skipped_is_no_error(folder):
    said = "import sys; print('! no text\\n! skipped a.eaf: is no ELAN file', flush=True);"
    for ending, is_partly in (
        ("sys.exit(3)", True),
        ("sys.exit(1)", False),
        ("sys.exit('error: b: cannot be written')", False),
        ("1 / 0", False),
        ("sys.exit()", False),
    ):
        runs.start(folder, "train", python(f"{said} {ending}"))
        run = ended(folder)
        assert (run.state == runs.SKIPPED, run.skipped) == (is_partly, ["a.eaf: is no ELAN file"])


@pytest.mark.parametrize(("online", "said"), [(False, "1"), (True, "None")])
def test_only_who_may_reaches_the_hub(folder, online, said, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    runs.start(folder, "train", python("import os; print(os.environ.get('HF_HUB_OFFLINE'))"), online=online)
    assert ended(folder).text().strip() == said


def test_a_run_outlives_its_server_and_another_one_stops_it(folder):
    code = f"""
import os, signal
from pathlib import Path
from u2u_hf.project import runs
runs.start(Path({str(folder)!r}), "train", {LONG!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run(python(code), check=False).returncode == -signal.SIGKILL
    assert runs.find(folder, "train").state == runs.RUNNING
    child_of(folder)
    with pytest.raises(U2UError, match=r"^train: is running already: stop it first"):
        runs.start(folder, "train", LONG)
    runs.stop(folder, "train")
    assert ended(folder).state == runs.STOPPED


def test_a_killed_run_is_told_from_one_that_failed(folder):
    runs.start(folder, "train", LONG)
    child_of(folder)[1].kill()
    killed = ended(folder)
    assert (killed.state, killed.was_killed) == (runs.FAILED, True)


def test_a_run_whose_end_nobody_saw_is_lost(folder):
    """As after the computer was switched off."""
    runs.start(folder, "train", LONG)
    top, child = child_of(folder)
    top.kill()
    assert runs.find(folder, "train").state == runs.RUNNING  # the recipe goes on without its runner
    child.kill()
    assert ended(folder).state == runs.LOST
    runs.start(folder, "train", python("print('again')"))
    assert ended(folder).state == runs.DONE


def test_a_recipe_without_its_runner_can_be_stopped(folder):
    runs.start(folder, "train", LONG)
    top, child = child_of(folder)
    top.kill()
    runs.stop(folder, "train")
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert ended(folder).state == runs.STOPPED


def test_a_process_with_the_same_number_is_another_one(folder):
    """Numbers of processes are used again, after a restart above all: this test's is not the training's."""
    record = runs.record_of(folder, "train")
    record.parent.mkdir()
    began = {"command": ["train"], "pid": os.getpid(), "created": psutil.Process().create_time() - 3600, "began": 1.0}
    record.write_text(json.dumps(began))
    assert runs.find(folder, "train").state == runs.LOST
    runs.stop(folder, "train")  # and is not hit


def test_what_asks_to_stop_is_heard_by_the_recipe(folder):
    """As a training, which then writes a checkpoint and exits with 130."""
    code = """
import signal, sys, time
def stop(number, frame):
    print("checkpoint", flush=True)
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
print("here", flush=True)
time.sleep(60)
"""
    runs.start(folder, "train", python(code))
    child_of(folder)
    runs.stop(folder, "train")
    stopped = ended(folder)
    assert (stopped.state, stopped.code) == (runs.STOPPED, 130)
    assert stopped.text().endswith("checkpoint\n")


def test_a_run_that_has_just_been_started_can_be_stopped(folder):
    runs.start(folder, "train", LONG)
    runs.stop(folder, "train")
    assert ended(folder).state == runs.STOPPED


def test_to_stop_a_run_that_has_ended_changes_nothing(folder):
    """Even if what it left behind has not ended, such as a worker that hangs."""
    runs.start(folder, "train", LONG)
    child_of(folder)
    record = runs.record_of(folder, "train")
    runner.ended(record).write_text('{"code": 1, "at": 2.0}')
    before = record.read_bytes()
    runs.stop(folder, "train")
    assert record.read_bytes() == before
    assert runs.find(folder, "train").state == runs.FAILED
    runner.ended(record).unlink()
    assert runs.find(folder, "train").state == runs.RUNNING


def test_a_project_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / runs.FOLDER).write_text("a file")
    with pytest.raises(U2UError, match="cannot be made"):
        runs.start(tmp_path, "train", LONG)


def test_damaged_records_are_no_runs(tmp_path):
    assert runs.find(tmp_path, "train") is None
    record = runs.record_of(tmp_path, "train")
    record.parent.mkdir()
    record.write_text('{"command": [')
    runner.ended(record).write_text("[]")
    assert runs.find(tmp_path, "train") is None
    assert runs.free_bytes(Path(tmp_path, "not", "yet")) > 0


def test_a_run_keeps_the_settings_that_it_was_started_with(folder):
    """A recipe is a few seconds under way until it reads them."""
    settings = folder / "train.yaml"
    settings.write_bytes("time_budget: 30s # ñ\nmodel: a".encode())
    code = "import sys, time, pathlib; time.sleep(1); print(pathlib.Path(sys.argv[2]).read_text(encoding='utf-8'))"
    runs.start(folder, "train", [*python(code), "--config", str(settings)])
    settings.write_text("time_budget: 9h\n")
    read = ended(folder).text().splitlines()
    assert read[:2] == ["time_budget: 30s # ñ", "model: a"]
    assert str(settings) in read[2]
    assert yaml.safe_load("\n".join(read)) == {"time_budget": "30s", "model": "a"}
    assert runs.find(folder, "train").state == runs.DONE
    settings.unlink()
    with pytest.raises(U2UError, match=r"/train\.yaml: cannot be read"):
        runs.start(folder, "train", [*python(code), "--config", str(settings)])
    assert runs.find(folder, "train").state == runs.DONE
