"""The processes that a launcher (torchrun, accelerate launch) started, or this one alone.

Without a launcher nothing of accelerate is imported: it imports torch, which takes seconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from accelerate import PartialState

# Of torchrun and accelerate; of MPI's launchers, which accelerate knows as well.
_WORLD_SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
_Work = TypeVar("_Work")


class Alone:
    """The part of `accelerate.PartialState` that does not need torch, for one process."""

    is_main_process = is_local_main_process = True

    @contextlib.contextmanager
    def split_between_processes(self, work: _Work) -> Iterator[_Work]:
        """Give this process's share of the work: all."""
        yield work

    @contextlib.contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the main process, which this is, run the block before others."""
        yield

    def wait_for_everyone(self) -> None:
        """Return: there is nobody else."""


def processes() -> Alone | PartialState:
    """Return this process's place among the launcher's: whether it is the main one, its share of work, a barrier."""
    return accelerator() if _are_several() else Alone()


def gathered(items: list[Any]) -> list[Any]:
    """Return the items of all processes, in each of them."""
    if not _are_several():
        return items
    from accelerate.utils import gather_object

    return gather_object(items)


def accelerator() -> PartialState:
    """Return accelerate's state of this process, with its device."""
    import torch
    from accelerate import PartialState

    # Without `cpu`, accelerate treats several processes without GPUs as unrelated ones.
    return PartialState(cpu=not torch.cuda.is_available())


def _are_several() -> bool:
    return any(os.environ.get(name, "1") not in ("", "0", "1") for name in _WORLD_SIZES)
