"""Trainings of a very small model on noise, in this process."""

import json
import shutil

import datasets
import pytest
import yaml
from support.trainers import rows

from u2u_hf.cross_validation import run
from u2u_hf.cross_validation.settings import LeaveOut
from u2u_hf.cross_validation.state import UTTERANCES
from u2u_hf.cross_validation.unseen import read_lines
from u2u_hf.records import U2UError

SETTINGS = {"max_steps": 2, "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
SETTINGS |= {"bf16": False, "use_cpu": True, "disable_tqdm": True, "hold_encoder": 0.0}


@pytest.fixture
def begin(random_base, random_model, tmp_path):
    """What evaluate.py --leave_out begins with: twelve utterances of three speakers in four recordings."""
    model = tmp_path / "model"
    shutil.copytree(random_model, model)
    (model / "train.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    texts = ["ab", "ba", "a", "b"]
    splits = {}
    for number, name in enumerate(("train", "validation", "test")):
        made = rows(texts, [0.5, 0.6, 0.7, 0.8], seed=number)
        made = made.add_column("speaker", [("Ana", "Eva")[row % 2] if number < 2 else "Sol" for row in range(4)])
        splits[name] = made.add_column("recording", [f"r{number}{row // 2}" for row in range(4)])

    def begin(what="speaker", source=splits, **asked):
        output_dir = tmp_path / "scores"
        output_dir.mkdir(exist_ok=True)
        asked = LeaveOut(leave_out=what, base_model=str(random_base), **asked)
        return run.cross_validation(datasets.DatasetDict(source), "made", str(model), asked, output_dir)

    return begin


@pytest.fixture
def learnt(monkeypatch):
    """The sounds that each training was given, by its folder; what is trained is trained."""
    learnt, real = {}, run.train

    def watched(base, splits, source, args, **settings):
        learnt[args.output_dir.rpartition("_")[2]] = {
            item["bytes"] for part in splits.values() for item in part["audio"]
        }
        return real(base, splits, source, args, **settings)

    monkeypatch.setattr(run, "train", watched)
    return learnt


@pytest.mark.parametrize(("what", "folds"), [("speaker", 3), ("recording", 4)])
def test_no_utterance_is_recognised_by_a_model_that_saw_it(begin, learnt, what, folds):
    todo = begin(what, folds=4)
    found = todo.run()
    assert len(learnt) == folds
    assert [unseen.row for unseen in found] == list(range(12))
    for unseen in found:
        sound = todo.rows[unseen.row]["audio"]["bytes"]
        assert sound not in learnt[str(unseen.fold)]
        assert unseen.pair.reference == todo.rows[unseen.row]["text"]
        assert unseen.frames > 20  # it was heard
    everything = {item["bytes"] for item in todo.rows["audio"]}
    for fold in todo.folds:
        assert learnt[str(fold.number)] == everything - {todo.rows[row]["audio"]["bytes"] for row in fold.left_out}
    assert not any(unseen.is_new_sentence for unseen in found)  # others say "ab", "ba", "a", "b" too
    assert not list(todo.output_dir.glob("fold_*"))


def test_finished_folds_are_kept_and_a_fold_goes_on_where_it_was(begin, learnt, monkeypatch):
    whole = begin()
    expected = whole.run()
    for path in (*whole.output_dir.glob(".*.json"), whole.output_dir / UTTERANCES):
        path.unlink()
    learnt.clear()

    recognise = run.recognise

    def killed(recognizer, rows, fold):
        if fold.number == 2:
            raise KeyboardInterrupt
        return recognise(recognizer, rows, fold)

    monkeypatch.setattr(run, "recognise", killed)
    with pytest.raises(KeyboardInterrupt):
        begin().run()
    assert sorted(learnt) == ["1", "2"]
    assert {unseen.fold for unseen in read_lines(whole.output_dir / UTTERANCES)} == {1}

    monkeypatch.setattr(run, "recognise", recognise)
    learnt.clear()
    assert begin().run() == expected
    assert sorted(learnt) == ["3"]  # of the second its model was there
    learnt.clear()
    assert begin().run() == expected
    assert learnt == {}


def test_models_are_kept_if_asked_for(begin):
    todo = begin("speaker", folds=2, keep_models=True)
    todo.run()
    assert sorted(path.name for path in todo.output_dir.glob("fold_*/*.safetensors")) == ["model.safetensors"] * 2
    assert list(todo.output_dir.glob("fold_*/checkpoint-*")) == []
    begin("speaker", folds=2).run()  # the same command without --keep_models
    assert len(list(todo.output_dir.glob("fold_*/*.safetensors"))) == 2


def test_other_conditions_are_refused(begin):
    begin().run()
    for changed, message in (
        ({"what": "recording"}, "was begun with another --leave_out: give the same as before, or another --output_dir"),
        ({"folds": 2}, "was begun with another --folds"),
        ({"time_budget": "1h"}, "was begun with another --time_budget"),
    ):
        with pytest.raises(U2UError, match=message):
            begin(**changed).run()


def test_folds_are_trained_without_untranscribed_recordings(begin, tmp_path, capsys):
    staged = {"untranscribed": "recordings", "untranscribed_for": ["pretraining"], "untranscribed_hours": 2.0}
    told = "! the model was trained on untranscribed recordings too; these trainings are without them"
    begin().announce()
    assert told not in capsys.readouterr().out
    (tmp_path / "model" / "train.yaml").write_text(yaml.safe_dump(SETTINGS | staged), encoding="utf-8")
    todo = begin()
    todo.announce()
    assert told in capsys.readouterr().out.splitlines()
    args = todo.training.arguments(tmp_path / "fold")
    assert (args.untranscribed, args.untranscribed_for, args.untranscribed_hours) == ("", ["self-training"], 10.0)


def test_a_dataset_without_speakers_is_refused(begin):
    parts = {"train": rows(["ab", "b"], [1.0, 1.0])}
    with pytest.raises(U2UError, match="made: has no column speaker: score its test split, without --leave_out"):
        begin(source=parts)


def test_with_a_budget_every_training_gets_the_same_time(begin, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "recognition_seconds", lambda model, speech_s: 40.0)
    monkeypatch.setattr(run, "seconds_since_start", lambda: 20.0)
    monkeypatch.setattr(run.Training, "arguments", lambda self, folder, budget: asked.append(budget) or 1 / 0)
    todo = begin(time_budget="10m")
    with pytest.raises(ZeroDivisionError):
        todo.run()
    assert asked == ["3m"]  # 10 minutes less one, divided by three
    # A resumed run has the share of its beginning, however fast the computer is by now.
    monkeypatch.setattr(run, "recognition_seconds", lambda model, speech_s: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        begin(time_budget="10m").run()
    assert asked == ["3m", "3m"]
    assert json.loads((todo.output_dir / ".leave_out.json").read_text(encoding="utf-8"))["share_s"] == 180


@pytest.mark.parametrize(
    ("noted", "asked", "said"),
    [
        ({}, {}, ""),
        ({}, {"time_budget": "10m"}, "each training lasts 3m, and the model's own may have been longer: scores and"),
        (
            {"time_budget": "1h"},
            {"time_budget": "10m"},
            "each training lasts 3m, and the model's own lasted 1h: ",
        ),
        ({"time_budget": "3m"}, {"time_budget": "10m"}, ""),
        ({"time_budget": "1h"}, {}, ""),
    ],
)
def test_shorter_trainings_than_the_models_own_are_said(begin, tmp_path, monkeypatch, noted, asked, said):
    monkeypatch.setattr(run, "recognition_seconds", lambda model, speech_s: 40.0)
    monkeypatch.setattr(run, "seconds_since_start", lambda: 20.0)
    (tmp_path / "model" / "train.yaml").write_text(yaml.safe_dump(SETTINGS | noted), encoding="utf-8")
    told = begin(**asked).about_length
    assert told.startswith(said)
    assert bool(told) == bool(said)
