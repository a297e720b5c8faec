"""The most memory that a training took."""

from __future__ import annotations

import sys

import psutil
import torch


def peak_bytes(device: torch.device) -> int:
    """Return the most bytes that this process has held: of the GPU if it trains on one, else of the computer.

    Of a GPU, what torch reserved: the memory that a GPU must have. It is a little more than what tensors took.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # not in Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # in KiB in Linux


def peak_memory(device: torch.device, processes: int = 1) -> str:
    """Return the most memory that this process has held, in words: ``5.3 GB of GPU memory``."""
    kind = "GPU memory" if device.type == "cuda" else "memory"
    return f"{peak_bytes(device) / 1e9:.1f} GB of {kind}{' in each process' if processes > 1 else ''}"
