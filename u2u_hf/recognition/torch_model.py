"""A recogniser in torch, on a GPU or the CPU."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from transformers import PreTrainedModel

from u2u_hf.data.inputs import inputs_of
from u2u_hf.data.processes import accelerator
from u2u_hf.frames import delay_ms
from u2u_hf.recognition.engine import Engine, Logits
from u2u_hf.recognition.model import load_trained
from u2u_hf.recognition.tokenizer import labels_of


def load(source: str) -> Engine:
    """Return a recogniser that computes in torch; its models are not faster on several threads at once.

    Raises:
        U2UError: see `model.load_trained`.
    """
    model, processor = load_trained(source)
    extractor = processor.feature_extractor
    inputs = inputs_of(extractor)
    return Engine(
        name="torch",
        labels=replace(labels_of(processor.tokenizer), delay_ms=delay_ms(inputs.receptive_field)),
        receptive_field=inputs.receptive_field,
        input=partial(inputs.single, extractor),
        logits=torch_logits(model),
        parallel_calls=1,
        release=torch.cuda.empty_cache,
    )


def torch_logits(model: PreTrainedModel, device: torch.device | None = None) -> Logits:
    """Return a function for a model in torch: in float16 on a GPU, unchanged on a CPU; the model is moved there.

    Args:
        device: None for this process's GPU, or the CPU if it has none.
    """
    device = device or accelerator().device
    model = model.to(device, torch.float16) if device.type == "cuda" else model

    def logits(samples: np.ndarray) -> np.ndarray:
        inputs = torch.from_numpy(np.asarray(samples, dtype=np.float32))[None].to(model.device, model.dtype)
        with torch.inference_mode():
            return model(inputs).logits[0].float().cpu().numpy()

    return logits
