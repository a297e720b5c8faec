"""A trained model in ONNX, for processors (CPUs) and browsers, compared with the trained model."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin

from u2u_hf import model_folder, output_folder, written_files
from u2u_hf.data.audio import decode_mono
from u2u_hf.data.inputs import input_of_export, inputs_of
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.files import write_text
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.hub.model_files import optional_file
from u2u_hf.model_folder import (
    CALIBRATION,
    EXPORT_REPORT,
    FULL,
    FULL_DATA,
    LANGUAGE_MODEL,
    MADE_OF_MODEL,
    ONNX,
    SMALL,
)
from u2u_hf.progress_bar import progress_bar, write_line
from u2u_hf.publishing.export_forms import QUANTISED_FORMS, to_onnx
from u2u_hf.recognition.decoding import Labels, collapse, log_softmax
from u2u_hf.recognition.engine import Logits
from u2u_hf.recognition.model import load_trained, save_processor
from u2u_hf.recognition.onnx_model import onnx_logits
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.recognition.torch_model import torch_logits
from u2u_hf.records import U2UError
from u2u_hf.settings import quoted

# What quantisation may cost: half a point of character error rate.
_TOLERATED_CER = 0.005
_MEASURED_S = 600.0
_NOISE = "noise"


def own_folder(source: str, output_dir: str = "") -> Path:
    """Return the folder for what is made of a model: `output_dir`, or the model's own folder.

    Raises:
        U2UError: a model on the Hub has no folder here.
    """
    if not output_dir and not Path(source).is_dir():
        raise U2UError(f"{source}: is not a folder on this computer: give --output_dir, a folder for the result")
    return Path(output_dir or source)


def require_own(folder: Path) -> None:
    """Raise U2UError if an export would replace ONNX files in `folder` that it did not write."""
    theirs = [name for name in MADE_OF_MODEL[ONNX] if os.path.lexists(folder / ONNX / name)]
    if theirs and not _is_own(folder):
        raise U2UError(f"{folder / ONNX / theirs[0]}: was not made by export.py: move it away, or give --output_dir")


def _is_own(folder: Path) -> bool:
    try:
        return "variants" in json.loads((folder / ONNX / EXPORT_REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def export(
    source: str, output_dir: Path, validation: Dataset | None = None, tolerated_cer: float = _TOLERATED_CER
) -> dict[str, Any]:
    """Write ``onnx/model.onnx`` (float32), ``onnx/model_quantized.onnx`` (8 bits), and the files that go with them.

    The `QUANTISED_FORMS` are tried in order. The first one whose character error rate on the validation split exceeds
    the trained model's by no more than `tolerated_cer` becomes the quantised file. If none does, there is no such file.

    Args:
        source: folder or Hub name of a trained model.
        output_dir: its own folder, or another one, which then holds everything that a browser needs.
        validation: prepared utterances to measure on, ten minutes at most. Without them, only the agreement with the
            trained model on noise is measured, and the first form is taken.
        tolerated_cer: 0…1.

    Returns:
        ``variants``: for ``torch``, ``onnx`` and each form that was tried, the ``megabytes`` of its file, ``cer`` (0…1
        and above, if measured), ``agreement`` (share of frames with the trained model's label) and ``difference``
        (largest, of log-probabilities); ``quantized``: the form that was kept, or None; ``measured_on``.

    Raises:
        U2UError: the model cannot be loaded, its export differs from it, the export would replace other ONNX files, or
            the disk is full.
    """
    require_own(output_dir)
    model, processor = load_trained(source)
    comparison = _Comparison.with_model(model, processor, validation)
    (output_dir / ONNX).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output_dir / ONNX, prefix=".") as folder:
        full, small = Path(folder, FULL), Path(folder, SMALL)
        to_onnx(model, full)
        variants = {"torch": comparison.scores(comparison.expected), "onnx": comparison.scores_of_file(full)}
        if variants["onnx"]["difference"] > 1e-2:
            raise U2UError(f"{source}: the exported model differs from the trained one: {variants['onnx']}")
        kept = None
        for name, form in QUANTISED_FORMS.items():
            form.write(model, full, small)
            variants[name] = comparison.scores_of_file(small)
            if variants[name].get("cer", 0.0) <= variants["torch"].get("cer", 0.0) + tolerated_cer:
                kept = name
                break
            small.unlink()
        report = {"variants": variants, "quantized": kept, "measured_on": comparison.on}
        # The report is written first: it marks the files beside it as ours, also if this is killed between two of them.
        text = json.dumps({**report, "onnxruntime": onnxruntime.__version__}, indent=2)
        write_text(output_dir / ONNX / EXPORT_REPORT, text + "\n")
        for name in (FULL_DATA, SMALL):
            if not Path(folder, name).exists():
                (output_dir / ONNX / name).unlink(missing_ok=True)  # of an earlier export
        for path in Path(folder).iterdir():
            shutil.move(path, output_dir / ONNX / path.name)
        _write_settings(model, processor, output_dir, source, Path(folder, "settings"))
    return json.loads(text)


def _write_settings(
    model: PreTrainedModel, processor: ProcessorMixin, output_dir: Path, source: str, temporary: Path
) -> None:
    """Write config and processor beside the export; into the model's own folder only the files that it lacks."""
    model.config.save_pretrained(temporary)
    save_processor(processor, temporary)
    keep = output_folder.is_model_folder(output_dir, source)
    for path in temporary.iterdir():
        if not (keep and (output_dir / path.name).exists()):
            shutil.move(path, output_dir / path.name)
    if not keep:
        _copy_language_model(source, output_dir)


def _copy_language_model(source: str, output_dir: Path) -> None:
    """Copy the language model and the calibration, or remove those of an earlier export where `source` has none.

    A language model that language_model.py wrote into `output_dir` stays, with the calibration that was fitted to it.
    """
    language_model = [f"{LANGUAGE_MODEL}/{name}" for name in MADE_OF_MODEL[LANGUAGE_MODEL]]
    if any(
        (output_dir / name).exists() and not written_files.wrote(output_dir, output_dir / name)
        for name in language_model
    ):
        write_line(f"! {output_dir / LANGUAGE_MODEL}: stays, with its {CALIBRATION}: it is not of an export")
        return
    # Without its weights a language model is not used, and the calibration is fitted to it: both come last and go
    # first, so that if this is killed between, there is none, not a mixture of two.
    found = {name: optional_file(source, name) for name in (*language_model, CALIBRATION)}
    for name, path in reversed(found.items()):
        if path or written_files.wrote(output_dir, output_dir / name):
            (output_dir / name).unlink(missing_ok=True)
    model_folder.remove(output_dir, LANGUAGE_MODEL)
    for name, path in found.items():
        if path:
            (output_dir / name).parent.mkdir(exist_ok=True)
            written_files.note(output_dir, output_dir / name, path)
            shutil.copy(path, output_dir / name)


def report_table(report: dict[str, Any]) -> str:
    """Return what `export` returns as a Markdown table, with a sentence on which form is which file."""
    titles = {"torch": "as trained", "onnx": FULL} | {name: form.title for name, form in QUANTISED_FORMS.items()}
    if report["quantized"]:
        titles[report["quantized"]] += f" ({SMALL})"
    lines = ["| variant | MB | CER | same label |", "| --- | ---: | ---: | ---: |"]
    for name, row in report["variants"].items():
        cer = f"{row['cer']:.2%}" if "cer" in row else "not measured"
        lines.append(f"| {titles[name]} | {row.get('megabytes', '')} | {cer} | {row['agreement']:.2%} |")
    measured = f"Measured on {report['measured_on']}."
    if not report["quantized"]:
        measured += f" 8-bit numbers raise the error rate too much: only {FULL} (float32) was kept."
    if report["measured_on"] == _NOISE:
        measured += " How much 8-bit numbers raise the error rate is unknown: measure it with --dataset."
    return "\n".join([*lines, "", measured])


def next_steps(report: dict[str, Any], output_dir: Path, repo_id: str = "") -> str:
    """Return the verdict on an export, and what to do next.

    Args:
        repo_id: OWNER/NAME on the Hub if the export was pushed there.
    """
    variants, kept = report["variants"], report["quantized"]
    if not kept:
        verdict = f"8-bit numbers cost too many errors: recognition uses {FULL}, which is slower."
    elif "cer" in variants[kept]:
        change = 100 * (variants[kept]["cer"] - variants["torch"]["cer"])
        verdict = (
            f"The 8-bit model is ready: its character error rate differs by {change:+.2f} points from the model's."
        )
    else:
        verdict = "The 8-bit model is ready. Give --dataset to measure its errors."
    folder = quoted(output_dir)
    deploy = f"--model {repo_id}" if repo_id else f"--kind browser --model {folder}"
    return f"""
{verdict} Transcribe with it, or make it a web page:

  python recipes/transcribe.py --model {folder} --output_dir my_transcripts MY_NEW_RECORDINGS
  python recipes/deploy.py {deploy} --space OWNER/NAME"""


@dataclass(frozen=True)
class _Comparison:
    """The sounds that every variant recognises, and what the trained model makes of them.

    Attributes:
        sounds: what an exported model takes, float32 [N] each.
        expected: the trained model's log-probabilities float32 [T, V] of each sound.
        references: the sounds' texts, or None for noise.
        on: what the sounds are, for people to read.
    """

    sounds: Sequence[np.ndarray]
    expected: Sequence[np.ndarray]
    references: Sequence[str] | None
    labels: Labels
    on: str

    @classmethod
    def with_model(cls, model: PreTrainedModel, processor: ProcessorMixin, validation: Dataset | None) -> _Comparison:
        sounds = _noise() if validation is None else _utterances(validation)
        references = None if validation is None else validation["text"][: len(sounds)]
        minutes = sum(map(len, sounds)) / SAMPLING_RATE / 60
        on = _NOISE if validation is None else f"{len(sounds)} utterances of validation, {minutes:.1f} minutes"
        extractor = processor.feature_extractor
        kind = inputs_of(extractor)
        inputs = [kind.single(extractor, sound) for sound in sounds]
        expected = _log_probs(torch_logits(model, torch.device("cpu")), inputs, "torch")
        normalise = kind.normalised and extractor.do_normalize
        inputs = [input_of_export(sound, normalise) for sound in sounds]
        return cls(inputs, expected, references, labels_of(processor.tokenizer), on)

    def scores(self, found: Sequence[np.ndarray]) -> dict[str, float]:
        """Return the scores of a variant from its log-probabilities of each sound."""
        same = sum(int((a.argmax(1) == b.argmax(1)).sum()) for a, b in zip(found, self.expected, strict=True))
        scores = {
            "agreement": same / sum(map(len, self.expected)),
            "difference": max(float(np.abs(a - b).max()) for a, b in zip(found, self.expected, strict=True)),
        }
        if self.references:
            texts = [collapse(rows.argmax(1), self.labels) for rows in found]
            scores["cer"] = error_rates(texts, self.references)["cer"]
        return scores

    def scores_of_file(self, path: Path) -> dict[str, float]:
        found = _log_probs(onnx_logits(path), self.sounds, path.name)
        size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))  # with `FULL_DATA`
        return {"megabytes": round(size / 1e6, 1), **self.scores(found)}


def _noise() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.standard_normal(SAMPLING_RATE * seconds).astype(np.float32) * 0.1 for seconds in (1, 3, 7)]


def _utterances(validation: Dataset) -> list[np.ndarray]:
    sounds, seconds = [], 0.0
    for row in validation:
        sounds.append(decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio"))
        seconds += row["duration"]
        if seconds > _MEASURED_S:
            break
    return sounds


def _log_probs(logits: Logits, sounds: Sequence[np.ndarray], name: str) -> list[np.ndarray]:
    """Return the log-probabilities float32 [T, V] of each sound."""
    progress = progress_bar(sounds, desc=f"recognising with {name}", unit="utterance")
    return [log_softmax(logits(sound)) for sound in progress]
