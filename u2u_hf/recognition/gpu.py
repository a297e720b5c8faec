"""Whether there is a GPU that torch can use, without importing torch where there is none."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


def has_gpu() -> bool:
    """Return whether torch computes on a GPU here. Torch, which takes seconds to import, is asked only if one is."""
    if not (_has_nvidia() or _has_amd()):
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _has_nvidia() -> bool:
    """Return whether NVIDIA's driver is there and shows a GPU to this process (CUDA_VISIBLE_DEVICES may hide them)."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):  # no driver, or none of CUDA
        return False


def _has_amd() -> bool:
    return Path("/dev/kfd").exists()  # of Linux' driver for computing, which torch's builds for ROCm use
