import pytest
from support.compared import result
from support.html_pages import ATTACKS, Page, harmless

from u2u_hf.comparison.page import comparison_page
from u2u_hf.comparison.table import terminal_table

A, B = result("A", [10, 10, 10, 10]), result("B", [15, 15, 16, 16], parameters=317_000_000, licence="")


def text(*arguments):
    return "".join(harmless(comparison_page(*arguments, 1 / 6, 0.2)).text)


def test_the_page_tells_the_answer_the_numbers_and_the_reasons():
    found = text([A, B], {"C": "C: holds no model"}, ["Take A."], "accelerate launch recipes/train.py")
    for part in (
        "Take A.",
        "accelerate launch recipes/train.py",
        "10.0%",
        "15.5%",
        "5.5",
        "4.6 to 6.4",
        "94 M",
        "317 M",
    ):
        assert part in found
    assert "4validation recordings" in found
    assert "Cholds no model" in found


def test_every_model_has_a_line_of_its_evaluations():
    page = Page(comparison_page([A, B], {}, [], "", 1 / 6, 0.2))
    lines = [value for tag, key, value in page.attributes if (tag, key) == ("polyline", "points")]
    assert [len(points.split()) for points in lines] == [2, 2]  # after 120 s and after 330 s
    assert page.tags["polyline"] == 2


@pytest.mark.parametrize("results", [[], [result("A", [0], [10])], [result("A", [1], [10], history=[], steps=None)]])
def test_little_is_enough_for_a_page(results):
    assert "why" in text(results, {"B": "gone"}, ["x"], "")
    assert "! B: gone" in terminal_table(results, {"B": "gone"})


def test_nothing_breaks_the_page():
    results = [result(attack, [10, 12, 14, 16]) for attack in ATTACKS]
    harmless(comparison_page(results, {"<b>": "<script>"}, ATTACKS, ATTACKS[0], 1, 1))


def test_the_table_of_a_terminal_is_in_columns():
    assert terminal_table([A, B], {"C": "C: holds no model"}).splitlines() == [
        "model    CER     from–to  points above best     from–to     WER",
        "A      10.0%  10.0–10.0%                                 100.0%",
        "B      15.5%  14.6–16.4%                5.5  4.6 to 6.4  100.0%",
        "",
        "model  licence  steps  passes  audio s/s  memory  weights",
        "A      mit        300     4.2         40  3.0 GB     94 M",
        "B      –          300     4.2         40  3.0 GB    317 M",
        "",
        "! C: holds no model",
    ]
