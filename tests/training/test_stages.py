import gc
import itertools
import json
import weakref
from types import SimpleNamespace

import datasets
import psutil
import pytest
from safetensors.torch import load_file
from support.trainers import SPLITS, rows

from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.training import clusters, progress, stages, trainer
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.self_training import FirstLook, PseudoLabels
from u2u_hf.training.stage_record import check, tidy
from u2u_hf.training.stages import train_in_stages

SPEECH = [1.0, 0.6, 0.8, 0.9]


@pytest.fixture
def run(random_base, tmp_path, monkeypatch):
    """Train in stages on noise; what the recogniser thinks of it is given."""

    def run(strange="", weak="", texts=None, seconds=SPEECH, splits=SPLITS, slow=None, **settings):
        monkeypatch.setattr(stages, "look", lambda *arguments: FirstLook(strange, weak))
        found = PseudoLabels({} if callable(texts) else texts or {}, "" if texts else "nothing is sure", "")
        monkeypatch.setattr(stages, "pseudo_labels", texts if callable(texts) else lambda *arguments: found)
        for name, late in (slow or {}).items():
            monkeypatch.setattr(stages, name, late(getattr(stages, name)))
        settings = {"untranscribed_for": ["pretraining", "self-training"]} | settings
        settings = {"max_steps": 24, "learning_rate": 1e-2, "hold_encoder": 0.2, "logging_steps": 1} | settings
        args = CtcTrainingArguments(
            output_dir=str(tmp_path / "run"), untranscribed="somewhere", disable_tqdm=True, bf16=False, **settings
        )
        splits = datasets.DatasetDict({name: rows(*split) for name, split in splits.items()})
        return train_in_stages(str(random_base), splits, "made", args, rows([""] * len(seconds), seconds, seed=1))

    return run


def record(tmp_path):
    return json.loads((tmp_path / "run" / "stages" / "stages.json").read_text(encoding="utf-8"))


def test_the_stages_share_the_steps_and_the_best_is_kept(run, tmp_path):
    trained = run(texts={0: "ab", 2: "b"})
    done = {row["name"]: row for row in record(tmp_path)["stages"]}
    # 3, 2, 3 and 2 parts of 24 steps.
    assert {name: row["steps"] for name, row in done.items()} == {
        "plain": 7, "pretraining": 5, "pre-trained": 7, "self-trained": 5,
    }  # fmt: skip
    assert trained.steps == 24
    best = min((row["scores"]["cer"], row["name"]) for row in done.values() if row["scores"])
    assert trained.scores["cer"] == best[0]
    assert f"Validation chose {next(n for n, r in done.items() if r['scores'] == trained.scores)}." in trained.account
    chosen = next(name for name, row in done.items() if row["scores"] == trained.scores)
    kept, theirs = (load_file(tmp_path / "run" / where / "model.safetensors") for where in (".", f"stages/{chosen}"))
    assert all(weights.equal(theirs[name]) for name, weights in kept.items())
    assert Recognizer(tmp_path / "run").labels.symbols[3:] == ("a", "b")
    assert len([row for row in trained.log_history if "loss" in row]) == done[chosen]["steps"]
    (tmp_path / "run" / "stages" / "texts.json").write_text("{}", encoding="utf-8")
    tidy(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run" / "stages").iterdir()] == ["stages.json"]


def test_of_equal_stages_the_plain_one_is_kept(run, tmp_path):
    assert run(learning_rate=0.0, head_learning_rate=0.0).account.endswith("Validation chose plain.")


def test_what_is_refused_gives_its_steps_to_the_transcribed_speech(run, tmp_path, capsys):
    trained = run(strange="noise?")
    assert "No pretraining: noise?. No self-training: noise?. Validation chose" in trained.account
    assert [(row["name"], row["steps"]) for row in record(tmp_path)["stages"]] == [("plain", 7), ("longer", 17)]
    assert "! no pretraining: noise?" in capsys.readouterr().out


def test_after_a_refusal_the_plain_recogniser_goes_on(run, tmp_path, monkeypatch):
    begun, real = [], stages.build_trainer

    def build(source, splits, name, args):
        begun.append((source, args.learning_rate, args.hold_encoder, len(splits["train"])))
        return real(source, splits, name, args)

    monkeypatch.setattr(stages, "build_trainer", build)
    run(untranscribed_for=["self-training"], fresh_head=True)
    assert begun[1:] == [(str(tmp_path / "run" / "stages" / "plain"), 5e-3, 0.0, 3)]
    assert [(row["name"], row["steps"]) for row in record(tmp_path)["stages"]] == [("plain", 14), ("longer", 10)]


def test_no_stage_begins_while_the_last_one_is_in_memory(run, monkeypatch):
    made, alive, real = [], [], stages.build_trainer

    def build(*arguments):
        alive.append([trainer() for trainer in made if trainer()])
        trainer, processor = real(*arguments)
        made.append(weakref.ref(trainer))
        return trainer, processor

    monkeypatch.setattr(stages, "build_trainer", build)
    gc.disable()  # nothing but the stages themselves releases it
    try:
        run(texts={0: "ab"})
    finally:
        gc.enable()
    assert alive == [[], [], []]


def test_a_weak_recogniser_does_not_train_itself(run, tmp_path):
    run(weak="too weak", texts={0: "ab"})
    # 2 and 3 parts of the 17 steps that plain leaves.
    names = [(row["name"], row["steps"]) for row in record(tmp_path)["stages"]]
    assert names == [("plain", 7), ("pretraining", 7), ("pre-trained", 10)]


def test_what_self_training_leaves_after_pretraining_is_the_best_recognisers(run, tmp_path):
    trained = run()
    names = [(row["name"], row["steps"]) for row in record(tmp_path)["stages"]]
    assert names == [("plain", 7), ("pretraining", 5), ("pre-trained", 7), ("longer", 5)]
    assert "No self-training: nothing is sure." in trained.account


def test_one_use_alone(run, tmp_path):
    run(untranscribed_for=["self-training"], texts={1: "a"})
    names = [(row["name"], row["steps"]) for row in record(tmp_path)["stages"]]
    assert names == [("plain", 14), ("self-trained", 10)]
    with pytest.raises(U2UError, match="--untranscribed_for translation: give pretraining or self-training"):
        run(untranscribed_for=["translation"])
    with pytest.raises(U2UError, match=r"--untranscribed_hours 0\.0: give hours of speech"):
        run(untranscribed_hours=0.0)
    with pytest.raises(U2UError, match="--num_train_epochs: with --untranscribed give --max_steps"):
        run(max_steps=-1, num_train_epochs=2)


def test_a_run_is_not_taken_for_another(run, tmp_path):
    (tmp_path / "run" / "checkpoint-2").mkdir(parents=True)
    with pytest.raises(U2UError, match="holds a run without --untranscribed: give another --output_dir"):
        run()
    (tmp_path / "run" / "checkpoint-2").rmdir()
    run()
    with pytest.raises(U2UError, match="holds a run in stages: add --resume"):
        run()
    with pytest.raises(U2UError, match="its stages share another length: resume with the same"):
        run(resume=True, max_steps=33)
    changed = r"the recordings or the dataset \(--dataset, --doubts\) have changed since it was begun: give another"
    with pytest.raises(U2UError, match=changed):
        run(resume=True, seconds=[0.6, 0.8, 0.9])
    with pytest.raises(U2UError, match=changed):
        run(resume=True, splits=SPLITS | {"train": (["ab", "ba a"], [1.0, 0.5])})
    tidy(tmp_path / "run")
    with pytest.raises(U2UError, match="this run is finished; to train longer, or with other settings, give another"):
        run(resume=True, logging_steps=2)


def test_the_output_folder_is_checked_before_any_speech_is_found(run, tmp_path):
    def given(**settings):
        return CtcTrainingArguments(output_dir=str(tmp_path / "run"), bf16=False, max_steps=24, **settings)

    def refused(message, **settings):
        with pytest.raises(U2UError, match=message):
            check(given(**settings))

    check(given(untranscribed="somewhere"))
    (tmp_path / "run" / "checkpoint-2").mkdir(parents=True)
    check(given(resume=True))
    refused("holds a run without --untranscribed: give another --output_dir", untranscribed="somewhere", resume=True)
    (tmp_path / "run" / "stages" / "speech").mkdir(parents=True)
    check(given(untranscribed="somewhere", resume=True))  # it found no speech, and trained without
    (tmp_path / "run" / "checkpoint-2").rmdir()
    run(strange="noise?")
    check(given(untranscribed="somewhere", resume=True))
    refused("holds a run in stages: add --resume", untranscribed="somewhere")
    for resume in (True, False):
        refused("holds a run with --untranscribed: give that too, or another --output_dir", resume=resume)


@pytest.fixture
def ticking(monkeypatch):
    """A clock for all stages: each time that anybody looks at it, a second has passed."""
    ticks = itertools.count()

    def look():
        return float(next(ticks))

    for module in (progress, stages, clusters):
        monkeypatch.setattr(module, "awake_clock", lambda: look)
    monkeypatch.setattr(trainer, "time", SimpleNamespace(perf_counter=look))
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: 0.0)
    return ticks


def test_all_stages_keep_within_the_time(run, ticking, tmp_path):
    trained = run(max_steps=-1, time_budget="10m", texts={0: "ab"})
    done = record(tmp_path)["stages"]
    assert len(done) == 4
    # As without stages, the last step may end late: one takes some ten looks at the clock.
    assert 500 < trained.seconds < 612
    assert all(row["steps"] > 1 for row in done)


def test_what_was_done_before_is_taken_from_all_stages(run, ticking, tmp_path, monkeypatch):
    lengths, real = [], stages.build_trainer

    def build(source, splits, name, args):
        lengths.append(args.budget_seconds)
        return real(source, splits, name, args)

    monkeypatch.setattr(stages, "build_trainer", build)
    for _ in range(60):  # finding speech
        next(ticking)
    run(max_steps=-1, time_budget="5m", texts={0: "ab"}, untranscribed_for=["self-training"])
    # 3 parts of 5 of the other 240 seconds, and the 60: each look at the clock takes a second.
    assert lengths[0] == pytest.approx(60 + 0.6 * 240, abs=3)


def test_too_little_time_for_pretraining_leaves_it_to_the_best_recogniser(run, ticking, tmp_path, monkeypatch):
    given = []

    def build(model, speech, args, targets, seconds):
        given.append((seconds, args.budget_seconds))

    monkeypatch.setattr(stages, "build_pretrainer", build)
    trained = run(max_steps=-1, time_budget="10m", untranscribed_for=["pretraining"])
    assert [row["name"] for row in record(tmp_path)["stages"]] == ["plain", "longer"]
    assert given[0][0] == given[0][1] / 2
    assert "No pretraining: too little time is left for it." in trained.account
    assert 500 < trained.seconds < 612


@pytest.mark.parametrize(
    ("slow", "names", "reason"),
    [("look", ["plain"], "for it"), ("save_encoder", ["plain", "pretraining"], "to fine-tune after it")],
)
def test_no_pretraining_begins_without_time(run, ticking, tmp_path, monkeypatch, slow, names, reason):
    def late(real):
        def late(*arguments):
            for _ in range(500):
                next(ticking)
            return real(*arguments)

        return late

    run_with = {"max_steps": -1, "time_budget": "5m", "untranscribed_for": ["pretraining"]}
    trained = run(slow={slow: late}, **run_with)
    assert [row["name"] for row in record(tmp_path)["stages"]] == names
    assert f"No pretraining: too little time is left {reason}." in trained.account


# Of 5 minutes 3 are plain's, and 2 remain.
@pytest.mark.parametrize(("recognition", "names"), [(50, ["plain", "self-trained"]), (500, ["plain"])])
def test_without_time_nothing_more_is_trained(run, ticking, tmp_path, monkeypatch, recognition, names):
    given = []

    def found(*arguments):
        given.append(arguments[-1])
        for _ in range(recognition):
            next(ticking)
        return PseudoLabels({0: "ab"}, "", "")

    settings = {"untranscribed_for": ["self-training"], "max_steps": -1, "time_budget": "5m", "texts": found}
    trained = run(**settings)
    assert [row["name"] for row in record(tmp_path)["stages"]] == names
    # At most half of what is left is for recognition.
    assert 30 < given[0] <= 65
    assert ("No self-training: too little time is left for it." in trained.account) == (names == ["plain"])
