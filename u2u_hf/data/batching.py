"""Batches of near-equal durations that hold so many seconds, not so many utterances.

A batch is as long as its longest utterance, the others are padded: what it costs is its padded duration.
Batches are cut from the utterances in order of duration. So that they differ from epoch to epoch, durations
are shaken a little before they are sorted; how many utterances each batch has is fixed beforehand, for
durations that are longer by the most that shaking can do, so that no epoch exceeds the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

SHAKE = 0.05
# Attention costs as much as the rest of a base-size model for stretches of about a minute.
_QUADRATIC_SECONDS = 60.0


def cost(utterances: int, seconds: float) -> float:
    """What a batch of `utterances`, the longest of `seconds`, takes: padded seconds, long ones counting more."""
    return utterances * seconds * (1 + seconds / _QUADRATIC_SECONDS)


class DurationBatches(Sampler[list[int]]):
    """A batch sampler for one of several processes; each yields the same number of batches.

    The batches of one optimizer step, over all processes and accumulated steps, are of neighbouring
    durations, and the processes share them evenly: nobody waits long for the others. Which utterances a step
    is made of depends on how many batches a step has, not on how they are divided over processes.

    Args:
        durations: seconds of each utterance.
        limit: the most that a batch may `cost`; an utterance that exceeds it alone makes a batch of its own.
        per_step: batches in an optimizer step, over all processes.
        processes: how many processes share them; divides `per_step`.
        process: which of them this is, from 0.
        seed: the same seed and epoch give the same batches.
    """

    def __init__(
        self,
        durations: Sequence[float],
        limit: float,
        per_step: int = 1,
        processes: int = 1,
        process: int = 0,
        seed: int = 0,
    ):
        self._durations = np.asarray(durations, dtype=np.float64)
        self._sizes = _sizes(np.sort(self._durations) * (1 + SHAKE) / (1 - SHAKE), limit)
        self._per_step, self._processes, self._process, self._seed = per_step, processes, process, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Other batches in another order."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-len(self._sizes) // self._per_step) * self._per_step // self._processes

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng([self._seed, self._epoch])
        shaken = self._durations * rng.uniform(1 - SHAKE, 1 + SHAKE, len(self._durations))
        batches = np.split(np.argsort(shaken, kind="stable"), np.cumsum(self._sizes)[:-1])
        again = rng.integers(len(batches), size=-len(batches) % self._per_step)  # so that the last step is whole
        ordered = np.sort([*range(len(batches)), *again]).reshape(-1, self._per_step)
        for step in rng.permutation(ordered):
            for index in step[self._process :: self._processes]:
                yield batches[index].tolist()


def _sizes(durations: np.ndarray, limit: float) -> list[int]:
    """How many of the ascending `durations` go into each batch."""
    sizes: list[int] = []
    for duration in durations:
        if sizes and cost(sizes[-1] + 1, duration) <= limit:
            sizes[-1] += 1
        else:
            sizes.append(1)
    return sizes
