"""evaluate.py --leave_out as a user runs it: whole, killed and resumed, divided, and what it refuses."""

import os

import pytest
from conftest import RECIPES
from support import programs

# Nothing random in training but the order of the batches, which a run that is resumed keeps.
PLAIN = "--mask_time 0 --mask_feature 0 --dropout 0 --layerdrop 0 --no_bf16 --use_cpu --logging_steps 1".split()
SHORT = "--max_steps 12 --eval_steps 4 --save_steps 4 --batch_seconds 16 --learning_rate 1e-3".split()


@pytest.fixture(scope="module")
def model(demo_dataset, random_base, recipe, tmp_path_factory):
    """A model that train.py made from the random base, which writes nothing yet."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    places = ["--dataset", demo_dataset, "--model", random_base, "--output_dir", folder]
    result = recipe("train.py", *places, *PLAIN, *SHORT)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def command(model, demo_dataset, random_base):
    def command(output_dir, *arguments, what="recording"):
        places = ["--model", model, "--dataset", demo_dataset, "--base_model", random_base, "--output_dir", output_dir]
        return [RECIPES / "evaluate.py", *places, "--leave_out", what, *arguments]

    return command


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("whole") / "scores"
    done = programs.run(command(output_dir))
    assert done.returncode == 0, done.stderr
    return output_dir, done.stdout


def test_x(whole):
    out, stdout = whole
    print(stdout)
    print(os.listdir(out))
    print((out / "leave_out.json").read_text()[:5000])
