"""Batches of utterances of similar duration, limited in seconds of audio rather than in utterances.

All utterances of a batch are padded to the longest one, so the cost of a batch is its padded duration. Batches are cut
from the utterances sorted by duration. Random noise on the durations before sorting makes the batches differ between
epochs; the number of utterances in each batch is fixed for the longest possible noisy durations, so that no epoch
exceeds the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

SHAKE = 0.05  # largest relative noise on a duration
# Utterance duration at which attention costs as much as the rest of a base-size model.
_QUADRATIC_SECONDS = 60.0


def cost(utterances: int, seconds: float) -> float:
    """Return the cost of a batch of `utterances` padded to `seconds`: padded seconds, weighted up for long ones."""
    return utterances * seconds * (1 + seconds / _QUADRATIC_SECONDS)


class DurationBatches(Sampler[list[int]]):
    """A batch sampler for one of several processes, all of which yield the same number of batches.

    The batches of one optimizer step, over all processes and accumulated steps, have similar durations, so that
    processes do not wait long for each other. The utterances of a step do not depend on the number of processes, only
    on the number of batches per step.

    Args:
        durations: of each utterance, in seconds.
        limit: largest `cost` of a batch; a longer utterance has a batch of its own.
        per_step: batches per optimizer step, over all processes.
        processes: number of processes; divides `per_step`.
        process: index of this one, from 0.
        seed: random seed; the same seed and epoch give the same batches.
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
        longest = np.sort(self._durations) * (1 + SHAKE) / (1 - SHAKE)
        self._sizes = _sizes(longest, limit)
        self._seconds = np.minimum(longest[np.cumsum(self._sizes) - 1], self._durations.max())
        self._per_step, self._processes, self._process, self._seed = per_step, processes, process, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the batches and their order for an epoch."""
        self._epoch = epoch

    def largest(self, parts: int = 1) -> list[tuple[int, float]]:
        """Return utterances and padded seconds of the batches that need most memory in any epoch.

        Memory grows with the padded seconds and, in models that store attention, with those times the duration: the
        largest by each.

        Args:
            parts: each batch is divided into so many, by utterances.
        """
        utterances = -(-np.array(self._sizes) // parts)
        padded = utterances * self._seconds
        indices = {int(np.argmax(padded)), int(np.argmax(padded * self._seconds))}
        return [(int(utterances[index]), float(self._seconds[index])) for index in sorted(indices)]

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
    """Return the number of utterances in each batch, for ascending `durations`."""
    sizes: list[int] = []
    for duration in durations:
        if sizes and cost(sizes[-1] + 1, duration) <= limit:
            sizes[-1] += 1
        else:
            sizes.append(1)
    return sizes


def first_rows(rows: Sequence[int], seconds: Sequence[float], limit: float) -> list[int]:
    """Return the first of some rows, as many as last no longer than `limit` seconds together.

    Args:
        seconds: duration of each row of the dataset.

    >>> first_rows([2, 0, 1], [1.0, 4.0, 2.0], 6.5)
    [2, 0]
    """
    total = np.cumsum([seconds[row] for row in rows])
    return list(rows[: int((total <= limit).sum())])
