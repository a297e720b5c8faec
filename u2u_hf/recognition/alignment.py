"""Forced alignment: the times of the words of a known text, and how well the text fits the audio."""

from __future__ import annotations

import math

import numpy as np
import torch
from torchaudio.functional import forced_align, merge_tokens

from u2u_hf.frames import frame_end_ms, frame_start_ms, frames_needed
from u2u_hf.recognition.decoding import DELIMITER, Labels
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
    index = {symbol: label for label, symbol in enumerate(labels.symbols) if symbol}
    words = [(word, [index[c] for c in word if c in index and c != DELIMITER]) for word in text.split()]
    words = [(word, spelled) for word, spelled in words if spelled]
    between = [index[DELIMITER]] if DELIMITER in index else []
    targets = [label for _, spelled in words for label in (*between, *spelled)][len(between) :]
    if not targets or frames_needed(targets) > len(log_probs):
        return [], 0.0
    rows = torch.from_numpy(log_probs.astype(np.float32))[None]
    path, scores = forced_align(rows, torch.tensor([targets], dtype=torch.int32), blank=labels.blank)
    spans = iter(merge_tokens(path[0], scores[0], blank=labels.blank))
    placed = []
    for number, (word, spelled) in enumerate(words):
        if number and between:
            next(spans)
        own = [next(spans) for _ in spelled]
        peaks = [float(log_probs[span.start : span.end, span.token].max()) for span in own]
        start, end = frame_start_ms(own[0].start), frame_end_ms(own[-1].end - 1)
        begun = start_ms + labels.delay_ms
        placed.append(Word(word, begun + start, begun + end, math.exp(sum(peaks) / len(peaks))))
    return placed, _fit(log_probs, float(scores[0].sum()), len(targets), labels.blank)


def _fit(log_probs: np.ndarray, aligned: float, characters: int, blank: int) -> float:
    """Return the fit of a text of so many characters whose best path has the log-probability `aligned`."""
    best = log_probs.argmax(1)
    recognised = int(((best != blank) & (np.diff(best, prepend=blank) != 0)).sum())
    ratio = aligned - float(log_probs.max(1).sum())
    return math.exp(min(0.0, ratio) / max(characters, recognised))
