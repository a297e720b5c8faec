"""What the rest of the library asks a family of models; nothing outside this folder names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

from u2u_hf.data.inputs import Inputs
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE, STRIDE


class ModelFamily(Protocol):
    """A kind of encoder with a CTC head that transformers loads with ``AutoModelForCTC``: 50 frames a second.

    In every model that this library fine-tunes, the blank is ``config.pad_token_id``.

    Attributes:
        name: for messages.
        examples: models of this family that go by other names, for messages.
        model_type: in config.json.
        architecture: class of the model with its head; in config.json.
        processor: class that holds feature extractor and tokenizer.
        inputs: how samples become its inputs.
        head: name of the module that gives the logits.
        float32_parts: parts of an exported model that stay in float32 when matrix products become int8: pieces of the
            names of ONNX nodes.
    """

    name: str
    examples: str
    model_type: str
    architecture: str
    processor: type[ProcessorMixin]
    inputs: Inputs
    head: str
    float32_parts: tuple[str, ...]

    def problem(self, config: PreTrainedConfig, extractor: Any) -> str:
        """Return why a model with this config and feature extractor cannot be used; empty if it can."""

    def configure(self, config: PreTrainedConfig, labels: int, blank: int, regularisation: Mapping[str, Any]) -> None:
        """Set a config to a new head of so many labels, and to regularisation (see `Regularisation.config`)."""

    def extractor(self, extractor: Any, config: PreTrainedConfig) -> Any:
        """Return the feature extractor as training uses it: with a mask of the padding, if the model takes one."""

    def blank(self, config: PreTrainedConfig) -> int:
        """Return the index of the blank in a model that anybody has trained."""

    def prepare(self, model: PreTrainedModel, regularisation: Mapping[str, Any]) -> None:
        """Freeze what fine-tuning does not change, and add to training what transformers lacks in this family."""

    def below_layers(self, model: PreTrainedModel) -> torch.nn.Module:
        """Return the module whose output, or the first of several, the transformer takes: [B, T, D]."""

    def layers(self, model: PreTrainedModel) -> torch.nn.ModuleList:
        """Return the layers of the transformer, the lowest first."""

    def above_layers(self, model: PreTrainedModel) -> list[torch.nn.Module]:
        """Return the modules of the encoder that come after its layers."""

    def conv_layers(self, model: PreTrainedModel) -> torch.nn.ModuleList | None:
        """Return the layers of the convolutional encoder, None if it has none."""

    def replace_convolutions(self, model: PreTrainedModel, encoder: torch.nn.Module) -> None:
        """Put a module from samples [B, N] to features [B, C, T] in the place of the convolutional encoder."""

    def exportable(self, model: PreTrainedModel) -> torch.nn.Module:
        """Return a module from samples [B, N] to logits [B, T, V], normalised if `inputs.normalised`."""


class SamplesToLogits(torch.nn.Module):
    """The model from its main input to logits [B, T, V], without its other outputs."""

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return self.model(samples).logits


def set_labels(config: PreTrainedConfig, labels: int, blank: int) -> None:
    """Set what every config has to a new head."""
    head = {"vocab_size": labels, "pad_token_id": blank, "bos_token_id": None, "eos_token_id": None}
    for key, value in {**head, "ctc_loss_reduction": "mean", "ctc_zero_infinity": True}.items():
        setattr(config, key, value)


def rate_problem(config: PreTrainedConfig) -> str:
    """Return what is wrong with the frames of a convolutional encoder, by its kernels and strides, or nothing."""
    field, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    if (stride, field) == (STRIDE, RECEPTIVE_FIELD):
        return ""
    return f"its frames are {_ms(stride)} apart and {_ms(field)} long, not {_ms(STRIDE)} and {_ms(RECEPTIVE_FIELD)}"


def _ms(samples: int) -> str:
    return f"{1000 * samples / SAMPLING_RATE:g} ms"
