"""Greedy CTC decoding, with times and confidences.

CTC (Graves et al. 2006): a text is the labels of successive frames, with repeats merged and then blanks removed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.frames import frame_end_ms, frame_start_ms
from u2u_hf.records import Word

DELIMITER = "|"


@dataclass(frozen=True)
class Labels:
    """The recogniser's output labels.

    Attributes:
        symbols: output index → character; ``|`` separates words, and the empty string is for special tokens.
        blank: index of the CTC blank.
        delay_ms: how much later the recogniser's frames lie than `frames` says, see `frames.delay_ms`.
    """

    symbols: tuple[str, ...]
    blank: int = 0
    delay_ms: int = 0


@dataclass(frozen=True)
class Run:
    """Successive frames with the same label; `log_prob` is its highest of the run, natural log."""

    label: int
    first: int
    last: int
    log_prob: float


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of logits, float32 [T, V] → float32 [T, V], natural logarithms."""
    with np.errstate(invalid="ignore"):  # of a damaged model
        shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def collapse(path: Sequence[int] | np.ndarray, labels: Labels) -> str:
    """Return the text of a path, one label per frame [T]; words are separated by one space."""
    kept = [label for i, label in enumerate(path) if label != labels.blank and (i == 0 or label != path[i - 1])]
    return " ".join("".join(labels.symbols[label] for label in kept).replace(DELIMITER, " ").split())


def greedy_words(log_probs: np.ndarray, labels: Labels, start_ms: int = 0) -> list[Word]:
    """Return the words of the most probable path, in order of time, see `word_of`.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        start_ms: time in the recording where frame 0's samples begin.
    """
    return [word_of(runs, labels, start_ms) for runs in greedy_runs(log_probs, labels)]


def greedy_runs(log_probs: np.ndarray, labels: Labels) -> list[list[Run]]:
    """Return the words of the most probable path, each as its characters, in order of time.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
    """
    words: list[list[Run]] = []
    current: list[Run] = []
    for run in [*runs_of(log_probs, labels), None]:
        if run is not None and not labels.symbols[run.label]:
            continue  # a special token
        if run is not None and labels.symbols[run.label] != DELIMITER:
            current.append(run)
        elif current:
            words.append(current)
            current = []
    return words


def runs_of(log_probs: np.ndarray, labels: Labels) -> list[Run]:
    """Return the characters of the most probable path as runs, in order of time; blanks lie between them.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
    """
    if not len(log_probs):
        return []
    path = log_probs.argmax(1)
    edges = np.flatnonzero(np.diff(path)) + 1
    return [
        Run(int(path[first]), int(first), int(end) - 1, float(log_probs[first:end, path[first]].max()))
        for first, end in zip([0, *edges], [*edges, len(path)], strict=True)
        if path[first] != labels.blank
    ]


def word_of(runs: Sequence[Run], labels: Labels, start_ms: int) -> Word:
    """Return the word that these characters spell.

    It lasts from the start of its first character's first frame to the end of its last character's last frame. Its
    confidence is the geometric mean of its characters' probabilities, each at its peak.

    Args:
        runs: at least one.
        start_ms: time in the recording where frame 0's samples begin.
    """
    return Word(
        text="".join(labels.symbols[run.label] for run in runs),
        start_ms=start_ms + labels.delay_ms + frame_start_ms(runs[0].first),
        end_ms=start_ms + labels.delay_ms + frame_end_ms(runs[-1].last),
        confidence=math.exp(sum(run.log_prob for run in runs) / len(runs)),
    )


def confidence(words: Sequence[Word]) -> float:
    """Return the confidence of a segment: the geometric mean over its characters, 0 if it has no words."""
    characters = sum(len(w.text) for w in words)
    if not characters:
        return 0.0
    return math.exp(sum(len(w.text) * math.log(max(w.confidence, 1e-9)) for w in words) / characters)
