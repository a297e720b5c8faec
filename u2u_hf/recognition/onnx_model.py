"""A recogniser's export in onnxruntime, on the CPU; neither torch nor transformers is imported for it."""

from __future__ import annotations

import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime

from u2u_hf.data.inputs import input_of_export
from u2u_hf.hub.model_files import optional_file
from u2u_hf.memory import memory_problem
from u2u_hf.model_folder import FULL, FULL_DATA, ONNX, SMALL
from u2u_hf.recognition.engine import TWO_FRAMES, Engine, Logits
from u2u_hf.recognition.plain_processor import NotPlainError, PlainProcessor, plain_processor
from u2u_hf.recognition.saturation import saturates
from u2u_hf.records import U2UError

_INPUT = "input_values"  # of a model's export


def exported(source: str) -> Path | None:
    """Return the path of a model's export, the smaller one if there are two; None if it has none.

    Raises:
        U2UError: see `optional_file`.
    """
    if small := optional_file(source, f"{ONNX}/{SMALL}"):
        return small
    full = optional_file(source, f"{ONNX}/{FULL}")
    if full:
        optional_file(source, f"{ONNX}/{FULL_DATA}")  # which onnxruntime looks for beside it
    return full


def load(source: str, path: Path) -> Engine:
    """Return a recogniser that computes with its export.

    Args:
        source: folder or Hub name of the model.
        path: from `exported`.

    Raises:
        U2UError: the export, or the processor or vocabulary of the model, is missing or damaged, or they do not fit.
    """
    processor = _processor(source)
    cores = multiprocessing.cpu_count()
    calls = min(2, cores)
    logits = onnx_logits(path, cores // calls, outputs=len(processor.labels.symbols))
    return Engine(
        name=f"onnxruntime, {path.name}",
        labels=processor.labels,
        receptive_field=processor.inputs.receptive_field,
        input=partial(input_of_export, normalise=processor.normalise),
        logits=logits,
        parallel_calls=calls,
        release=partial(logits, np.zeros(TWO_FRAMES, dtype=np.float32), release=True),
    )


def _processor(source: str) -> PlainProcessor:
    try:
        return plain_processor(source)
    except NotPlainError as problem:
        try:
            from u2u_hf.recognition import model  # imports torch, which takes seconds
        except ImportError as error:
            advice = "copy or download the model again, export it with recipes/export.py, or install torch"
            raise U2UError(f"{source}: {problem}: {advice}") from error
        return model.load_plain_processor(source)


def onnx_logits(path: Path, threads: int = 0, outputs: int = 0) -> Logits:
    """Return a function for an exported model on this many CPU cores; 0 means all.

    Args:
        outputs: size of the vocabulary that the file must fit; 0 if that is not known.

    Raises:
        U2UError: the file is damaged, is not the export of a recogniser, or does not fit the vocabulary.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Spinning threads would take the cores from decoding between two inferences.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this, CPUs with AVX2 and no VNNI (most laptops up to 2019) saturate int8 products at 16 bits: the logits
    # then differ by 6.9% of their norm in place of 4.4%, in 0.8 of the time. With VNNI it mends nothing, and takes 1.7
    # times as long.
    if saturates():
        options.add_session_config_entry("session.x64quantprecision", "1")
    releasing = onnxruntime.RunOptions()
    releasing.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def logits(samples: np.ndarray, release: bool = False) -> np.ndarray:
        inputs = {_INPUT: np.asarray(samples, dtype=np.float32)[None]}
        return session.run(None, inputs, releasing if release else None)[0][0]

    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        # The model of another task may load, and then fails only when it is run.
        found = np.asarray(logits(np.zeros(TWO_FRAMES, dtype=np.float32), release=True))
    except Exception as error:  # onnxruntime raises many classes of errors
        problem = memory_problem(error) or "it is damaged, or no recogniser: export it again with recipes/export.py"
        raise U2UError(f"{path}: cannot be loaded: {problem}") from error
    _require_logits(path, found, outputs)
    return logits


def _require_logits(path: Path, found: np.ndarray, outputs: int) -> None:
    """Raise U2UError unless `found`, the logits of two frames, are finite numbers for so many labels."""
    again = "export it again with recipes/export.py"
    if found.dtype != np.float32 or found.ndim != 2 or len(found) != 2:
        raise U2UError(f"{path}: its output has another shape than a recogniser's: {again}")
    if outputs and found.shape[1] != outputs:
        raise U2UError(f"{path}: has {found.shape[1]} outputs but the model's vocabulary is {outputs}: {again}")
    if not np.isfinite(found).all():
        raise U2UError(f"{path}: its weights are damaged (it gives NaN or infinity): {again}")
