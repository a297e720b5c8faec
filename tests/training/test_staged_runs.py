"""Whole runs with untranscribed recordings, in processes of their own: killed, resumed, divided."""

import json
import os
import signal
import time

import pytest
from conftest import RECIPES
from safetensors.torch import load_file
from support import programs

PLAIN = "--mask_time 0 --mask_feature 0 --dropout 0 --layerdrop 0 --no_bf16 --use_cpu --batch_seconds 8".split()


@pytest.fixture(scope="module")
def command(demo_dataset, random_base, new_recording):
    def command(output_dir, *arguments):
        places = ["--dataset", demo_dataset, "--model", random_base, "--output_dir", output_dir]
        places += ["--untranscribed", new_recording.parent, "--learning_rate", 1e-3]
        places += ["--untranscribed_for", "pretraining", "self-training"]
        return [RECIPES / "train.py", *places, *PLAIN, *arguments]

    return command


def stop(command, marker, number):
    """Start, and send a signal once a file is there."""
    written = [marker.parents[4] / name for name in ("stdout", "stderr")]
    process = programs.start(command, *written)
    while not marker.exists() and process.is_alive():
        time.sleep(0.005)
    os.kill(process.pid, number)
    process.join(120)
    return process.exitcode


def same(one, other):
    expected, found = (load_file(folder / "model.safetensors") for folder in (one, other))
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        assert weights.allclose(found[name], atol=1e-5), name


def stages(folder):
    record = json.loads((folder / "stages" / "stages.json").read_text(encoding="utf-8"))
    return [(row["name"], row["steps"], row["scores"]) for row in record["stages"]]


def test_stopped_or_killed_in_each_stage_a_run_ends_as_if_it_had_not_been(command, tmp_path):
    settings = ["--max_steps", 66, "--eval_steps", 6, "--save_steps", 6, "--logging_steps", 1]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    programs.succeeded(command(whole, *settings))
    names = [name for name, *_ in stages(whole)]
    for number, name in enumerate(names):
        resumed = ["--resume"] if number else []
        marker = broken / "stages" / name / "checkpoint-6" / "trainer_state.json"
        sent, ends = (signal.SIGKILL, -signal.SIGKILL) if number else (signal.SIGTERM, 130)
        assert stop(command(broken, *settings, *resumed), marker, sent) == ends
    assert not (broken / "model.safetensors").exists()
    refused = programs.run(command(broken, *settings))
    assert "holds a run in stages: add --resume" in refused.stderr.splitlines()[-1]
    programs.succeeded(command(broken, *settings, "--resume"))
    assert stages(broken) == stages(whole)
    same(whole, broken)
    # What a kill at the very end leaves is removed by the same command.
    texts = broken / "stages" / "texts.json"
    texts.write_text("{}", encoding="utf-8")
    again = programs.succeeded(command(broken, *settings, "--resume"))
    assert [path.name for path in (broken / "stages").iterdir()] == ["stages.json"]
    finished = "this run is finished; to train longer, or with other settings, give another --output_dir"
    assert again.stdout == f"{broken}: {finished}\n"


def test_two_processes_do_what_one_does(command, tmp_path):
    settings = ["--max_steps", 33, "--eval_strategy", "no", "--save_strategy", "no", "--no_load_best_model_at_end"]
    programs.succeeded(command(tmp_path / "one", *settings, "--gradient_accumulation_steps", 2))
    programs.succeeded(command(tmp_path / "two", *settings), processes=2)
    one, two = (stages(tmp_path / name) for name in ("one", "two"))
    assert one == two
    same(tmp_path / "one", tmp_path / "two")
