"""Rare words that are heard as a frequent word which differs by a letter or two."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import SPELLING, Finding, finding, sureness

_FEWEST_LETTERS = 0.5  # that the other spelling must fit better by
_ENOUGH = 20  # swaps of words that nobody doubts, to learn how right words compare
_RARELY = 0.99  # of these, less than 1 in 100 fits better in the other's spelling by as much


def second_spellings(examined: Examined) -> list[Finding]:
    """Return annotations with a word that fits better in another, more frequent spelling, wherever it occurs.

    Two words of a language may differ by one sound: then the recogniser hears the one that is written. How far right
    words fit better in another's spelling, by chance, is measured with words that nobody doubts.
    """
    gains: dict[tuple[str, str], list[float]] = defaultdict(list)
    usual = []
    fitting = {measure.key for measure in examined.measures if examined.misfit(measure) <= examined.usual.middle}
    for measure in examined.measures:
        for one in measure.swaps if measure.key in fitting else ():
            gain = -examined.in_letters(one.added)
            if one.swap.is_doubtful:
                gains[one.swap.word, one.swap.other].append(gain)
            else:
                usual.append(gain)
    limit = max(_FEWEST_LETTERS, float(np.quantile(usual, _RARELY)) if len(usual) >= _ENOUGH else 0.0)
    counts = Counter(word for u in examined.corpus.utterances for word in u.text.split())
    found = []
    for utterance, measure in examined.heard():
        best: dict[str, tuple[float, str]] = {}
        for swap in (one.swap for one in measure.swaps if one.swap.is_doubtful and measure.key in fitting):
            gain = float(np.median(gains[swap.word, swap.other]))
            if gain > limit and gain > best.get(swap.word, (limit, ""))[0]:
                best[swap.word] = gain, swap.other
        if not best:
            continue
        text = utterance.raw_text
        for word, (_, other) in best.items():
            text = text and _respelled(text, word, other)
        pairs = (f"{word} ({counts[word]} ×) → {other} ({counts[other]} ×)" for word, (_, other) in best.items())
        score = sureness(max(gain for gain, _ in best.values()), limit)
        edit = {"text": text} if text else None
        more = {"edit": edit, "letters": float(len(best)), "heard": measure.heard}
        found.append(finding(SPELLING, utterance, score, ", ".join(pairs), **more))
    return found


def _respelled(raw: str, word: str, other: str) -> str:
    """Return an annotation with a word replaced, its capital kept; empty if the word is not just once in it."""
    at = raw.lower().find(word)
    if at < 0 or raw.lower().count(word) != 1 or len(raw.lower()) != len(raw):
        return ""
    written = other[:1].upper() + other[1:] if raw[at].isupper() else other
    return raw[:at] + written + raw[at + len(word) :]
