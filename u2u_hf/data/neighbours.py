"""Training examples that are several utterances of one speaker, one after the other.

In prepared utterances a text never holds the end of one sentence and the beginning of the next. A recogniser that has
learnt from these alone writes two sentences that a voice detector gives it in one segment without the space between.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import datasets
import numpy as np
import torch

from u2u_hf.data.audio import decode_mono
from u2u_hf.frames import SAMPLING_RATE

_LONGEST_S = 20.0  # as the longest segment of a voice detector
_MOST_UTTERANCES = 4
# Voice detectors join what is closer together; between utterances that are farther apart so much of the pause stays.
_LONGEST_PAUSE_S = 0.5
_SPEECH = ("recording", "tier", "speaker", "channel")
_FRAME = SAMPLING_RATE // 100


class Examples(torch.utils.data.Dataset):
    """The utterances of a split, and neighbouring ones joined: each is ``{"text", "samples" float32 [N]}``.

    Attributes:
        durations: of each example, in seconds.
        texts: of each example.
    """

    def __init__(self, split: datasets.Dataset, joined: Sequence[tuple[int, ...]] = ()):
        """Args: joined: rows of the split that follow each other, from `neighbours`."""
        self._split = split
        texts = split["text"]
        self._rows = [*((row,) for row in range(len(split))), *joined]
        seconds, pauses = split["duration"], _pauses(split) if joined else [0.0] * len(split)
        self.durations = [
            sum(seconds[row] for row in rows) + sum(pauses[row] for row in rows[1:]) for rows in self._rows
        ]
        self.texts = [" ".join(texts[row] for row in rows) for rows in self._rows]
        self._pauses = pauses

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return a batch of examples, whose rows are read in one go."""
        wanted = [row for index in indices for row in self._rows[index]]
        found = iter(self._split[wanted]["audio"])
        return [self._example(index, [next(found) for _ in self._rows[index]]) for index in indices]

    def _example(self, index: int, sounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
        signals = [decode_mono(sound["bytes"], sound["path"] or "audio") for sound in sounds]
        pauses = [round(self._pauses[row] * SAMPLING_RATE) for row in self._rows[index][1:]]
        # The same each time, in whichever process.
        noise = np.random.default_rng(self._rows[index])
        return {"text": self.texts[index], "samples": _joined(signals, pauses, noise)}


def neighbours(split: datasets.Dataset, share: float, longest_s: float, seed: int) -> list[tuple[int, ...]]:
    """Return groups of two to four rows that follow each other in time, of one speaker, tier and channel.

    Args:
        split: a prepared one; without the columns that tell what follows what, there are no groups.
        share: of the groups among all examples, 0 to below 1, as far as there are neighbours: one group begins with
            each utterance at the most.
        longest_s: length of the longest example, seconds; at most 20.
    """
    if not share or not {*_SPEECH, "start_ms", "end_ms"} <= set(split.column_names):
        return []
    rng = np.random.default_rng(seed)
    seconds, pauses, longest = split["duration"], _pauses(split), min(longest_s, _LONGEST_S)
    groups = []
    for rows in _in_order(split):
        for begin, first in enumerate(rows):
            group, total = [first], seconds[first]
            for row in rows[begin + 1 : begin + int(rng.integers(2, _MOST_UTTERANCES + 1))]:
                total += pauses[row] + seconds[row]
                if total > longest:
                    break
                group.append(row)
            if len(group) > 1:
                groups.append(tuple(group))
    wanted = math.ceil(share / (1 - share) * len(split))
    return [groups[index] for index in sorted(rng.permutation(len(groups))[:wanted])]


def _in_order(split: datasets.Dataset) -> list[list[int]]:
    """Return the rows of each speaker on a tier and channel of a recording, in order of time."""
    columns = [split[name] for name in (*_SPEECH, "start_ms")]
    by_speech: dict[tuple, list[tuple[int, int]]] = {}
    for row, (*speech, start_ms) in enumerate(zip(*columns, strict=True)):
        by_speech.setdefault(tuple(speech), []).append((start_ms, row))
    return [[row for _, row in sorted(rows)] for rows in by_speech.values()]


def _pauses(split: datasets.Dataset) -> list[float]:
    """Return the seconds of pause to put before each row where it follows its speaker's row before."""
    pauses = [0.0] * len(split)
    if not {*_SPEECH, "start_ms", "end_ms"} <= set(split.column_names):
        return pauses
    starts, ends = split["start_ms"], split["end_ms"]
    for rows in _in_order(split):
        for before, row in itertools.pairwise(rows):
            pauses[row] = min(max(0, starts[row] - ends[before]) / 1000, _LONGEST_PAUSE_S)
    return pauses


def _joined(signals: Sequence[np.ndarray], pauses: Sequence[int], noise: np.random.Generator) -> np.ndarray:
    """Return signals float32 [N] one after the other, with so many samples of pause between."""
    if len(signals) == 1:
        return signals[0]
    level = min(_quietest(signal) for signal in signals)
    parts = [signals[0]]
    for signal, pause in zip(signals[1:], pauses, strict=True):
        # The sound of the pause is not in the dataset: noise as loud as the quietest moment stands for it.
        parts += [level * noise.standard_normal(pause, dtype=np.float32), signal]
    return np.concatenate(parts)


def _quietest(signal: np.ndarray) -> float:
    """Return the root mean square of the quietest 10 ms."""
    frames = signal[: len(signal) // _FRAME * _FRAME].reshape(-1, _FRAME)
    return float(np.sqrt(np.square(frames).mean(1).min())) if len(frames) else 0.0
