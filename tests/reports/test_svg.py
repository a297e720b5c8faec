import re

import pytest
from support.html_pages import Page

from u2u_hf.reports.svg import binned, histogram, lines, nice, scatter


@pytest.mark.parametrize(("step", "next_up"), [(1, 1), (1.1, 2), (2.5, 5), (7, 10), (0.03, 0.05), (0.2, 0.2), (30, 50)])
def test_steps_of_axes_are_round(step, next_up):
    assert nice(step) == next_up


def test_bins_hold_every_value_once():
    width, bins = binned([0.5, 1.5, 1.6, 29.9], [30.0])
    assert width == 1.0
    assert len(bins) == 31
    assert (bins[0], bins[1], bins[29], bins[30]) == ((1, 0), (2, 0), (1, 0), (0, 1))
    assert binned([], []) == (1.0, [])
    width, bins = binned([1.0] * 999, [500.0])  # one that is far longer does not flatten the others
    assert (width, sum(a + b for a, b in bins), bins[-1]) == (0.05, 1000, (0, 1))


@pytest.mark.parametrize("values", [[], [0.0], [1.0], [1.0, 1.0, 500.0], [0.001, 20_000.0]])
def test_plots_of_little_or_strange_data_are_drawings(values):
    far = [((value, value), "#x", "<far>") for value in values]
    for drawing in (
        histogram(values, values, "seconds", "utterances"),
        scatter([(v, v) for v in values], [], far, "seconds", "characters"),
        lines([[(v, v) for v in values], []], max(values, default=0), "minutes", "CER"),
    ):
        found = Page(drawing)
        assert found.tags["svg"] == 1
        for _, key, value in found.attributes:
            if key in ("x", "y", "width", "height", "cx", "cy", "r"):
                assert -1 <= float(value) <= 450
        assert "nan" not in drawing


def test_lines_end_at_the_edge_of_their_scale():
    # The drawing's inside is 40 to 410 across, and 214 to 22 up.
    first, second = re.findall('points="([^"]*)"', lines([[(0, 0), (5, 50)], [(10, 300)]], 100, "minutes", "%"))
    assert (first, second) == ("40,214 225,118", "410,22")
