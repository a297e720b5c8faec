import json
from pathlib import Path

import pytest

from u2u_hf.output_folder import claim
from u2u_hf.records import U2UError
from u2u_hf.training.checkpoints import is_finished, resume_point
from u2u_hf.training.progress import Progress

pytest_plugins = ["support.trainers"]


def test_a_run_that_is_stopped_is_found_again(make, tmp_path):
    run = tmp_path / "run"
    trainer = make(max_steps=4, save_strategy="steps", save_steps=2, eval_strategy="steps", eval_steps=2)
    vocabulary = trainer.processing_class.tokenizer.get_vocab()
    claim(run, "train.py")
    assert resume_point(run, False, vocabulary) is None
    trainer.train()
    (run / "checkpoint-6").mkdir()  # the process was killed before this one was written whole
    (run / "checkpoint-6" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(U2UError, match=r"run: holds a run that is at step 4: add --resume to resume it"):
        resume_point(run, False, vocabulary)
    with pytest.raises(U2UError, match=r"was trained for other characters .ñ.: the dataset has changed"):
        resume_point(run, True, vocabulary | {"ñ": 9})
    moved = tmp_path / "moved"
    run.rename(moved)
    last = resume_point(moved, True, vocabulary)
    assert last == moved / "checkpoint-4"
    assert not (moved / "checkpoint-6").exists()
    state = json.loads((last / "trainer_state.json").read_text(encoding="utf-8"))
    assert Path(state["best_model_checkpoint"]).parent == moved


@pytest.mark.parametrize(
    # Of 105 s four pauses of 10 s are kept for the end: 7 steps. A resumed run does not know of these pauses yet.
    ("length", "longer", "steps"),
    [
        ({"max_steps": 4}, {"max_steps": 6}, (4, 6)),
        ({"max_steps": -1, "time_budget": "1m45s"}, {"max_steps": -1, "time_budget": "3m"}, (7, 18)),
    ],
)
def test_a_run_that_is_killed_after_its_last_checkpoint_takes_no_step_more(make, monkeypatch, length, longer, steps):
    kept = {"save_strategy": "steps", "save_steps": 0.5, "eval_strategy": "steps", "eval_steps": 0.5}
    # Three batches: the fourth step is in the middle of an epoch.
    kept |= {"load_best_model_at_end": True, "batch_seconds": 1}

    def trained(checkpoint=None, pause=0.0, **settings):
        trainer = make(**kept, **settings)
        monkeypatch.setattr(Progress, "seconds", property(lambda progress: 10 * trainer.state.global_step))
        trainer.progress.pause = pause
        trainer.train(checkpoint)
        return trainer

    first = trained(pause=10.0, **length)
    last = Path(first.args.output_dir, f"checkpoint-{steps[0]}")
    again = trained(last, **length)
    assert (first.state.global_step, again.state.global_step) == (steps[0], steps[0])
    assert again.scores() == first.scores()
    assert again.averaged == first.averaged
    assert again.rates == first.rates
    for name, weights in first.model.state_dict().items():
        assert weights.equal(again.model.state_dict()[name]), name
    assert trained(last, **longer).state.global_step == steps[1]


def test_a_run_is_finished_once_its_model_and_settings_are_written(tmp_path):
    asked = {"max_steps": 60, "learning_rate": 5e-5, "output_dir": str(tmp_path)}
    assert not is_finished(tmp_path, asked)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert not is_finished(tmp_path, asked)
    (tmp_path / "train.yaml").write_text("max_steps: 60\nlearning_rate: 5.0e-05\noutput_dir: run\n", encoding="utf-8")
    assert is_finished(tmp_path, asked | {"resume": True})
    assert not is_finished(tmp_path, asked | {"max_steps": 90})
    (tmp_path / "train.yaml").write_text("max_steps: [", encoding="utf-8")
    assert not is_finished(tmp_path, asked)
