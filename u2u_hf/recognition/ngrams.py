"""n-grams of symbols in texts, counted, with Witten and Bell's estimates (1991, interpolated).

The more different symbols follow a context of n - 1 symbols, the more the context of n - 2 symbols counts. By hand
rather than with KenLM, which is compiled, and whose smoothing (Kneser-Ney) needs more text than a field corpus has.
With numpy, because a million words have six million characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Where there are more n-grams, the rare ones are dropped: the file is then small and read in a second or two.
_MOST = 250_000


@dataclass
class Level:
    """The n-grams of one length, ordered by their first n - 1 symbols and then by their last one.

    Attributes:
        parents: int64 [N], the place of the first n - 1 symbols in the level before; 0 for single symbols.
        shorter: int64 [N], the place of the last n - 1 symbols in the level before; 0 for single symbols.
        symbols: int64 [N], the last symbol.
        counts: int64 [N]; 0 for the symbol with which texts begin, which is never predicted.
        own: float64 [N], the share of the last symbol after the others in the texts, smoothed. To it comes, for its
            probability, that of the shorter n-gram times the backoff of the first n - 1 symbols.
        backoffs: float64 [N], for n-grams that are contexts of longer ones; 1 for others.
    """

    parents: np.ndarray
    shorter: np.ndarray
    symbols: np.ndarray
    counts: np.ndarray
    own: np.ndarray
    backoffs: np.ndarray


def learn(symbols: np.ndarray, begins: np.ndarray, order: int, start: int) -> tuple[list[Level], float]:
    """Return the levels of n-grams from one symbol to at most `order`, and the backoff of the empty context.

    Args:
        symbols: int64 [T], numbers from 0: the texts one after the other, each with `start` before it.
        begins: int64 [T], the place of the first symbol that may be in one n-gram with the symbol here.
        order: symbols in the longest n-grams.
        start: the symbol with which texts begin.
    """
    levels = _counted(symbols, begins, order, start)
    lowest = np.ones(1)
    for number, level in enumerate(levels):
        backoffs = levels[number - 1].backoffs if number else lowest
        counted = np.bincount(level.parents, level.counts, len(backoffs))
        kinds = np.bincount(level.parents, level.counts > 0, len(backoffs))
        sums = np.maximum(counted + kinds, 1)
        level.own[:] = level.counts / sums[level.parents]
        backoffs[counted > 0] = (kinds / sums)[counted > 0]
    _cut(levels)
    return levels, float(lowest[0])


def _counted(symbols: np.ndarray, begins: np.ndarray, order: int, start: int) -> list[Level]:
    """Return the levels with their counts; all that is estimated is still empty."""
    levels: list[Level] = []
    kinds = int(symbols.max(initial=0)) + 1
    places = np.arange(len(symbols))
    here = places[begins <= places]  # where an n-gram of the current length ends
    shorter = np.zeros(len(symbols), np.int64)  # the level before: number of the n-gram that ends at each place
    parents = shorter
    for length in range(1, order + 1):
        here = here[here - begins[here] >= length - 1]
        if not len(here):
            break
        before = parents[here - 1] if length > 1 else parents[here]
        codes, first, inverse, counts = np.unique(
            before * kinds + symbols[here], return_index=True, return_inverse=True, return_counts=True
        )
        if length == 1:
            counts[codes == start] = 0
        empty = np.zeros(len(codes)), np.ones(len(codes))
        levels.append(Level(codes // kinds, shorter[here[first]], codes % kinds, counts, *empty))
        shorter = np.zeros(len(symbols), np.int64)
        shorter[here] = inverse
        parents = shorter
    return levels


def _cut(levels: list[Level]) -> None:
    """Drop rare n-grams until at most `_MOST` are left: the longest first, of those that occur once, then twice…

    Their probability goes to the backoff of their context. Single symbols stay.
    """
    least = 2
    while sum(len(level.symbols) for level in levels[1:]) > _MOST:
        for number in range(len(levels) - 1, 0, -1):
            _drop(levels, number, levels[number].counts < least)
            if sum(len(level.symbols) for level in levels[1:]) <= _MOST:
                break
        least += 1
    while len(levels) > 1 and not len(levels[-1].symbols):
        levels.pop()


def _drop(levels: list[Level], number: int, dropped: np.ndarray) -> None:
    level, before = levels[number], levels[number - 1]
    np.add.at(before.backoffs, level.parents[dropped], level.own[dropped])
    for name in ("parents", "shorter", "symbols", "counts", "own", "backoffs"):
        setattr(level, name, getattr(level, name)[~dropped])
    if number + 1 < len(levels):
        places = np.cumsum(~dropped) - 1
        longer = levels[number + 1]
        longer.parents, longer.shorter = places[longer.parents], places[longer.shorter]
