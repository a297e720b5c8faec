import numpy as np
import pytest

from u2u_hf.evaluation.intervals import estimate, t_quantile


def of(errors, lengths):
    return estimate(np.array(errors), np.array(lengths))


def test_worked_out_by_hand_with_two_recordings():
    # 3 of 10 and 5 of 10: the rate is 8 of 20. Residuals −1 and 1, so the spread is √(2/1 · 2) / 20 = 0.1, and t of one
    # degree of freedom is 12.706.
    found = of([3, 5], [10, 10])
    assert found.value == 0.4
    assert found.interval == pytest.approx((0.4 - 1.2706, 0.4 + 1.2706), abs=1e-4)


def test_worked_out_by_hand_with_recordings_of_several_lengths():
    # 2 of 10, 6 of 20, 2 of 10: 10 of 40 = 0.25; residuals −0.5, 1, −0.5; spread √(3/2 · 1.5) / 40 = 0.0375, t = 4.303.
    found = of([2, 6, 2], [10, 20, 10])
    assert found.value == 0.25
    assert found.interval == pytest.approx((0.25 - 0.16135, 0.25 + 0.16135), abs=1e-4)


def test_where_every_recording_tells_the_same_nothing_varies():
    found = of([1, 2, 3], [10, 20, 30])
    assert found.value == 0.1
    assert found.interval == pytest.approx((0.1, 0.1))


def test_one_recording_has_no_interval():
    assert of([1], [10]).interval is None


def test_quantiles_are_those_of_the_tables():
    table = {
        1: 12.706,
        2: 4.303,
        5: 2.571,
        10: 2.228,
        11: 2.201,
        15: 2.131,
        20: 2.086,
        30: 2.042,
        60: 2.000,
        120: 1.980,
    }
    assert {freedom: t_quantile(freedom) for freedom in table} == pytest.approx(table, rel=1e-3)


def test_of_a_hundred_intervals_about_ninety_five_hold_the_truth():
    # Recordings whose true rate is 0.3, each with a deviation of its own, as corpora have few of.
    random = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        lengths = random.integers(50, 150, size=4)
        found = of(lengths * random.normal(0.3, 0.05, size=4), lengths)
        held += found.interval[0] <= 0.3 <= found.interval[1]
    assert 0.93 < held / 2000 < 0.98
