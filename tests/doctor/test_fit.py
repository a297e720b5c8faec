import math

import numpy as np
import pytest

from u2u_hf.doctor.fit import cost, relative, spot

# Labels: 0 is the blank; a, b, c are 1, 2, 3. Each frame has 0.85 for its label and 0.05 for the others.
A, B, C = 1, 2, 3


def ratios(*path):
    rows = np.full((len(path), 4), 0.05, dtype=np.float32)
    rows[np.arange(len(path)), path] = 0.85
    return relative(np.log(rows))


ONE = math.log(0.85 / 0.05)  # of one frame with another label than the best one


def test_a_text_costs_the_frames_that_say_another():
    assert cost(ratios(0, A, 0, B, 0), [A, B], 0) == pytest.approx(0, abs=1e-5)
    assert cost(ratios(0, A, 0, B, 0), [A, C], 0) == pytest.approx(ONE, rel=1e-4)
    assert cost(ratios(0, A, 0, B, 0), [A], 0) == pytest.approx(ONE, rel=1e-4)  # b is heard and not in the text
    assert cost(ratios(A, B), [A, A], 0) is None  # a blank must lie between
    assert cost(ratios(A, B), [], 0) is None


def test_a_text_is_spotted_where_it_is_heard():
    heard = ratios(C, 0, C, 0, A, 0, B, 0, C)
    assert cost(heard, [A, B], 0) == pytest.approx(3 * ONE, rel=1e-4)
    found = spot(heard, [A, B], 0)
    assert (found.first, found.end) == (4, 7)
    assert found.cost == pytest.approx(0, abs=1e-5)
    found = spot(heard, [A, C], 0)  # c for b, or b left unsaid before c: one frame either way
    assert found.cost == pytest.approx(ONE, rel=1e-4)
    assert spot(ratios(A), [A, A], 0) is None
