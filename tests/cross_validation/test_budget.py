import pytest

from u2u_hf.cross_validation.budget import recognition_seconds, share
from u2u_hf.records import U2UError


def test_each_training_has_an_equal_share_of_what_recognition_leaves():
    assert share("1h", 4, 0) == 900
    assert share("1h", 5, 300) == 660


@pytest.mark.parametrize(
    ("time_budget", "folds", "other_s", "message"),
    [
        # 4 of 20 s and 100 s to recognise are 3 minutes.
        ("2m", 4, 100, "--time_budget 2m: is too short for 4 trainings: give 3m or more, or lower --folds$"),
        ("30s", 2, 0, "give 1m or more$"),
    ],
)
def test_too_short_a_budget_names_the_least(time_budget, folds, other_s, message):
    with pytest.raises(U2UError, match=message):
        share(time_budget, folds, other_s)
    share(message.split("give ")[1].split()[0], folds, other_s)


def test_recognition_takes_longer_for_more_speech(random_model, monkeypatch):
    # Two calls, of which the second takes 2 s for 10 s of noise; 1.5 times that for safety.
    clock = iter([0.0, 5.0, 5.0, 7.0])
    monkeypatch.setattr("u2u_hf.cross_validation.budget.time.perf_counter", lambda: next(clock))
    assert recognition_seconds(str(random_model), 100) == pytest.approx(30)
