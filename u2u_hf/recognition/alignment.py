"""Forced alignment: where in a stretch each word of a known text is, and how well the text fits the sound."""

from __future__ import annotations

import math

import numpy as np
import torch
from torchaudio.functional import forced_align, merge_tokens

from u2u_hf.frames import frame_end_ms, frame_start_ms, frames_needed
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.records import Word


def align(log_probs: np.ndarray, text: str, labels: Labels, start_ms: int = 0) -> tuple[list[Word], float]:
    """Align a text with what was said (CTC forced alignment, Graves et al. 2006; torchaudio's implementation).

    The fit compares the best path that spells the text with the best path of all, by their probabilities' ratio
    for each character (of the longer of the two texts): 1 where the recogniser would have written just this,
    near 0 where the text is another one, or lacks words, or has too many.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        text: words with spaces between. Characters that are no label are left out of the alignment; a word that
            has no other gets no time.
        start_ms: where in the recording frame 0's samples begin.

    Returns:
        the words as written, with times and confidences as in `decoding.greedy_words`; and the fit, 0…1.
        No word and 0 where the text has more characters than the sound has frames.
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
        placed.append(Word(word, start_ms + start, start_ms + end, math.exp(sum(peaks) / len(peaks))))
    best = log_probs.argmax(1)
    characters = int(((best != labels.blank) & (np.diff(best, prepend=labels.blank) != 0)).sum())
    ratio = float(scores[0].sum()) - float(log_probs.max(1).sum())
    return placed, math.exp(min(0.0, ratio) / max(len(targets), characters))
