import pytest
from support.compared import result

from u2u_hf.comparison.advice import advice, next_command
from u2u_hf.comparison.conditions import SharedTraining
from u2u_hf.comparison.results import best_first

# Of 400 characters: 40, 62 and 41 errors. Above A, by recording: B 5 5 6 6, C 3 −2 2 −2.
A, B, C = result("A", [10, 10, 10, 10]), result("B", [15, 15, 16, 16]), result("C", [13, 8, 12, 8])


def advised(*results):
    return advice(best_first(results), 1 / 6, 0.2)


def test_a_model_that_is_better_than_all_is_to_be_taken():
    # B less A is 22 of 400 characters; residuals ±0.5, spread √(4/3 · 1) / 400 = 0.2887 points, t of three is 3.182.
    choice, far = advised(B, A)
    assert choice == "Take A: its character error rate, 10.0%, is lower than that of B by 5.5 points, 4.6 to 6.4."
    assert far == (
        "This holds for 10.0 min of training each (A 300 steps, 4.2 passes; B 300 steps, 4.2 passes over the training "
        "data). Short times favour fast models: one that came less far may win with more."
    )


def test_models_that_cannot_be_told_apart_are_named_and_so_are_the_worse_ones():
    # C less A is 1 of 400: 2.75 −2.25 1.75 −2.25 remain, spread √(4/3 · 20.75) / 400 = 1.315 points.
    choice, worse, hint, _ = advised(C, B, A)
    assert choice == (
        "A has the lowest character error rate, 10.0%, but it cannot be told apart from C (0.2 points, −3.9 to 4.4) "
        "with this much validation speech (4 recordings, 12.0 min)."
    )
    assert worse == "It is lower than that of B by 5.5 points, 4.6 to 6.4."
    assert hint.startswith("Among these, choose by licence, size and speed")


def test_of_equals_the_first_is_named_and_none_is_to_be_taken():
    choice, *_ = advised(result("one", [10] * 4), result("two", [10] * 4))
    assert choice.startswith(
        "one has the lowest character error rate, 10.0%, but it cannot be told apart from two (0.0 "
    )


def test_one_recording_tells_no_models_apart():
    choice, why, _ = advised(result("A", [1], [100]), result("B", [30], [100]))
    assert choice == "A has the lowest character error rate, 1.0%."
    assert "all validation speech is of one recording" in why


def test_one_model_or_none_is_no_comparison():
    assert advised(A)[0] == "Only A was trained (character error rate 10.0%): there is nothing to compare it with."
    assert advised() == ["No model could be trained: see the reasons."]


@pytest.mark.parametrize(("errors", "said"), [(39, False), (40, True)])
def test_models_that_have_not_learnt_yet_decide_nothing(errors, said):
    sentences = advised(result("A", [errors] * 4), result("B", [90, 91, 90, 91]))
    assert any("No model is useful yet" in sentence for sentence in sentences) == said


def test_what_is_unknown_of_a_run_is_left_out():
    assert advised(A, result("B", [15, 15, 16, 16], steps=None, passes=None))[-1].startswith(
        "This holds for 10.0 min of training each (A 300 steps, 4.2 passes over the training data)."
    )


def test_the_next_command_has_the_settings_but_not_the_length_of_the_comparison(understood):
    settings = {"batch_seconds": 40.0, "bf16": False, "max_steps": 5, "report_to": ["none"]}
    training = SharedTraining(output_dir="out", time_budget="3h", **settings)
    command = next_command("ana/my model", "my data", training)
    assert command == (
        'accelerate launch --quiet recipes/train.py --dataset "my data" --model "ana/my model" --output_dir '
        '"my data_model" --no_bf16 --batch_seconds 40.0'
    )
    understood(command)
