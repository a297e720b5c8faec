from dataclasses import replace

import datasets
import pytest

from u2u_hf.comparison.bases import bases
from u2u_hf.comparison.conditions import Conditions, SharedTraining, flags_of, settle, share
from u2u_hf.data.dataset import digest
from u2u_hf.records import U2UError

NOW = Conditions("abc", 600, ("--batch_seconds", "40"))


@pytest.fixture
def folder(tmp_path):
    """A folder in which a model has been trained under these conditions."""
    settle(tmp_path, NOW, 3)
    (tmp_path / "model").mkdir()
    return tmp_path


def test_the_same_command_again_and_another_model_for_the_same_time_are_fine(folder):
    settle(folder, NOW, 3)
    settle(folder, NOW, 4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"dataset": "abd"},
            "were trained on another dataset, or on another version: or compare in another --output_dir",
        ),
        (
            {"flags": ()},
            r"with other settings \(--batch_seconds 40\): give the same, or compare in another --output_dir",
        ),
        (
            {"share_seconds": 450},
            "for 10m each: for 4 of them give --time_budget 40m, or compare in another --output_dir",
        ),
    ],
)
def test_what_differs_is_refused_with_the_way_out(folder, changed, message):
    with pytest.raises(U2UError, match=message):
        settle(folder, replace(NOW, **changed), 4)
    settle(folder, NOW, 3)  # as before


def test_a_folder_in_which_nothing_was_trained_takes_other_conditions(tmp_path):
    settle(tmp_path, NOW, 3)
    settle(tmp_path, replace(NOW, share_seconds=900), 3)
    (tmp_path / "model").mkdir()
    with pytest.raises(U2UError, match="for 15m each"):
        settle(tmp_path, NOW, 3)


def test_damaged_conditions_are_named(folder):
    (folder / ".conditions.json").write_text("[", encoding="utf-8")
    with pytest.raises(U2UError, match=r"conditions\.json: is damaged"):
        settle(folder, NOW, 3)


def test_each_model_gets_an_equal_share():
    assert share("30m", 3) == 600
    assert share("10m", 7) == 85
    with pytest.raises(U2UError, match="--time_budget 2m: is too short for 3 models: give 3m or more"):
        share("2m", 3)


def test_the_digest_is_of_the_texts_the_times_and_their_split():
    columns = {"recording": ["r", "r"], "start_ms": [0, 5], "duration": [1.0, 2.0], "text": ["a", "b"]}

    def of(**changed):
        rows = datasets.Dataset.from_dict(columns | changed)
        return digest({"train": rows.select([0]), "validation": rows.select([1])})

    assert of() == of()
    assert of() == of(speaker=["Ana", "Eva"])  # what nothing is learnt from
    assert len({of(), of(text=["a", "c"]), of(duration=[1.0, 2.5]), of(recording=["r", "s"]), of(text=["b", "a"])}) == 5


def test_settings_are_passed_on_as_they_were_given(tmp_path):
    training = SharedTraining(
        output_dir="x", time_budget="1h", learning_rate=1e-3, use_cpu=True, dropout=0.0, bf16=False
    )
    assert flags_of(training) == ("--learning_rate", "0.001", "--no_bf16", "--use_cpu", "--dropout", "0.0")
    absolute = str(tmp_path / "log")
    assert flags_of(SharedTraining(output_dir="x", time_budget="1h", run_name=absolute)) == ("--run_name", absolute)


def test_a_wrong_setting_is_named_before_any_training():
    with pytest.raises(U2UError, match=r"--hold_encoder 1\.5"):
        SharedTraining(output_dir="x", time_budget="1h", hold_encoder=1.5)


def test_models_have_folders_of_their_own_whatever_others_are_compared(tmp_path):
    names = ["utter-project/mHuBERT-147", "../models/my model/", "my_model"]
    assert [base.trained.name for base in bases(names, tmp_path)] == [
        "utter-project_mHuBERT-147",
        "models_my_model",
        "my_model",
    ]
    for two in (["a/b", "a_b"], ["m", "m_scores"]):
        with pytest.raises(U2UError, match=f"{two[0]} and {two[1]} would share "):
            bases(two, tmp_path)
    assert len(bases(["m", "./m/", "n", "m"], tmp_path)) == 2
