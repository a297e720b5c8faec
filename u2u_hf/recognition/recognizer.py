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

from u2u_hf.data.inputs import input_of_export, inputs_of
from u2u_hf.data.processes import processes
from u2u_hf.frames import delay_ms
from u2u_hf.model_folder import FULL, ONNX, SMALL
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.model import load_processor, load_trained, optional_file
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.records import U2UError

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h
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
        source = str(source)
        exported = None if torch.cuda.is_available() else _exported(source)
        if exported:
            processor = load_processor(source)
            cores = multiprocessing.cpu_count()
            self.parallel_calls = min(2, cores)
            logits = onnx_logits(exported, cores // self.parallel_calls)
            self._logits, self._input = logits, partial(input_of_export, processor.feature_extractor)
            shortest = np.zeros(inputs_of(processor.feature_extractor).receptive_field, dtype=np.float32)
            self._release = partial(logits, shortest, release=True)
            self.engine = f"onnxruntime, {exported.name}"
        else:
            model, processor = load_trained(source)
            self.parallel_calls = 1
            self._logits, self.engine = torch_logits(model), "torch"
            self._input = partial(inputs_of(processor.feature_extractor).single, processor.feature_extractor)
            self._release = torch.cuda.empty_cache
        self._receptive_field = inputs_of(processor.feature_extractor).receptive_field
        try:
            self.labels: Labels = replace(labels_of(processor.tokenizer), delay_ms=delay_ms(self._receptive_field))
        except Exception as error:  # from a tokenizer that loaded from damaged files
            raise U2UError(f"{source}: its vocabulary is damaged: copy or download the model again") from error

    def log_probs(self, samples: np.ndarray) -> np.ndarray:
        """Return float32 [T, V], natural log, for float32 samples [N] at 16 kHz; T is `frames.frame_count(N, …)`."""
        if len(samples) < self._receptive_field:
            return np.zeros((0, len(self.labels.symbols)), dtype=np.float32)
        return torch.log_softmax(torch.from_numpy(self._logits(self._input(samples))), -1).numpy()

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
    return optional_file(source, f"{ONNX}/{SMALL}") or optional_file(source, f"{ONNX}/{FULL}")


def torch_logits(model: PreTrainedModel, device: torch.device | None = None) -> Logits:
    """Return a function for a model in torch: in float16 on a GPU, unchanged on a CPU; the model is moved there.

    Args:
        device: None for this process's GPU, or the CPU if it has none.
    """
    device = device or processes().device
    model = model.to(device, torch.float16) if device.type == "cuda" else model

    def logits(samples: np.ndarray) -> np.ndarray:
        inputs = torch.from_numpy(np.asarray(samples, dtype=np.float32))[None].to(model.device, model.dtype)
        with torch.inference_mode():
            return model(inputs).logits[0].float().cpu().numpy()

    return logits


def onnx_logits(path: Path, threads: int = 0) -> Logits:
    """Return a function for an exported model on this many CPU cores; 0 means all.

    Raises:
        U2UError: the file is damaged.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Spinning threads would take the cores from decoding between two inferences.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this, CPUs with AVX2 and no VNNI (most laptops up to 2019) saturate int8 products at 16 bits: the logits
    # then differ by 6.9% of their norm in place of 4.4%, in 0.8 of the time.
    options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many classes of errors
        raise U2UError(f"{path}: cannot be loaded: export it again with recipes/export.py") from error

    releasing = onnxruntime.RunOptions()
    releasing.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def logits(samples: np.ndarray, release: bool = False) -> np.ndarray:
        inputs = {"input_values": np.asarray(samples, dtype=np.float32)[None]}
        return session.run(None, inputs, releasing if release else None)[0][0]

    return logits
