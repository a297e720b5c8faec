"""The division of batches by memory: torch's own error is raised by the model, above a number of padded frames."""

import datasets
import pytest
import torch
from support.families import CONFIGS, save_base
from support.trainers import PLAIN, SPLITS, rows

from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.memory_trial import divided
from u2u_hf.training.trainer_setup import build_trainer

pytest_plugins = ["support.trainers"]

FOUR = SPLITS | {"train": (["ab", "ba a", "b", "aab"], [1.0, 0.5, 0.8, 0.9])}  # 1 s is 49 frames
RUN = {"hold_encoder": 0.25, "max_steps": 4, "learning_rate": 1e-3}


def lacking(trainer, frames, backward=False):
    """Let a trainer try its memory, which holds so many padded frames; return the utterances and frames of each try."""
    trainer.args.tries_memory = True
    seen = []

    def need(tensor):
        seen.append(tuple(tensor.shape[:2]))
        if tensor.shape[0] * tensor.shape[1] > frames:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    if backward:  # in a layer: the gradients of those above are there
        dense = trainer.model.base_model.encoder.layers[0].feed_forward.output_dense
        dense.register_full_backward_hook(lambda module, gradients, outputs: need(outputs[0]))
    else:
        trainer.model.lm_head.register_forward_pre_hook(lambda module, inputs: need(inputs[0]))
    return seen


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def test_a_run_that_fits_is_the_same_to_the_bit(make):
    """With everything random on: dropout and skipped layers of torch, masks of numpy."""
    found = []
    for tried in (False, True):
        trainer = make(FOUR, gradient_accumulation_steps=2, dropout=0.1, layerdrop=0.3, mask_time=0.3, **RUN)
        seen = lacking(trainer, 10_000) if tried else []
        trainer.train()
        found.append(weights(trainer))
    assert trainer.parts == 1
    assert seen[0] == (4, 49)
    assert torch.equal(*found)
    assert trainer.model.config.layerdrop == 0.3


@pytest.mark.parametrize("backward", [False, True])
def test_batches_that_do_not_fit_are_halved_until_they_do(make, capsys, backward):
    trainer = make(FOUR, **PLAIN, **RUN)
    before, seen = weights(trainer), lacking(trainer, 60, backward)
    trainer.train()
    assert seen[:3] == [(4, 49), (2, 49), (1, 49)]
    assert trainer.parts == 4
    assert "batches of 75 s are computed in 4 parts, to fit into memory; the steps stay" in capsys.readouterr().out
    assert trainer.state.global_step == 4
    assert not torch.equal(weights(trainer), before)


def test_every_layer_and_all_of_the_encoder_are_tried(make):
    """Although the encoder is frozen at first, and layers are skipped."""
    trainer = make(FOUR, layerdrop=0.9, hold_encoder=0.9, max_steps=1)
    lacking(trainer, 10_000)
    computed = []
    for layer in trainer.model.base_model.encoder.layers:
        layer.register_full_backward_hook(lambda module, *_: computed.append(module))
    trainer.train()
    assert len(computed) == 2  # by the trial; none in the only step


@pytest.mark.parametrize("name", ["hubert", "wavlm", "wav2vec2-bert", "omniasr"])
def test_a_step_learns_the_same_in_parts(tmp_path, name):
    """Also with group norm, which sees the padding."""
    base = save_base(CONFIGS[name](), tmp_path / "base")
    made = datasets.DatasetDict({split: rows(*row) for split, row in FOUR.items()})
    found = []
    for parts in (1, 2, 4):
        settings = {"hold_encoder": 0.0, "max_steps": 3, "learning_rate": 1e-3, "optim": "sgd", **PLAIN}
        settings |= {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
        args = CtcTrainingArguments(output_dir=str(tmp_path / "run"), disable_tqdm=True, **settings)
        trainer, _ = build_trainer(str(base), made, "made", args)
        before, trainer.parts = weights(trainer), parts
        trainer.train()
        found.append(weights(trainer) - before)
    assert found[0].norm() > 0
    for learnt in found[1:]:
        assert (learnt - found[0]).norm() < 1e-3 * found[0].norm()


def test_a_run_resumes_where_less_memory_is_as_if_there_were_more(make, tmp_path):
    settings = {**PLAIN, **RUN, "batch_seconds": 2, "gradient_accumulation_steps": 2, "max_steps": 6}
    settings |= {"save_strategy": "steps", "save_steps": 3}
    whole = make(FOUR, **settings)
    whole.train()
    resumed = make(FOUR, **settings)
    lacking(resumed, 60)
    resumed.train(tmp_path / "run" / "checkpoint-3")
    assert resumed.parts == 2
    assert resumed.state.global_step == 6
    assert torch.allclose(weights(resumed), weights(whole), rtol=1e-3, atol=1e-5)


def test_an_utterance_that_does_not_fit_alone_ends_the_run(make):
    trainer = make(FOUR, **RUN)
    lacking(trainer, 40)
    with pytest.raises(U2UError, match=r"the GPU's memory is too small for an utterance of 1 s: add --activation_c"):
        trainer.train()


def test_slowed_utterances_are_tried(make):
    trainer = make(FOUR, speed_perturbation=0.5, **RUN)
    seen = lacking(trainer, 10_000)
    trainer.train()
    assert seen[0] == (4, 99)


def test_other_errors_are_no_lack_of_memory(make):
    trainer = make(FOUR, **RUN)
    trainer.args.tries_memory = True

    def fail(*_):
        raise RuntimeError("CUDA error: device-side assert triggered")

    trainer.model.lm_head.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="device-side assert"):
        trainer.train()


def test_a_batch_is_divided_by_utterances():
    batch = {"input_values": torch.arange(10).reshape(5, 2), "frames": torch.arange(5)}
    sizes = {parts: [len(part["frames"]) for part in divided(batch, parts)] for parts in (1, 2, 4, 8)}
    assert sizes == {1: [5], 2: [3, 2], 4: [2, 2, 1], 8: [1] * 5}
    for key, value in batch.items():
        assert torch.equal(torch.cat([part[key] for part in divided(batch, 4)]), value)
