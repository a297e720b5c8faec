"""A trained model → ONNX, for processors and browsers, checked against what it came from."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from datasets import Dataset
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from torch.nn.utils import parametrize
from tqdm.auto import tqdm
from transformers import HubertForCTC

from u2u_hf import output_folder
from u2u_hf.data.audio import decode_mono
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.files import write_text
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.model_folder import EXPORT_REPORT, FULL, ONNX, SMALL
from u2u_hf.publishing.conv_encoder import FrontEnd, fits
from u2u_hf.recognition.decoding import Labels, collapse
from u2u_hf.recognition.model import labels_of, load_trained, save_processor
from u2u_hf.recognition.recognizer import Logits, onnx_logits, torch_logits
from u2u_hf.records import U2UError

# What the smaller numbers of a quantised model may cost: half a point of character error rate.
_TOLERATED = 0.005
_SECONDS = 600.0
_NOISE = "noise"
_OPERATIONS = ["MatMul", "Gemm"]
_OPSET = 17


def own_folder(source: str, output_dir: str = "") -> Path:
    """Where what is made of a model goes: `output_dir`, or the model's own folder.

    Raises:
        U2UError: a model on the Hub has no folder here.
    """
    if not output_dir and not Path(source).is_dir():
        raise U2UError(f"{source}: is no folder on this computer: say with --output_dir where the result goes")
    return Path(output_dir or source)


def require_own(folder: Path) -> None:
    """Raise U2UError where ONNX files below `folder` are not of an export: it would replace them."""
    theirs = [name for name in (FULL, SMALL, EXPORT_REPORT) if os.path.lexists(folder / ONNX / name)]
    if theirs and not _is_own(folder):
        raise U2UError(f"{folder / ONNX / theirs[0]}: was not made by export.py: move it away, or give --output_dir")


def _is_own(folder: Path) -> bool:
    try:
        return "variants" in json.loads((folder / ONNX / EXPORT_REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def export(source: str, output_dir: Path, validation: Dataset | None = None) -> dict[str, Any]:
    """Write ``onnx/model.onnx`` (float32), ``onnx/model_quantized.onnx`` (8 bits), and all that goes with them.

    The quantised one computes with 8-bit numbers, which is the fastest; if that costs more than half a point of
    character error rate on the validation split, only its weights are in 8 bits, in blocks; and if that does too,
    there is none.

    Args:
        source: folder or Hub name of a trained model.
        output_dir: its own folder, or another one, which then holds all that a browser needs.
        validation: prepared utterances to measure on, ten minutes at most are heard; without them only the
            agreement with the trained model, on noise, is known.

    Returns:
        ``variants``: for each of torch, onnx, int8 and blocks (if it came to that) the ``megabytes``, ``cer``
        (0…1 and above; if measured), ``agreement`` (share of frames with the trained model's label) and
        ``difference`` (largest, of log-probabilities); ``quantized``: which one was kept, or None; ``measured_on``.

    Raises:
        U2UError: the model cannot be loaded, the exported one does not do the same, other ONNX files are in the place
            of its own, or the disk is full.
    """
    require_own(output_dir)
    model, processor = load_trained(source)
    labels = labels_of(processor.tokenizer)
    heard = _sounds(validation, processor.feature_extractor)
    references = None if validation is None else validation["text"][: len(heard)]
    (output_dir / ONNX).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output_dir / ONNX, prefix=".") as folder:
        full, small = Path(folder, FULL), Path(folder, SMALL)
        expected = _hear(torch_logits(model, torch.device("cpu")), heard, "torch")
        variants = {"torch": _measured(expected, expected, references, labels)}
        _to_onnx(model, full)
        variants["onnx"] = _variant(full, heard, expected, references, labels)
        if variants["onnx"]["difference"] > 1e-2:
            raise U2UError(f"{source}: the exported model differs from the trained one: {variants['onnx']}")
        _to_int8(model, small)
        variants["int8"] = _variant(small, heard, expected, references, labels)
        kept = "int8"
        if references and variants["int8"]["cer"] > variants["torch"]["cer"] + _TOLERATED:
            _to_blocks(full, small)
            variants["blocks"] = _variant(small, heard, expected, references, labels)
            kept = "blocks"
            if variants["blocks"]["cer"] > variants["torch"]["cer"] + _TOLERATED:
                kept = None
                small.unlink()
        seconds = sum(len(sound) for sound in heard) / SAMPLING_RATE
        on = _NOISE if validation is None else f"{len(heard)} utterances of validation, {seconds / 60:.1f} minutes"
        report = {"variants": variants, "quantized": kept, "measured_on": on, "onnxruntime": onnxruntime.__version__}
        # First of all: it says whose the files beside it are, also after a kill between two of them.
        write_text(output_dir / ONNX / EXPORT_REPORT, json.dumps(report, indent=2) + "\n")
        if not kept:
            (output_dir / ONNX / SMALL).unlink(missing_ok=True)
        for path in Path(folder).iterdir():
            shutil.move(path, output_dir / ONNX / path.name)
        about = Path(folder, "about")
        model.config.save_pretrained(about)
        save_processor(processor, about)
        # The model's own folder has most of them, its maker's: only what it lacks is written there.
        keep = output_folder.is_model_folder(output_dir, source)
        for path in about.iterdir():
            if not (keep and (output_dir / path.name).exists()):
                shutil.move(path, output_dir / path.name)
    return report


def in_words(report: dict[str, Any]) -> str:
    """The variants as a Markdown table, and which of them is which file."""
    names = {"torch": "as trained", "onnx": FULL, "int8": "int8", "blocks": "8-bit blocks"}
    if report["quantized"]:
        names[report["quantized"]] += f" ({SMALL})"
    lines = ["| variant | MB | CER | same label |", "| --- | ---: | ---: | ---: |"]
    for name, row in report["variants"].items():
        cer = f"{row['cer']:.2%}" if "cer" in row else "not measured"
        lines.append(f"| {names[name]} | {row.get('megabytes', '')} | {cer} | {row['agreement']:.2%} |")
    measured = f"Measured on {report['measured_on']}."
    if not report["quantized"]:
        measured += " With 8-bit numbers it writes worse: only the one with 32 bits was kept."
    if report["measured_on"] == _NOISE:
        measured += " What the 8-bit numbers cost is not known: a prepared dataset (--dataset) would tell."
    return "\n".join([*lines, "", measured])


def _sounds(validation: Dataset | None, extractor) -> list[np.ndarray]:
    """Normalised float32 samples [N] of utterances, or of noise."""
    if validation is None:
        random = np.random.default_rng(0)
        sounds = [random.standard_normal(SAMPLING_RATE * seconds).astype(np.float32) * 0.1 for seconds in (1, 3, 7)]
    else:
        sounds, seconds = [], 0.0
        for row in validation:
            sounds.append(decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio"))
            seconds += row["duration"]
            if seconds > _SECONDS:
                break
    return [extractor(sound, sampling_rate=SAMPLING_RATE).input_values[0] for sound in sounds]


def _hear(logits: Logits, sounds: Sequence[np.ndarray], name: str) -> list[np.ndarray]:
    """Log-probabilities float32 [T, V] of each sound."""
    heard = (torch.from_numpy(logits(sound)) for sound in tqdm(sounds, desc=f"hearing with {name}", unit="utterance"))
    return [torch.log_softmax(rows, -1).numpy() for rows in heard]


def _variant(
    path: Path,
    sounds: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
    references: Sequence[str] | None,
    labels: Labels,
) -> dict[str, float]:
    found = _hear(onnx_logits(path), sounds, path.name)
    return {"megabytes": round(path.stat().st_size / 1e6, 1), **_measured(found, expected, references, labels)}


def _measured(
    found: Sequence[np.ndarray], expected: Sequence[np.ndarray], references: Sequence[str] | None, labels: Labels
) -> dict[str, float]:
    same = sum(int((a.argmax(1) == b.argmax(1)).sum()) for a, b in zip(found, expected, strict=True))
    measured = {
        "agreement": same / sum(map(len, expected)),
        "difference": max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True)),
    }
    if references:
        measured["cer"] = error_rates([collapse(rows.argmax(1), labels) for rows in found], references)["cer"]
    return measured


class _Samples(torch.nn.Module):
    """The model from samples [B, N] to logits [B, T, V], with nothing else to it."""

    def __init__(self, model: HubertForCTC):
        super().__init__()
        self.model = model

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        return self.model(input_values).logits


def _to_onnx(model: HubertForCTC, path: Path) -> None:
    convolution = model.hubert.encoder.pos_conv_embed.conv
    if parametrize.is_parametrized(convolution):  # the weight is then a product, worked out anew each time
        parametrize.remove_parametrizations(convolution, "weight")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter(
            "ignore"
        )  # that this exporter is the older one, and that shapes become fixed: they do not
        torch.onnx.export(
            _Samples(model),
            (torch.zeros(1, SAMPLING_RATE),),
            path,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_values"],
            output_names=["logits"],
            dynamic_axes={"input_values": {0: "batch", 1: "samples"}, "logits": {0: "batch", 1: "frames"}},
        )


def _to_int8(model: HubertForCTC, small: Path) -> None:
    """Products of matrices in 8 bits, those of the convolutional encoder as `FrontEnd` has them.

    The transformer's have one scale for all frames: behind layer norms they are alike. The head stays as it is, for it
    is small and its errors are the output's.
    """
    front = small.with_name("front.onnx")
    if fits(model):
        model.hubert.feature_extractor = FrontEnd(model, eight_bits=True)
    _to_onnx(model, front)
    names = [node.name for node in onnx.load(front, load_external_data=False).graph.node if node.op_type in _OPERATIONS]
    head = [name for name in names if "/lm_head/" in name]
    encoder = [name for name in names if "/feature_extractor/" in name]
    with _quiet():
        quantize_dynamic(
            front,
            small,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=_OPERATIONS,
            per_channel=True,
            nodes_to_exclude=encoder + head,
        )
    front.unlink()


def _to_blocks(full: Path, small: Path) -> None:
    quantizer = MatMulNBitsQuantizer(onnx.load(full), bits=8, block_size=32, is_symmetric=True)
    with _quiet():
        quantizer.process()
    quantizer.model.save_model_to_file(str(small))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without onnxruntime's line for every operation that stays as it is."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
