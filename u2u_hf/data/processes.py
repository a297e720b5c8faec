"""The processes that a launcher (torchrun, accelerate launch) started, or this one alone."""

from __future__ import annotations

import torch
from accelerate import PartialState


def processes() -> PartialState:
    """Return accelerate's state of this process, which has its rank, divides work and waits for the others."""
    # Without `cpu`, accelerate treats several processes without GPUs as unrelated ones.
    return PartialState(cpu=not torch.cuda.is_available())
