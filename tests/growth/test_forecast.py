"""The forecast covers what comes, says little where little is known, and nothing where nothing is."""

import numpy as np
import pytest

from u2u_hf.growth.forecast import Trial, forecasts
from u2u_hf.growth.learning_curve import PARTS, part

HOURS = tuple(share for share, _ in PARTS)


def trials(rates, seed=0, utterances=120):
    """Trials with these error rates, on utterances of six recordings."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(15, 40, utterances)
    made = [Trial(h, rng.binomial(lengths, rate), lengths) for h, rate in zip(HOURS, rates, strict=True)]
    return made, [f"r{number % 6}" for number in range(utterances)]


@pytest.mark.parametrize(("exponent", "floor", "noise"), [(0.3, 0.0, 0.03), (0.5, 0.4, 0.06), (0.2, 0.0, 0.08)])
def test_the_interval_covers_the_later_truth_in_four_of_five_runs(exponent, floor, noise):
    hit, told = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)

        def measured(hours, rng=rng):
            law = 0.2 * (floor + (1 - floor) * hours**-exponent)
            return min(0.95, law * np.exp(noise * rng.standard_normal()))

        given, recordings = trials([measured(hours) for hours in HOURS], seed)
        [found] = forecasts(given, recordings, measured(1.0), [1.0], seed)
        if found.interval:
            told += 1
            hit += found.interval[0] <= measured(2.0) <= found.interval[1]
    assert told >= 20
    assert hit >= 0.8 * told


def test_the_median_follows_an_exact_law():
    """An hour has 20 % wrong, half an hour 20 % · 2^0.5: two hours have 20 % / 2^0.5 = 14.1 %."""
    given, recordings = trials([0.2 * hours**-0.5 for hours in HOURS], utterances=3000)
    short, double, far = forecasts(given, recordings, 0.2, [0.5, 1.0, 50.0])
    assert double.rate == pytest.approx(0.2 / 2**0.5, rel=0.08)
    assert short.rate > double.rate
    assert short.interval[1] - short.interval[0] < double.interval[1] - double.interval[0] or double.rate < short.rate
    assert (far.rate, far.interval) == (None, None)
    assert far.why_not.startswith("it may be anything from ")


def test_it_is_relative_to_the_recogniser_in_use():
    given, recordings = trials([0.4 * hours**-0.5 for hours in HOURS])
    one, other = (forecasts(given, recordings, now, [1.0])[0] for now in (0.1, 0.2))
    assert other.rate == pytest.approx(2 * one.rate)


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ((0.3,) * 5, "the trainings do not show that more speech helps"),
        ((0.2, 0.2, 0.3, 0.3, 0.4), "the trainings do not show that more speech helps"),
        ((0.97, 0.97, 0.95, 0.95, 0.9), "90% of the characters were still wrong: give it more time"),
    ],
)
def test_what_cannot_be_told_is_not(rates, reason):
    given, recordings = trials(rates, utterances=1000)
    [found] = forecasts(given, recordings, 0.2, [1.0])
    assert found.rate is None
    assert reason in found.why_not


def test_two_sizes_are_too_few():
    given, recordings = trials((0.4, 0.4, 0.3, 0.3, 0.2))
    [found] = forecasts(given[:4], recordings, 0.2, [1.0])
    assert "too few" in found.why_not


def test_parts_are_nested_and_have_their_share_of_the_hours():
    recordings = ["a"] * 10 + ["b"] * 10 + ["c"] * 20
    seconds = [1.0] * 40
    for order in (0, 1):
        quarter, half, whole = (part(recordings, seconds, share, order) for share in (0.25, 0.5, 1.0))
        assert (len(quarter), len(half), whole) == (10, 20, list(range(40)))
        assert set(quarter) < set(half)
    assert len({tuple(part(recordings, seconds, 0.25, order)) for order in range(6)}) > 1
