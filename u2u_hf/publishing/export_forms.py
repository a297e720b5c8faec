"""The forms of an exported model, float32 and smaller ones. A new one is a function and a line in `QUANTISED_FORMS`."""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.model_folder import FULL
from u2u_hf.publishing.conv_encoder import MatrixConvEncoder, is_supported
from u2u_hf.recognition.families.registry import family_of

_OPERATIONS = ["MatMul", "Gemm"]
_OPSET = 17


def to_onnx(model: PreTrainedModel, path: Path) -> None:
    """Write a model in float32, from samples [B, N] to logits [B, T, V], see `ModelFamily.exportable`.

    The weights of a model of more than 2 GB are in a second file, `path` with ``_data`` at its end.
    """
    for module in list(model.modules()):
        if parametrize.is_parametrized(module, "weight"):  # else the weight's product would be computed in each run
            parametrize.remove_parametrizations(module, "weight")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings(), torch.no_grad():
        written = Path(folder, path.name)
        # It warns that this exporter is deprecated, and of shapes that become fixed: here none does.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            family_of(model).exportable(model).eval(),
            (torch.zeros(1, SAMPLING_RATE),),
            str(written),  # of a Path it does not take the folder for the weights of a large model
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_values"],
            output_names=["logits"],
            dynamic_axes={"input_values": {0: "batch", 1: "samples"}, "logits": {0: "batch", 1: "frames"}},
        )
        if len(list(Path(folder).iterdir())) == 1:
            shutil.move(written, path)
        else:  # a file for each weight
            onnx.save_model(onnx.load(written), path, save_as_external_data=True, location=f"{path.name}_data")


def _to_int8(model: PreTrainedModel, full: Path, small: Path) -> None:
    """Write matrix products in 8 bits, those of the convolutional encoder as `MatrixConvEncoder` has them.

    The transformer's products have one scale for all frames, which layer norms make alike. The head stays in float32:
    it is small, and its errors are the output's. The model's convolutional encoder is replaced.
    """
    family = family_of(model)
    if is_supported(model):
        family.replace_convolutions(model, MatrixConvEncoder(model, eight_bits=True))
    with tempfile.TemporaryDirectory(dir=small.parent) as folder, _quiet():
        unquantized = Path(folder, FULL)
        to_onnx(model, unquantized)
        nodes = onnx.load(unquantized, load_external_data=False).graph.node
        names = [node.name for node in nodes if node.op_type in _OPERATIONS]
        quantize_dynamic(
            unquantized,
            small,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_OPERATIONS,
            per_channel=True,
            nodes_to_exclude=[name for name in names if any(part in name for part in family.float32_parts)],
        )


def _to_blocks(model: PreTrainedModel, full: Path, small: Path) -> None:
    """Write weights in 8 bits, with a scale for each block of 32, and compute in float32."""
    with _root_logger_kept():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
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


@contextlib.contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Keep an import from setting up the root logger, which would print each request to the Hub from then on."""
    handler = logging.NullHandler()  # with any handler, logging.basicConfig does nothing
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


@dataclass(frozen=True)
class ExportForm:
    """A smaller form of an exported model.

    Attributes:
        title: its name in reports.
        write: (model, its float32 export, file to write); it may change the model.
    """

    title: str
    write: Callable[[PreTrainedModel, Path, Path], None]


# The fastest first: `export` takes the first one that costs few errors.
QUANTISED_FORMS = {"int8": ExportForm("int8", _to_int8), "blocks": ExportForm("8-bit blocks", _to_blocks)}
