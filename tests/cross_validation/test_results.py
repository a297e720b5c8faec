import pytest
from support.html_pages import ATTACKS, harmless

from u2u_hf.cross_validation.page import leave_out_page
from u2u_hf.cross_validation.results import evaluation_of
from u2u_hf.cross_validation.unseen import Unseen
from u2u_hf.evaluation.scoring import Pair


def of(speaker, reference, hypothesis, recording="r"):
    return Unseen(0, 1, Pair(recording, "tx", speaker, 0, 1000, reference, hypothesis), True, 49, 0.9, (), ())


# Characters: Ana 2 of 10, Eva 6 of 20 in two utterances, Sol 2 of 10.
FOUND = [
    of("Ana", "a" * 10, "a" * 8),
    of("Eva", "b" * 10, "b" * 6, "s"),
    of("Eva", "b" * 10, "b" * 8, "s"),
    of("Sol", "c" * 10, "c" * 8, "s"),
]


def test_the_interval_over_speakers_worked_out_by_hand():
    # 10 of 40; residuals −0.5, 1, −0.5; spread √(3/2 · 1.5) / 40 = 0.0375; t of two degrees of freedom is 4.303.
    found = evaluation_of(FOUND, "speaker")
    assert found["cer"] == 0.25
    assert (found["cer_low"], found["cer_high"]) == pytest.approx((0.25 - 0.16135, 0.25 + 0.16135), abs=1e-4)
    assert {name: row["cer"] for name, row in found["speakers"].items()} == {"Eva": 0.3, "Ana": 0.2, "Sol": 0.2}


def test_the_interval_over_recordings_worked_out_by_hand():
    # 2 of 10 and 8 of 30: residuals −0.5 and 0.5, spread √(2 · 0.5) / 40 = 0.025, t of one degree is 12.706.
    found = evaluation_of(FOUND, "recording")
    assert (found["cer"], found["cer_high"]) == pytest.approx((0.25, 0.25 + 0.31766), abs=1e-4)
    assert found["cer_low"] == 0  # not below


def test_what_is_ignored_has_intervals_over_speakers_too():
    found = evaluation_of([of("Ana", "á", "á"), of("Eva", "í", "i")], "speaker", ["tones"])
    assert (found["cer"], found["ignoring"]["cer"], found["ignoring"]["cer_high"]) == (0.5, 0, 0)
    assert found["cer_high"] > 1


def test_the_page_tells_the_folds():
    folds = [
        {"fold": 1, "left_out": ["Ana", *ATTACKS], "cer": 0.2, "wer": 1.0, "utterances": 1, "hours": 0.01},
        {"fold": 2, "left_out": ["Eva", "Sol"], "cer": 0.267, "wer": 1.0, "utterances": 3, "hours": 0.03},
    ]
    folds = [fold | {"cer_low": 0.9 * fold["cer"], "cer_high": 1.1 * fold["cer"]} for fold in folds]
    run = {"training_hours": 0.5, "validation_hours": 0.1, "steps": 1200, "seconds": 90.0, "validation_cer": 0.123}
    summary = {"leave_out": "speaker", "utterances": 4, "folds": [fold | run for fold in folds]}
    summary["new_sentences"] = {"cer": 0.26, "wer": 1.0, "utterances": 3}
    page = leave_out_page(evaluation_of(FOUND, "speaker"), summary, "my_model", about_length="each training lasts 3m")
    text = "".join(harmless(page).text)
    assert "for more utterances of its own. Each training lasts 3m." in text
    assert "my_model, trained anew without each speaker" in text
    assert "as written25.0%8.9–41.1%" in text
    assert "EvaSol26.7%100.0%31.8 min30.0 min12.3%1,2001.5 min" in text
    assert "1 of 4 utterances have a text that was also in the training part; without them: CER 26.0%" in text
