import pytest
from conftest import PROJECT

from u2u_hf.evaluation.verdict import is_rate, is_useful, verdict, warning


@pytest.mark.parametrize(
    ("cer", "words"),
    [
        (0, "quick to correct"),
        (0.0999, "quick to correct"),
        (0.1, "faster than typing"),
        (0.2, "about as long as typing"),
        (0.4, "not useful yet"),
        (2.5, "not useful yet"),
    ],
)
def test_the_limits(cer, words):
    assert words in verdict(cer)


def test_the_readme_has_the_same_table():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = [("under 10 %", 0.05), ("10 to 20 %", 0.15), ("20 to 40 %", 0.3), ("above 40 %", 0.5)]
    for limits, cer in rows:
        [row] = [line for line in readme.splitlines() if line.startswith(f"| {limits} |")]
        assert verdict(cer) in row


@pytest.mark.parametrize(("cer", "useful"), [(0.0, True), (0.3999, True), (0.4, False), (0.76, False), (1.7, False)])
def test_a_useless_model_is_called_one(cer, useful):
    assert is_useful(cer) is useful
    assert (verdict(cer) == "not useful yet: transcribe more, or check the data") is not useful
    assert warning(cer, "test") == (
        ""
        if useful
        else f"This model is not useful yet: with a CER of {100 * cer:.1f}% (test), correcting its drafts takes longer "
        "than typing."
    )


def test_what_cannot_be_an_error_rate():
    assert all(map(is_rate, (0, 0.0, 0.5, 1, 1.3)))
    wrong = (-0.01, 12.3, 76, 10**400, float("nan"), float("inf"), -float("inf"), True, None, "0.5", [0.5])
    assert not any(map(is_rate, wrong))
