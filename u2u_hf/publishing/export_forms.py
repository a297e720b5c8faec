"""The forms of an exported model, float32 and smaller ones. A new one is a function and a line in `QUANTISED_FORMS`."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from torch.nn.utils import parametrize
from transformers import HubertForCTC

from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.publishing.conv_encoder import MatrixConvEncoder, is_supported

_OPERATIONS = ["MatMul", "Gemm"]
_OPSET = 17


class _SamplesToLogits(torch.nn.Module):
    """The model from samples [B, N] to logits [B, T, V], without its other outputs."""

    def __init__(self, model: HubertForCTC):
        super().__init__()
        self.model = model

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        return self.model(input_values).logits


def to_onnx(model: HubertForCTC, path: Path) -> None:
    """Write a model in float32, from samples [B, N] to logits [B, T, V]."""
    convolution = model.base_model.encoder.pos_conv_embed.conv
    if parametrize.is_parametrized(convolution):  # else the weight's product would be computed in each run
        parametrize.remove_parametrizations(convolution, "weight")
    with warnings.catch_warnings(), torch.no_grad():
        # It warns that this exporter is deprecated, and of shapes that become fixed: here none does.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _SamplesToLogits(model),
            (torch.zeros(1, SAMPLING_RATE),),
            path,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_values"],
            output_names=["logits"],
            dynamic_axes={"input_values": {0: "batch", 1: "samples"}, "logits": {0: "batch", 1: "frames"}},
        )


def _to_int8(model: HubertForCTC, full: Path, small: Path) -> None:
    """Write matrix products in 8 bits, those of the convolutional encoder as `MatrixConvEncoder` has them.

    The transformer's products have one scale for all frames, which layer norms make alike. The head stays in float32:
    it is small, and its errors are the output's. The model's convolutional encoder is replaced.
    """
    unquantized = small.with_name("matrix_products.onnx")
    if is_supported(model):
        model.base_model.feature_extractor = MatrixConvEncoder(model, eight_bits=True)
    to_onnx(model, unquantized)
    nodes = onnx.load(unquantized, load_external_data=False).graph.node
    names = [node.name for node in nodes if node.op_type in _OPERATIONS]
    with _quiet():
        quantize_dynamic(
            unquantized,
            small,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_OPERATIONS,
            per_channel=True,
            nodes_to_exclude=[name for name in names if "/lm_head/" in name or "/feature_extractor/" in name],
        )
    unquantized.unlink()


def _to_blocks(model: HubertForCTC, full: Path, small: Path) -> None:
    """Write weights in 8 bits, with a scale for each block of 32, and compute in float32."""
    quantizer = MatMulNBitsQuantizer(onnx.load(full), bits=8, block_size=32, is_symmetric=True)
    with _quiet():
        quantizer.process()
    quantizer.model.save_model_to_file(str(small))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress onnxruntime's line about every operation that it does not quantise."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class ExportForm:
    """A smaller form of an exported model.

    Attributes:
        title: its name in reports.
        write: (model, its float32 export, file to write); it may change the model.
    """

    title: str
    write: Callable[[HubertForCTC, Path, Path], None]


# The fastest first: `export` takes the first one that costs few errors.
QUANTISED_FORMS = {"int8": ExportForm("int8", _to_int8), "blocks": ExportForm("8-bit blocks", _to_blocks)}
