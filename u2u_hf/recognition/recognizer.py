"""A trained model that hears: samples in, log-probabilities of characters for each frame out."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from transformers import HubertForCTC

from u2u_hf.data.processes import processes
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE
from u2u_hf.model_folder import FULL, ONNX, SMALL
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.model import labels_of, load_processor, load_trained, optional_file
from u2u_hf.records import U2UError

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h
Logits = Callable[[np.ndarray], np.ndarray]  # normalised float32 samples [N] → float32 [T, V]


class Recognizer:
    """A fine-tuned HuBERT with its vocabulary: torch in half precision on a GPU, else ONNX if it was exported.

    Stretches are not recognised in batches: group-norm models (mHuBERT-147) change their output when padded, and on
    a processor batches are no faster. What is faster there is to call `log_probs` from `at_once` threads, which do
    not wait for each other as those of one call do.

    Attributes:
        labels: what the outputs stand for.
        engine: what computes, in words.
        at_once: how many threads may well call `log_probs`; each takes memory.
    """

    def __init__(self, source: str | os.PathLike[str]):
        """Args: source: folder or Hub name. Raises U2UError: see `u2u_hf.recognition.model.load_trained`."""
        source = str(source)
        exported = None if torch.cuda.is_available() else _exported(source)
        if exported:
            processor = load_processor(source)
            cores = multiprocessing.cpu_count()
            self.at_once = min(2, cores)
            hear = onnx_logits(exported, cores // self.at_once)
            self._logits = hear
            self._give_back = partial(hear, np.zeros(RECEPTIVE_FIELD, dtype=np.float32), give_back=True)
            self.engine = f"onnxruntime, {exported.name}"
        else:
            model, processor = load_trained(source)
            self.at_once = 1
            self._logits, self.engine = torch_logits(model), "torch"
            self._give_back = torch.cuda.empty_cache
        self._extractor = processor.feature_extractor
        self.labels: Labels = labels_of(processor.tokenizer)

    def log_probs(self, samples: np.ndarray) -> np.ndarray:
        """float32 [T, V], natural log, for float32 samples [N] at 16 kHz; T is `frames.frame_count(N)`."""
        if len(samples) < RECEPTIVE_FIELD:
            return np.zeros((0, len(self.labels.symbols)), dtype=np.float32)
        inputs = self._extractor(samples, sampling_rate=SAMPLING_RATE).input_values[0]
        return torch.log_softmax(torch.from_numpy(self._logits(inputs)), -1).numpy()

    def give_back_memory(self) -> None:
        """What the last stretches took goes back to the computer: for what stays open between recordings.

        Call it before the first of them, too. The next ones are slower for it: between the stretches of one
        recording it is better kept.
        """
        self._give_back()
        if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            # From now on an array lies by itself, and what is small in one heap and not in one for each thread.
            libc.mallopt(_M_MMAP_THRESHOLD, 1 << 20)
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.malloc_trim(0)  # what was freed stays with the process otherwise


def _exported(source: str) -> Path | None:
    return optional_file(source, f"{ONNX}/{SMALL}") or optional_file(source, f"{ONNX}/{FULL}")


def torch_logits(model: HubertForCTC, device: torch.device | None = None) -> Logits:
    """The model on a GPU in half precision, or on the processor as it is; it is moved there.

    Args:
        device: None for this process's GPU if it has one.
    """
    device = device or processes().device
    model = model.to(device, torch.float16) if device.type == "cuda" else model

    def logits(samples: np.ndarray) -> np.ndarray:
        inputs = torch.from_numpy(np.asarray(samples, dtype=np.float32))[None].to(model.device, model.dtype)
        with torch.inference_mode():
            return model(inputs).logits[0].float().cpu().numpy()

    return logits


def onnx_logits(path: Path, threads: int = 0) -> Logits:
    """An exported model on so many processor cores; 0 are all.

    Raises:
        U2UError: the file is broken.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Between two stretches the cores are needed for other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this, products of unsigned and signed 8-bit numbers are cut off at 16 bits on processors with AVX2 and no
    # VNNI (most laptops up to 2019): 6.9% of the logits' norm was lost in place of 4.4%, in 0.8 of the time.
    options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each of its reasons
        raise U2UError(f"{path}: cannot be loaded: export it again with recipes/export.py") from error

    giving_back = onnxruntime.RunOptions()
    giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def logits(samples: np.ndarray, give_back: bool = False) -> np.ndarray:
        inputs = {"input_values": np.asarray(samples, dtype=np.float32)[None]}
        return session.run(None, inputs, giving_back if give_back else None)[0][0]

    return logits
