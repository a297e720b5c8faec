"""float16, which overflows: on the processor autocast and GradScaler work as on a GPU."""

import json
from pathlib import Path

import pytest
import torch
from support.trainers import PLAIN

from u2u_hf.training.float16 import numbers
from u2u_hf.training.saving import save_trained

pytest_plugins = ["support.trainers"]

RUN = {**PLAIN, "max_steps": 24, "hold_encoder": 0.0, "learning_rate": 1e-3}


def large_activations(model):
    """Let the feed-forward of the first layer compute with numbers that float32 holds and float16 does not."""
    layer = model.base_model.encoder.layers[0].feed_forward
    with torch.no_grad():
        layer.intermediate_dense.weight *= 1e7
        layer.output_dense.weight *= 1e-7


def large_gradients(model, since=lambda: True):
    """Let gradients in float16 overflow on their way through the second layer; the losses stay as they are."""

    def overflow(module, gradients, outputs):
        return tuple(g * torch.inf if g is not None and g.dtype == torch.float16 and since() else g for g in gradients)

    dense = model.base_model.encoder.layers[1].feed_forward.output_dense
    dense.register_full_backward_hook(overflow)


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


@pytest.mark.parametrize("injected", [large_activations, large_gradients])
def test_where_float16_overflows_the_run_is_one_in_float32(make, capsys, injected):
    runs = []
    for half in (True, False):
        trainer = make(fp16=half, **RUN)
        injected(trainer.model)
        trainer.train()
        runs.append(trainer)
    half, full = runs
    assert half.state.global_step == full.state.global_step == 24
    assert torch.allclose(weights(half), weights(full), rtol=1e-4, atol=1e-5)
    assert half.evaluate()["eval_cer"] == full.evaluate()["eval_cer"]
    assert "! float16 overflows (10 steps were skipped): on in float32, from the start" in capsys.readouterr().out
    assert numbers(half.state.log_history) == (
        "float16 failed at step 9, so the model was trained in float32 from step 0 on."
    )
    assert numbers(full.state.log_history) == ""


def test_the_run_goes_back_to_the_last_good_checkpoint(make, capsys):
    trainer = make(fp16=True, save_strategy="steps", save_steps=4, save_total_limit=9, **RUN)
    run = Path(trainer.args.output_dir)
    large_gradients(trainer.model, since=lambda: trainer.state.global_step >= 10)
    trainer.train()
    assert trainer.state.global_step == 24
    assert "from step 8" in capsys.readouterr().out
    assert [row["step"] for row in trainer.state.log_history if "float16_failed_at" in row] == [8]
    assert {path.name for path in run.glob("checkpoint-*")} == {f"checkpoint-{step}" for step in range(4, 25, 4)}
    assert not (run / "checkpoint-24" / "scaler.pt").exists()
    # Stopped and resumed, it stays in float32: an overflow from the first step on does not matter.
    resumed = make(fp16=True, save_strategy="no", **RUN)
    large_gradients(resumed.model)
    resumed.train(run / "checkpoint-12")
    assert resumed.state.global_step == 24
    assert "float16 overflows" not in capsys.readouterr().out
    assert numbers(resumed.state.log_history).endswith("from step 8 on.")
    assert torch.allclose(weights(resumed), weights(trainer), rtol=1e-4, atol=1e-5)


def test_float16_that_does_not_overflow_stays_and_learns(make, tmp_path):
    trainer = make(fp16=True, save_strategy="steps", save_steps=24, **RUN)
    seen = []
    dense = trainer.model.base_model.encoder.layers[0].feed_forward.output_dense
    dense.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    before = trainer.evaluate()["eval_loss"]
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < before
    assert set(seen) == {torch.float16}
    assert numbers(trainer.state.log_history) == ""
    with torch.no_grad(), trainer._float16.autocast():
        batch = trainer.data_collator([trainer.eval_dataset[0]])
        assert trainer.model(batch["input_values"]).logits.dtype == torch.float32
    assert torch.load(tmp_path / "run" / "checkpoint-24" / "scaler.pt", weights_only=True)["scale"] > 1
    save_trained(trainer, trainer.processing_class, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["dtype"] == "float32"


def test_a_budget_is_replanned_and_time_is_counted_once(make, monkeypatch):
    from u2u_hf.training.progress import Progress

    trainer = make(fp16=True, **{**RUN, "max_steps": -1}, time_budget="5m")
    steps = []
    clock = property(lambda progress: (progress._before or 0.0) + 10 * len(steps))
    monkeypatch.setattr(Progress, "seconds", clock)
    large_gradients(trainer.model)
    step = trainer.training_step

    def counted(*arguments):
        steps.append(trainer.state.global_step)
        return step(*arguments)

    trainer.training_step = counted
    trainer.train()
    # 5 % of 300 s are kept: 29 steps of 10 s end it, of which ten were lost in float16.
    assert len(steps) == 29
    assert trainer.state.global_step == 19
