"""evaluate.py --leave_out as a user runs it: whole, stopped, killed and resumed, divided, and what it refuses."""

import json
import os
import shutil
import signal
import time

import pytest
from conftest import RECIPES
from support import programs
from support.html_pages import harmless

from u2u_hf.cross_validation.unseen import read_lines
from u2u_hf.demo.quickstart import BASE_MODEL

# Nothing random in training but the order of the batches, which a run that is resumed keeps.
PLAIN = "--mask_time 0 --mask_feature 0 --dropout 0 --layerdrop 0 --no_bf16 --use_cpu --logging_steps 1".split()
# The head alone learns, until the recogniser writes something.
SHORT = "--max_steps 15 --eval_steps 5 --save_steps 5 --batch_seconds 16 --hold_encoder 0.99".split()
SHORT += ["--head_learning_rate", "3e-2"]


@pytest.fixture(scope="module")
def model(demo_dataset, recipe, tmp_path_factory):
    """A model that train.py made from the demo's base."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    places = ["--dataset", demo_dataset, "--model", BASE_MODEL, "--output_dir", folder]
    result = recipe("train.py", *places, *PLAIN, *SHORT)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def command(model, demo_dataset):
    def command(output_dir, *arguments):
        places = ["--model", model, "--dataset", demo_dataset, "--base_model", BASE_MODEL, "--output_dir", output_dir]
        return [RECIPES / "evaluate.py", *places, "--leave_out", "recording", "--folds", 2, *arguments]

    return command


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    """The folder of a run that nobody stopped, and what it printed."""
    output_dir = tmp_path_factory.mktemp("whole") / "scores"
    done = programs.run(command(output_dir))
    assert done.returncode == 0, done.stderr
    return output_dir, done.stdout


def test_all_that_was_transcribed_is_scored(whole, demo_dataset):
    output_dir, stdout = whole
    assert "4 recordings left out in turn, in 2 trainings from " in stdout
    assert "each recording left out: CER " in stdout
    scores = json.loads((output_dir / "leave_out.json").read_text(encoding="utf-8"))
    assert scores["utterances"] == 24
    assert len(scores["by_recording"]) == 4
    low, high = scores["cer_interval"]
    assert low <= scores["cer"] <= high
    assert [(fold["utterances"], fold["steps"]) for fold in scores["folds"]] == [(12, 15), (12, 15)]
    found = read_lines(output_dir / "leave_out.jsonl")
    assert [unseen.row for unseen in found] == list(range(24))
    assert any(unseen.words and unseen.characters for unseen in found)
    for unseen in found:
        assert " ".join(word.text for word in unseen.words) == unseen.pair.hypothesis
        letters = "".join(character.symbol for character in unseen.characters)
        assert letters.replace("|", " ").split() == unseen.pair.hypothesis.split()
    harmless((output_dir / "evaluation.html").read_text(encoding="utf-8"))
    lines = (output_dir / "pairs.tsv").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 26
    assert lines[0].split("\t")[-2:] == ["reference", "hypothesis"]
    assert not list(output_dir.glob("fold_*"))


def test_stopped_and_killed_a_run_ends_as_if_it_had_not_been(command, whole, tmp_path):
    output_dir = tmp_path / "scores"
    stopped = stop(command(output_dir), output_dir / "fold_1" / "checkpoint-5", signal.SIGTERM)
    assert stopped == 130
    assert not (output_dir / "leave_out.json").exists()
    killed = stop(command(output_dir), output_dir / "fold_2" / "checkpoint-10", signal.SIGKILL)
    assert killed == -signal.SIGKILL
    assert {unseen.fold for unseen in read_lines(output_dir / "leave_out.jsonl")} == {1}
    done = programs.run(command(output_dir))
    assert done.returncode == 0, done.stderr
    assert "1 still to be trained" in done.stdout
    assert hypotheses(output_dir) == hypotheses(whole[0])
    assert not list(output_dir.glob("fold_*"))


def test_two_processes_score_each_utterance_once(command, tmp_path):
    done = programs.divided(command(tmp_path / "scores"), 2)
    assert done.returncode == 0, done.stderr
    assert [unseen.row for unseen in read_lines(tmp_path / "scores" / "leave_out.jsonl")] == list(range(24))
    assert done.stdout.count("left out in turn") == 1


def test_a_folder_of_another_run_is_refused(command, whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "scores")
    done = programs.run(command(tmp_path / "scores", "--time_budget", "1h"))
    assert done.stderr.splitlines()[-1].endswith(
        "was begun with another --time_budget: give the same as before, or another --output_dir"
    )
    done = programs.run(command(tmp_path / "scores", "--update_card"))
    assert "--update_card: the card has scores of a split: run without --leave_out for them" in done.stderr
    done = programs.run(command(tmp_path / "scores", "--split", "test"))
    assert "--split test: --leave_out scores all splits: give one of the two" in done.stderr


def stop(command, checkpoint, number):
    """Start, send a signal once a checkpoint is written whole, and return the exit status."""
    written = [checkpoint.parents[2] / name for name in ("stdout", "stderr")]
    process = programs.start(command, *written)
    while not (checkpoint / "trainer_state.json").exists() and process.is_alive():
        time.sleep(0.005)
    os.kill(process.pid, number)
    process.join(120)
    return process.exitcode


def hypotheses(output_dir):
    return [(one.row, one.fold, one.pair.hypothesis) for one in read_lines(output_dir / "leave_out.jsonl")]
