"""How many parts a step's batches are computed in, so that they fit into the GPU's memory: tried before the first step.

A batch is loaded whole and divided by utterances, its padding kept. So what a step learns from, the order of the
batches and what a checkpoint holds do not depend on the memory, and a run can be resumed on another GPU.

`find_executable_batch_size` of accelerate (1.15) and `auto_find_batch_size` of transformers (5.24) begin the whole
training again with smaller steps in another order, and only once a batch does not fit, which may be after hours.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from accelerate.utils import release_memory
from transformers import Trainer

from u2u_hf.data.batching import DurationBatches
from u2u_hf.data.collator import CtcCollator
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.memory import memory_problem
from u2u_hf.progress_bar import write_line
from u2u_hf.records import U2UError

_ADAM = 2  # states of each trained weight; no optimizer of transformers keeps more
_REDUCED = 1  # copy of each gradient, for the exchange between processes


def divided(batch: Mapping[str, torch.Tensor], parts: int) -> list[dict[str, torch.Tensor]]:
    """Return a batch in at most `parts` parts, by utterances. Padding is kept: group norm sees it."""
    chunks = [value.chunk(parts) for value in batch.values()]
    return [dict(zip(batch, values, strict=True)) for values in zip(*chunks, strict=True)]


def parts_that_fit(trainer: Trainer, batches: DurationBatches) -> int:
    """Return how many parts, a power of 2, each batch must be computed in: the same number in all processes.

    The largest batches are computed and differentiated, with room for gradients and for the optimizer. Weights and
    random states are then as before.

    Raises:
        U2UError: the longest utterance does not fit alone.
    """
    parts, device = 1, trainer.args.device
    with restored(trainer):
        while failed := next((size for size in batches.largest(parts) if not _fits(trainer, *size)), None):
            utterances, seconds = failed
            if utterances == 1:
                raise U2UError(
                    f"the GPU's memory is too small for an utterance of {seconds:.0f} s: add "
                    "--activation_checkpointing or --freeze_layers N, or prepare with a lower --max_seconds"
                )
            parts *= 2
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    if torch.distributed.is_initialized():
        most = torch.tensor(parts, device=device)
        torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
        parts = int(most)
    if parts > 1 and trainer.is_world_process_zero():
        seconds = f"{trainer.args.batch_seconds:g} s"
        write_line(f"batches of {seconds} are computed in {parts} parts, to fit into memory; the steps stay the same")
    return parts


def too_small(error: Exception) -> str:
    """Return what to do about a lack of memory during training."""
    if isinstance(error, torch.OutOfMemoryError):
        return (
            "the GPU's memory is too small now: end other programs that use it and resume with --resume, or add "
            "--activation_checkpointing or --per_device_eval_batch_size 1"
        )
    return (
        "this computer's memory is too small: resume with --resume and a lower --batch_seconds, 40 for example, "
        "--per_device_eval_batch_size 1, or --activation_checkpointing"
    )


def _fits(trainer: Trainer, utterances: int, seconds: float) -> bool:
    try:
        _compute(trainer, utterances, seconds)
        return True  # what torch keeps of the memory for later batches is not released: it will not be fragmented
    except Exception as error:  # for lack of memory libraries raise many classes
        if not memory_problem(error):
            raise
    finally:
        trainer.model.zero_grad()
    release_memory()  # here, because the error held what had been computed
    return False


def _compute(trainer: Trainer, utterances: int, seconds: float) -> None:
    """Compute a batch and its gradients beside all that a step holds."""
    weights = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    copies = _ADAM + (_REDUCED if trainer.args.world_size > 1 else 0) + trainer.averages  # one copy of the weights
    held = [torch.empty_like(weight) for weight in weights for _ in range(copies)]
    for weight in weights:  # of the parts before
        weight.grad = torch.zeros_like(weight)
    batch = trainer._prepare_inputs(_batch(trainer, utterances, seconds))
    with trainer.accelerator.autocast():  # accelerate gives it to the model later
        loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    del held


def _batch(trainer: Trainer, utterances: int, seconds: float) -> dict[str, torch.Tensor]:
    """Return a batch of silence with the longest texts."""
    samples = round(seconds / (1 - trainer.args.speed_perturbation) * SAMPLING_RATE)
    silence = np.zeros(samples, dtype=np.float32)
    texts = sorted(trainer.examples.texts, key=len)[-utterances:]
    return CtcCollator(trainer.processing_class)([{"samples": silence, "text": text} for text in texts])


@contextlib.contextmanager
def restored(trainer: Trainer) -> Iterator[None]:
    """Let every layer be computed and trained; then restore the settings for it, and the random states."""
    model, training, device = trainer.model, trainer.model.training, trainer.args.device
    holders = {id(holder): holder for module in model.modules() for holder in (module, getattr(module, "config", None))}
    skipping = [(holder, "layerdrop") for holder in holders.values() if hasattr(holder, "layerdrop")]
    before = [(holder, name, getattr(holder, name)) for holder, name in (*skipping, (trainer.args, "hold_encoder"))]
    numpy_state, python_state = np.random.get_state(), random.getstate()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            for holder, name, _ in before:
                setattr(holder, name, 0.0)
            model.train()
            yield
        finally:
            for holder, name, value in before:
                setattr(holder, name, value)
            model.train(training)
            np.random.set_state(numpy_state)
            random.setstate(python_state)
