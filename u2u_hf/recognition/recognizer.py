"""A trained model for inference: samples in, log-probabilities of characters for each frame out."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from transformers import PreTrainedModel

from u2u_hf.data.inputs import KINDS, input_of_export, inputs_of
from u2u_hf.data.processes import accelerator
from u2u_hf.frames import STRIDE, delay_ms
from u2u_hf.hub.model_files import optional_file
from u2u_hf.memory import memory_problem
from u2u_hf.model_folder import FULL, FULL_DATA, ONNX, SMALL
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.model import load_processor, load_trained
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.records import U2UError

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h
_INPUT = "input_values"  # of a model's export
_TWO_FRAMES = max(kind.receptive_field for kind in KINDS) + STRIDE  # samples, of every kind of inputs
Logits = Callable[[np.ndarray], np.ndarray]  # one input of `u2u_hf.data.inputs`, float32 → logits float32 [T, V]


class Recognizer:
    """A fine-tuned model with its vocabulary: float16 in torch on a GPU, otherwise the ONNX export if there is one.

    There are no batches: padding changes the output of models with group norm (mHuBERT-147), and on a CPU batches are
    not faster: call `log_probs` from `parallel_calls` threads there.

    Attributes:
        labels: the output labels.
        engine: the library and file that compute, for messages.
        parallel_calls: number of threads that should call `log_probs` at once; each needs memory.
    """

    def __init__(self, source: str | os.PathLike[str]):
        """Args: source: folder or Hub name. Raises U2UError: see `u2u_hf.recognition.model.load_trained`."""
        source = self._source = str(source)
        exported = None if torch.cuda.is_available() else _exported(source)
        if exported:
            processor = load_processor(source)
            cores = multiprocessing.cpu_count()
            self.parallel_calls = min(2, cores)
            logits = onnx_logits(exported, cores // self.parallel_calls, outputs=len(processor.tokenizer))
            self._logits, self._input = logits, partial(input_of_export, processor.feature_extractor)
            self._release = partial(logits, np.zeros(_TWO_FRAMES, dtype=np.float32), release=True)
            self.engine = f"onnxruntime, {exported.name}"
        else:
            model, processor = load_trained(source)
            self.parallel_calls = 1
            self._logits, self.engine = torch_logits(model), "torch"
            self._input = partial(inputs_of(processor.feature_extractor).single, processor.feature_extractor)
            self._release = torch.cuda.empty_cache
        self._receptive_field = inputs_of(processor.feature_extractor).receptive_field
        self.labels: Labels = replace(labels_of(processor.tokenizer), delay_ms=delay_ms(self._receptive_field))
        self._require_working(source)

    def _require_working(self, source: str) -> None:
        """Raise U2UError unless two frames are recognised: damaged settings load too, and fail at every recording."""
        noise = np.random.default_rng(0).standard_normal(_TWO_FRAMES).astype(np.float32)
        try:
            found = self.log_probs(noise)
        except Exception as error:  # of several libraries
            problem = memory_problem(error) or "its settings or weights are damaged: copy or download the model again"
            raise U2UError(f"{source}: cannot recognise anything: {problem}") from error
        if found.shape != (2, len(self.labels.symbols)):
            raise U2UError(f"{source}: gives no probabilities of characters: copy or download the model again")

    def log_probs(self, samples: np.ndarray) -> np.ndarray:
        """Return float32 [T, V], natural log, for float32 samples [N] at 16 kHz; T is `frames.frame_count(N, …)`.

        Raises:
            U2UError: the model gives NaN.
        """
        if len(samples) < self._receptive_field:
            return np.zeros((0, len(self.labels.symbols)), dtype=np.float32)
        found = torch.log_softmax(torch.from_numpy(self._logits(self._input(samples))), -1).numpy()
        if np.isnan(found).any():
            raise U2UError(f"{self._source}: gives NaN: its weights are damaged: copy or download the model again")
        return found

    def release_memory(self) -> None:
        """Release memory cached by the last inference; for servers, before the first recording and between two.

        The next inference is slower: within a recording, keep the cache.
        """
        self._release()
        if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            # From now on glibc maps large arrays one by one and keeps one heap, not one per thread.
            libc.mallopt(_M_MMAP_THRESHOLD, 1 << 20)
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.malloc_trim(0)  # otherwise freed memory stays with the process


def _exported(source: str) -> Path | None:
    if small := optional_file(source, f"{ONNX}/{SMALL}"):
        return small
    full = optional_file(source, f"{ONNX}/{FULL}")
    if full:
        optional_file(source, f"{ONNX}/{FULL_DATA}")  # which onnxruntime looks for beside it
    return full


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
    # then differ by 6.9% of their norm in place of 4.4%, in 0.8 of the time.
    options.add_session_config_entry("session.x64quantprecision", "1")
    releasing = onnxruntime.RunOptions()
    releasing.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def logits(samples: np.ndarray, release: bool = False) -> np.ndarray:
        inputs = {_INPUT: np.asarray(samples, dtype=np.float32)[None]}
        return session.run(None, inputs, releasing if release else None)[0][0]

    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        # The model of another task may load, and then fails only when it is run.
        found = np.asarray(logits(np.zeros(_TWO_FRAMES, dtype=np.float32), release=True))
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
