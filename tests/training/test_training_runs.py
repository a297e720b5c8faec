"""Whole training runs in processes of their own: stopped, killed, gone on with, divided."""

import json
import os
import signal
import time

import pytest
from conftest import RECIPES
from safetensors.torch import load_file
from support import programs

# Nothing random in training but the order of the batches, which a run that is gone on with keeps.
PLAIN = "--mask_time 0 --mask_feature 0 --dropout 0 --layerdrop 0 --no_bf16 --use_cpu".split()


@pytest.fixture(scope="module")
def command(demo_dataset, random_base):
    def command(output_dir, *arguments):
        places = ["--dataset", demo_dataset, "--model", random_base, "--output_dir", output_dir]
        return [RECIPES / "train.py", *places, *PLAIN, *arguments]

    return command


def stop(command, output_dir, step, number):
    """Start, and send a signal once the checkpoint of `step` is written whole."""
    written = [output_dir.with_suffix(suffix) for suffix in (".stdout", ".stderr")]
    process = programs.start(command, *written)
    marker = output_dir / f"checkpoint-{step}" / "trainer_state.json"
    while not marker.exists() and process.is_alive():
        time.sleep(0.005)
    os.kill(process.pid, number)
    process.join(120)
    stdout, stderr = (path.read_text(encoding="utf-8") for path in written)
    return process.exitcode, stdout, stderr


def steps(output_dir, last):
    state = json.loads((output_dir / f"checkpoint-{last}" / "trainer_state.json").read_text(encoding="utf-8"))
    return [row["step"] for row in state["log_history"] if "loss" in row]


def test_stopped_and_killed_a_run_ends_as_if_it_had_not_been(command, tmp_path):
    settings = ["--max_steps", 60, "--batch_seconds", 8, "--eval_steps", 5, "--save_steps", 5, "--logging_steps", 1]
    settings += ["--learning_rate", 1e-3]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    programs.succeeded(command(whole, *settings))

    # The first may come while an evaluation runs: the step after it is finished, and saved.
    code, stdout, stderr = stop(command(broken, *settings), broken, 5, signal.SIGTERM)
    assert code == 130, stderr
    assert "the same command with --resume resumes there" in stdout
    assert not (broken / "model.safetensors").exists()

    refused = programs.run(command(broken, *settings))
    assert refused.returncode == 1
    assert "add --resume to resume it" in refused.stderr.splitlines()[-1]

    code, _, stderr = stop(command(broken, *settings, "--resume"), broken, 25, signal.SIGKILL)
    assert code == -signal.SIGKILL, stderr

    programs.succeeded(command(broken, *settings, "--resume"))
    assert steps(broken, 60) == list(range(1, 61))
    again = programs.succeeded(command(broken, *settings, "--resume"))
    assert again.stdout == f"{broken}: this run is finished; to train on, give a higher --max_steps or --time_budget\n"
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, broken))
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        assert weights.allclose(found[name], atol=1e-6), name


def test_two_processes_learn_what_one_learns_from_the_same_batches(command, tmp_path):
    settings = ["--max_steps", 6, "--batch_seconds", 8, "--eval_strategy", "no", "--save_strategy", "no"]
    settings += ["--no_load_best_model_at_end", "--logging_steps", 1, "--learning_rate", 1e-3]
    settings += ["--hold_encoder", 0.3]
    programs.succeeded(command(tmp_path / "one", *settings, "--gradient_accumulation_steps", 2))
    programs.succeeded(command(tmp_path / "two", *settings), processes=2)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, weights in one.items():
        assert weights.allclose(two[name], atol=1e-5), name
