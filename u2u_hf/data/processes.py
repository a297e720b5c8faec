"""The processes that a launcher (torchrun, accelerate launch) started, or this one alone."""

from __future__ import annotations

import torch
from accelerate import PartialState


def processes() -> PartialState:
    """This process's place among them: rank, work divided, waiting for each other."""
    # Without `cpu`, accelerate takes several processes without GPUs for as many single ones.
    return PartialState(cpu=not torch.cuda.is_available())
