import pytest
import torch
from support.trainers import PLAIN
from transformers import TrainerCallback

from u2u_hf.recognition.families.registry import family_of
from u2u_hf.training import rate_test
from u2u_hf.training.rate_test import Rates, Rise, find_rates

pytest_plugins = ["support.trainers"]


class StopsAt(TrainerCallback):
    def __init__(self, step):
        self._step = step

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step == self._step


LONG = 480  # steps of which a tenth is what the test may take


@pytest.fixture
def untested(make):
    return lambda **settings: make(**{"learning_rate": None, "head_learning_rate": None, **PLAIN, **settings})


def test_a_loss_rises_when_its_mean_is_well_above_the_lowest():
    rise = Rise()
    # Means: 1, 0.85, 0.745, 0.77, 0.99 (0.745 * 1.2 + 0.1 = 0.994), 1.13.
    told = [rise.is_there(loss) for loss in (1.0, 0.5, 0.5, 0.83, 1.5, 1.5)]
    assert told == [False] * 5 + [True]


def test_the_lowest_mean_is_told_and_a_loss_that_is_no_number_rises():
    rise = Rise()
    lowest = []
    for loss in (1.0, 0.5, 0.9, 0.1):
        assert not rise.is_there(loss)
        lowest.append(rise.lowest)
    assert lowest == [True, True, False, True]
    assert rise.is_there(float("nan"))
    assert Rise().is_there(float("inf"))


def distance_to(trainer, head, encoder):
    """A loss that is lowest where each weight of the head and of the encoder has moved so far."""
    name = f"{family_of(trainer.model).head}."
    parts = []
    for key, weight in trainer.model.named_parameters():
        parts.append((weight, weight.detach().clone() + (head if name in key else encoder), name in key))

    def loss(model, inputs, **settings):
        return sum(((weight - target) ** 2).mean() * (1 if own else 0.01) for weight, target, own in parts)

    return loss


def test_rates_follow_how_far_the_weights_have_to_move(untested, monkeypatch):
    """Adam moves a weight by about the rate: weights that have to move ten times as far have ten times the rate."""
    found = []
    for far in (0.001, 0.01):
        trainer = untested()
        monkeypatch.setattr(trainer, "compute_loss", distance_to(trainer, far, far))
        found.append(find_rates(trainer, LONG, {}))
    near, far = found
    assert far.head / near.head == pytest.approx(10)
    assert far.encoder / near.encoder == pytest.approx(10)
    # The rates up to r, each 10^(1/8) times the one before, sum up to r / (1 - 10^(-1/8)) = 4 r: the way is gone at
    # 0.25 of it, or up to three steps later, because Adam's mean of gradients lags. Of this the encoder has half.
    assert 0.25 * 0.01 * 0.5 <= far.encoder <= 0.25 * 0.01 * 0.5 * 10 ** (3 / 8)


def test_the_model_and_random_numbers_are_as_before(untested):
    trainer = untested(dropout=0.5)
    before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
    learning = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    dropout = trainer.model.config.hidden_dropout
    torch.manual_seed(3)
    rates = find_rates(trainer, LONG, {})
    assert rates.head <= 1e-2
    assert 1e-5 * 0.5 <= rates.encoder <= 1e-1
    following = torch.rand(1)
    torch.manual_seed(3)
    assert following == torch.rand(1)
    after = dict(trainer.model.named_parameters())
    assert all(torch.equal(before[name], weight) for name, weight in after.items())
    assert {name for name, weight in after.items() if weight.requires_grad} == learning
    assert all(weight.grad is None for weight in after.values())
    assert trainer.model.config.hidden_dropout == dropout == 0.5


def test_an_encoder_is_copied_once(untested, monkeypatch):
    """Of a large one, a copy at each rate would be gigabytes."""
    trainer, copies, sizes = untested(), rate_test._copies, []
    monkeypatch.setattr(rate_test, "_copies", lambda weights: sizes.append(len(weights)) or copies(weights))
    find_rates(trainer, LONG, {})
    head = [name for name, _ in trainer.model.named_parameters() if f"{family_of(trainer.model).head}." in name]
    all_of_them = sum(weight.requires_grad for weight in trainer.model.parameters())
    assert [size for size in sizes if size > len(head)] == [all_of_them]


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_large_encoder_gets_no_rate_beyond_published_ones(untested, monkeypatch, frozen):
    trainer = untested(freeze_layers=frozen)
    weights = sum(weight.numel() for weight in trainer.model.parameters())
    monkeypatch.setattr(rate_test, "_LARGE", weights - 1)  # with layers frozen, fewer learn
    monkeypatch.setattr(trainer, "compute_loss", distance_to(trainer, 0.01, 0.01))  # 1.25e-3 at least, see above
    assert find_rates(trainer, LONG, {}).encoder == pytest.approx(3e-4)


def test_of_a_run_in_stages_the_whole_length_counts(untested):
    """The first stage has 3 of 5 parts: 288 of 480 steps."""
    trainer = untested()
    assert find_rates(trainer, 288, {}) is None
    trainer.args.part_of_run = 0.6
    assert find_rates(trainer, 288, {})
    assert find_rates(trainer, 287, {}) is None


def test_a_rate_that_is_given_is_taken(untested):
    assert find_rates(untested(), LONG, {"head_learning_rate": 0.02}).head == 0.02
    assert find_rates(untested(), LONG, {"learning_rate": 0.03}).encoder == 0.03


def test_a_run_is_as_if_the_rates_had_been_given(untested, make):
    def weights(trainer):
        trainer.train()
        return trainer.rates, torch.cat([weight.detach().flatten() for weight in trainer.model.parameters()])

    tested = untested(max_steps=LONG)
    tested.add_callback(StopsAt(4))
    rates, end = weights(tested)
    given = make(max_steps=LONG, **rates, **PLAIN)
    given.add_callback(StopsAt(4))
    assert given.args.given_rates == rates
    assert torch.equal(weights(given)[1], end)


def test_a_resumed_run_keeps_its_rates(untested, tmp_path):
    settings = {"max_steps": LONG, "save_strategy": "steps", "save_steps": 2}
    first = untested(**settings)
    first.add_callback(StopsAt(2))
    first.train()
    resumed = untested(**settings, seed=1)  # a test would learn from other batches
    resumed.add_callback(StopsAt(3))
    resumed.train(tmp_path / "run" / "checkpoint-2")
    assert resumed.state.global_step == 3
    assert resumed.rates == first.rates != {"learning_rate": 5e-5, "head_learning_rate": 1e-3}


def test_a_short_run_takes_the_usual_rates(untested, capsys):
    assert find_rates(untested(), LONG - 1, {}) is None
    trainer = untested(max_steps=1)
    trainer.train()
    assert trainer.rates == {"learning_rate": 5e-5, "head_learning_rate": 1e-3}
    assert "the usual one of mHuBERT-147, because the run is too short to test it" in capsys.readouterr().out


def test_with_a_time_budget_what_a_step_takes_decides(untested):
    trainer = untested(time_budget="100s")
    now = iter(range(1000))
    trainer.progress.clock = lambda: 0.21 * next(now)  # 48 steps of 0.21 s are more than a tenth
    assert find_rates(trainer, 10**6, {}) is None
    trainer.progress.clock = lambda: 0.2 * next(now)
    assert isinstance(find_rates(trainer, 10**6, {}), Rates)
