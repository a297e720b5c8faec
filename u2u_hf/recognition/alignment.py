"""Forced alignment: the times of the words of a known text, and how well the text fits the audio."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from u2u_hf.frames import frames_needed
from u2u_hf.recognition.decoding import DELIMITER, Labels, Run, word_of
from u2u_hf.records import Word


def align(log_probs: np.ndarray, text: str, labels: Labels, start_ms: int = 0) -> tuple[list[Word], float]:
    """Return the words of a text with their times, and the fit (CTC forced alignment, Graves et al. 2006).

    The fit compares the best path that spells the text with the best path of all: the ratio of their probabilities,
    per character of the longer of the two texts. It is 1 if the recogniser would write this text, and near 0 for
    another text or one with missing or extra words.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        text: words separated by spaces. Characters without a label are ignored; a word without any is dropped.
        start_ms: time in the recording where frame 0's samples begin.

    Returns:
        the words as written, with times and confidences as from `decoding.greedy_words`; and the fit, 0…1.
        No words and 0 if the text needs more frames than there are.
    """
    placed = _placed(log_probs, text, labels)
    if placed is None:
        return [], 0.0
    words, runs, fit = placed
    return [
        dataclasses.replace(word_of(own, labels, start_ms), text=word) for word, own in zip(words, runs, strict=True)
    ], fit


def aligned_runs(log_probs: np.ndarray, text: str, labels: Labels) -> list[list[Run]]:
    """Return the words of a text, each as its characters, where `align` places them; none if they need more frames.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        text: as for `align`.
    """
    placed = _placed(log_probs, text, labels)
    return placed[1] if placed else []


def _placed(log_probs: np.ndarray, text: str, labels: Labels) -> tuple[list[str], list[list[Run]], float] | None:
    """Return the words of a text, each one's runs, and the fit; None if they need more frames than there are."""
    words, targets = spelled_words(text, labels)
    between = DELIMITER in labels.symbols
    if not targets or frames_needed(targets) > len(log_probs):
        return None
    path = best_path(log_probs, targets, labels.blank)
    spans = iter(zip(targets, *_frames(path, len(targets)), strict=True))
    found = []
    for number, (_, spelled) in enumerate(words):
        if number and between:
            next(spans)
        own = [next(spans) for _ in spelled]
        found.append(
            [Run(label, first, end - 1, float(log_probs[first:end, label].max())) for label, first, end in own]
        )
    aligned = float(log_probs[np.arange(len(path)), path_labels(targets, labels.blank)[path]].sum())
    return [word for word, _ in words], found, _fit(log_probs, aligned, len(targets), labels.blank)


def spelled_words(text: str, labels: Labels) -> tuple[list[tuple[str, list[int]]], list[int]]:
    """Return each word of a text with its labels, and the labels of all, with the delimiter's between words.

    Characters without a label are ignored; a word without any is dropped.
    """
    index = {symbol: label for label, symbol in enumerate(labels.symbols) if symbol}
    words = [(word, [index[c] for c in word if c in index and c != DELIMITER]) for word in text.split()]
    words = [(word, spelled) for word, spelled in words if spelled]
    between = [index[DELIMITER]] if DELIMITER in index else []
    return words, [label for _, spelled in words for label in (*between, *spelled)][len(between) :]


def best_path(log_probs: np.ndarray, targets: Sequence[int], blank: int, around: int | None = None) -> np.ndarray:
    """Return the most probable CTC path that spells `targets` (Viterbi's algorithm), the state of each frame: int [T].

    State 2k + 1 is label k of `targets`, state 2k the blank before it, and the last state the blank after all.

    By hand rather than with `torchaudio.functional.forced_align`: torchaudio imports torch, which takes seconds and is
    needed for nothing else where an export transcribes. The paths are the same, but for one error of torchaudio 2.11:
    where a label is as well reached from its blank as from the label before, it stays where it is, though that is less
    probable.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities; T is at least `frames.frames_needed(targets)`.
        targets: at least one label, none of them the blank.
        around: label of the first and the last state in the blank's place: that of what is not in the text.
    """
    spelled = path_labels(targets, blank, around)
    frames, states = len(log_probs), len(spelled)
    # A path goes from a label to the next one without a blank between, unless the two are equal.
    skips = np.full(states, -np.inf, dtype=np.float32)
    skips[3::2][spelled[3::2] != spelled[1:-2:2]] = 0
    steps = np.zeros((frames, states), dtype=np.int8)  # how many states back the best path to a state was before
    best = np.full(states + 2, -np.inf, dtype=np.float32)  # with two states before the first that no path is in
    best[2:4] = log_probs[0, spelled[:2]]
    for frame in range(1, frames):
        # The states that a path can be in by now, and from which it can still come to the end.
        low, high = max(0, states - 2 * (frames - frame)), min(states, 2 * frame + 2)
        stay, next_, skip = best[low + 2 : high + 2], best[low + 1 : high + 1], best[low:high] + skips[low:high]
        step = steps[frame, low:high]
        np.greater(next_, stay, out=step.view(bool))
        either = np.maximum(stay, next_)
        np.putmask(step, skip > either, 2)
        best[low + 2 : high + 2] = np.maximum(either, skip) + log_probs[frame, spelled[low:high]]
        best[: low + 2] = -np.inf
    path = np.empty(frames, dtype=np.intp)
    state = states - 1 if best[-1] > best[-2] else states - 2
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= int(steps[frame, state])
    return path


def path_labels(targets: Sequence[int], blank: int, around: int | None = None) -> np.ndarray:
    """Return the label of each state of `best_path`: int [2L + 1]."""
    spelled = np.full(2 * len(targets) + 1, blank, dtype=np.intp)
    spelled[1::2] = targets
    if around is not None:
        spelled[[0, -1]] = around
    return spelled


def _frames(path: np.ndarray, labels: int) -> tuple[list[int], list[int]]:
    """Return the first frame of each label in a path, and the frame after its last one."""
    states = 2 * np.arange(labels) + 1
    return tuple(np.searchsorted(path, states, side).tolist() for side in ("left", "right"))


def _fit(log_probs: np.ndarray, aligned: float, characters: int, blank: int) -> float:
    """Return the fit of a text of so many characters whose best path has the log-probability `aligned`."""
    best = log_probs.argmax(1)
    recognised = int(((best != blank) & (np.diff(best, prepend=blank) != 0)).sum())
    ratio = aligned - float(log_probs.max(1).sum())
    return math.exp(min(0.0, ratio) / max(characters, recognised))
