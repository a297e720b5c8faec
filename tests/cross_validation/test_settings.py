import shutil

import pytest
import yaml

from u2u_hf.cross_validation.settings import LeaveOut, training_of
from u2u_hf.records import U2UError


@pytest.fixture
def model(tmp_path):
    """The folder of a model with a train.yaml, from a base model beside it."""

    def model(**noted):
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        (folder / "train.yaml").write_text(yaml.safe_dump(noted), encoding="utf-8")
        return str(folder)

    return model


def test_folds_are_trained_as_the_model_was(model, random_base, tmp_path, capsys):
    noted = {"dataset": "d", "model": "base", "output_dir": "m", "max_steps": 40, "warmup_steps": 10, "from_later": 1}
    found = training_of(model(**noted, use_cpu=True), str(random_base))
    assert found.base_model == str(random_base)
    assert dict(found.settings) == {"max_steps": 40, "warmup_steps": 10, "use_cpu": True}
    assert "train.yaml: from_later is not used" in capsys.readouterr().out
    args = found.arguments(tmp_path / "fold")
    assert (args.max_steps, args.warmup_steps, args.resume, args.budget_seconds) == (40, 10, True, None)
    # With a time budget steps are shares of the run: 10 of 40.
    args = found.arguments(tmp_path / "fold", "1m30s")
    assert (args.max_steps, args.warmup_steps, args.budget_seconds) == (40, 0.25, 90)


@pytest.mark.parametrize("length", [{"max_steps": 40}, {"num_train_epochs": 2}])
def test_steps_that_are_no_share_of_the_run_are_the_default_ones(model, random_base, tmp_path, length):
    noted = {"eval_steps": 20, "save_steps": 100, **length}
    args = training_of(model(**noted, use_cpu=True), str(random_base)).arguments(tmp_path / "fold", "90s")
    assert (args.eval_steps, args.save_steps) == (0.1, 0.1)


def test_the_base_is_the_one_that_is_noted(model, random_base, monkeypatch):
    monkeypatch.chdir(random_base.parent)
    assert training_of(model(model=random_base.name)).base_model == random_base.name
    assert training_of(model()).base_model == "utter-project/mHuBERT-147"  # train.py's own is not noted


def test_a_base_that_has_learnt_itself_is_refused_unless_it_is_given(model, random_base, tmp_path, capsys):
    """A recogniser that goes on from an earlier one: the earlier one may have heard whoever is left out."""
    earlier = tmp_path / "earlier"
    shutil.copytree(random_base, earlier)
    (earlier / "train.yaml").write_text("dataset: d\n", encoding="utf-8")
    with pytest.raises(U2UError, match=r"earlier: is a recogniser itself.*give --base_model, the pre-trained model"):
        training_of(model(model=str(earlier)))
    assert training_of(model(model=str(earlier)), str(random_base)).base_model == str(random_base)
    assert "recogniser" not in capsys.readouterr().out
    assert training_of(model(model=str(earlier)), str(earlier)).base_model == str(earlier)
    assert "! --base_model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("noted", "message"),
    [
        ({"model": "my_base"}, "was trained from my_base, which is not here: give --base_model FOLDER/my_base"),
        (["max_steps"], "train.yaml: is damaged"),
    ],
)
def test_a_base_that_is_not_found_is_asked_for(model, noted, message, tmp_path):
    folder = model()
    (tmp_path / "model" / "train.yaml").write_text(yaml.safe_dump(noted), encoding="utf-8")
    with pytest.raises(U2UError, match=message):
        training_of(folder)


def test_a_model_without_its_settings_needs_a_base(tmp_path, random_base):
    (tmp_path / "model").mkdir()
    with pytest.raises(U2UError, match=r"has no train\.yaml, so its base model is unknown: give --base_model"):
        training_of(str(tmp_path / "model"))
    found = training_of(str(tmp_path / "model"), str(random_base))
    assert (found.base_model, dict(found.settings)) == (str(random_base), {})


def test_a_wrong_value_is_said(model, random_base, tmp_path):
    found = training_of(model(max_steps="many", use_cpu=True), str(random_base))
    with pytest.raises(U2UError, match=r"train\.yaml of the model: has a value of the wrong kind"):
        found.arguments(tmp_path / "fold")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leave_out": "village"}, "--leave_out village: give speaker or recording"),
        ({"folds": 3}, "--folds needs --leave_out"),
        ({"time_budget": "1h"}, "--time_budget needs --leave_out"),
        ({"leave_out": "speaker", "folds": 1}, "--folds 1: give 2 or more"),
        ({"leave_out": "speaker", "time_budget": "soon"}, "--time_budget soon: write it as"),
        (
            {"leave_out": "speaker", "time_budget": "1h", "update_confidence": True},
            "--update_confidence: trainings of another length than MODEL's .* run without --time_budget",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, message):
    with pytest.raises(U2UError, match=message):
        LeaveOut(**given)
