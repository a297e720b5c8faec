import math
from types import SimpleNamespace

import pytest
import torch

from u2u_hf.model_folder import AVERAGE
from u2u_hf.training.averaging import Average


def step(average, model, progress, at, value):
    progress.step = at
    torch.nn.init.constant_(model.weight, value)
    average.on_step_end(None, None, None)


@pytest.fixture
def following():
    model = torch.nn.Linear(1, 1, bias=False)
    progress = SimpleNamespace(step=0, total=100)
    return model, progress, Average(model, progress)


def test_it_begins_in_the_middle_and_what_is_a_twentieth_of_the_run_old_counts_for_a_third(following):
    model, progress, average = following
    step(average, model, progress, 49, 100.0)
    assert not average
    step(average, model, progress, 50, 1.0)
    assert average
    step(average, model, progress, 55, 0.0)
    average.swap()
    assert model.weight.item() == pytest.approx(math.exp(-1))
    average.swap()
    assert model.weight.item() == 0


def test_it_does_not_depend_on_how_many_steps_a_share_of_the_run_has(following):
    model, progress, average = following
    for at in (50, 51, 52, 53, 54, 55):
        step(average, model, progress, at, 1.0 if at == 50 else 0.0)
    average.swap()
    assert model.weight.item() == pytest.approx(math.exp(-1))


def test_it_goes_on_from_a_checkpoint_and_begins_anew_without(following, tmp_path):
    model, progress, average = following
    average.save(tmp_path)
    assert not (tmp_path / AVERAGE).exists()
    step(average, model, progress, 50, 1.0)
    average.save(tmp_path)
    other = Average(model, progress)
    other.load(tmp_path)
    step(other, model, progress, 60, 0.0)
    other.swap()
    assert model.weight.item() == pytest.approx(math.exp(-2))
    other.load(None)
    assert not other


@pytest.mark.parametrize("before", [50, 20])
def test_of_a_run_that_was_made_longer_it_begins_anew(following, before):
    """What was the end of 100 steps is the middle of 200, or earlier: the old weights are no part of the average."""
    model, progress, average = following
    step(average, model, progress, 100, 7.0)
    progress.total = 200 if before == 50 else 500
    step(average, model, progress, 101, 1.0)
    assert bool(average) == (before == 50)
    step(average, model, progress, progress.total * 0.55, 1.0)
    average.swap()
    assert model.weight.item() == pytest.approx(1.0)


def test_weights_that_do_not_learn_are_left_alone(following):
    _, progress, _ = following
    model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False))
    model[0].requires_grad_(False)
    average = Average(model, progress)
    step(average, model[1], progress, 50, 1.0)
    torch.nn.init.constant_(model[0].weight, 5.0)
    average.swap()
    assert model[0].weight.item() == 5.0
