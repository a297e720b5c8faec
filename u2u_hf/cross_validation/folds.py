"""What is left out in turn, and what a recogniser learns from meanwhile.

No utterance that is left out, nor another copy of its sound, is in the training or validation part of its fold.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from u2u_hf.corpus.linked_names import first_of_linked
from u2u_hf.records import U2UError

# Of what is left, for validation: as the dataset was divided, within these limits.
_LEAST_SHARE, _MOST_SHARE, _USUAL_SHARE = 0.05, 0.2, 0.1
_FROM, _TO = 0.5, 1.5  # of the wanted length: whole recordings are validation if they come so near to it


@dataclass(frozen=True)
class Rows:
    """What the folds are made from: one entry for each utterance of a dataset.

    Attributes:
        names: its speaker, or recording, whichever is left out.
        recordings: its recording. seconds: its length.
        sounds: a digest of its audio.
    """

    names: Sequence[str]
    recordings: Sequence[str]
    seconds: Sequence[float]
    sounds: Sequence[str]


@dataclass(frozen=True)
class Fold:
    """One recogniser's parts of the dataset, as rows in order.

    Attributes:
        number: from 1.
        names: the speakers or recordings that are left out.
        left_out: their rows, which the recogniser is scored on.
        train, validation: what it learns from, and what chooses its checkpoint.
    """

    number: int
    names: tuple[str, ...]
    left_out: tuple[int, ...]
    train: tuple[int, ...]
    validation: tuple[int, ...]


def make_folds(rows: Rows, what: str, most: int, validation_share: float = _USUAL_SHARE) -> list[Fold]:
    """Return folds in which every row is left out once.

    Args:
        what: ``speaker`` or ``recording``.
        most: number of folds; with more names, several share one, dealt so that folds are about equally long.
        validation_share: of the seconds that are left, for validation; kept within 5 and 20 %.

    Raises:
        U2UError: there is only one name, or too few utterances.
    """
    group_of = _groups(rows)
    seconds: dict[str, float] = defaultdict(float)
    for row, name in enumerate(rows.names):
        seconds[group_of[name]] += rows.seconds[row]
    if len(seconds) < 2:
        raise U2UError(_too_few(rows.names, what))
    share = min(max(validation_share, _LEAST_SHARE), _MOST_SHARE)
    return [
        _fold(number, groups, group_of, rows, what, share) for number, groups in enumerate(deal(seconds, most), start=1)
    ]


def deal(seconds: Mapping[str, float], most: int) -> list[tuple[str, ...]]:
    """Return groups dealt to at most so many folds: the longest first, each to the fold that is shortest by then.

    The longest and the shortest fold differ by no more than the longest group (Graham 1969, Bounds on multiprocessing
    timing anomalies).
    """
    dealt: list[list[str]] = [[] for _ in range(min(most, len(seconds)))]
    lengths = [0.0] * len(dealt)
    for group in sorted(seconds, key=lambda name: (-seconds[name], name)):
        shortest = lengths.index(min(lengths))
        dealt[shortest].append(group)
        lengths[shortest] += seconds[group]
    return [tuple(sorted(groups)) for groups in dealt]


def _groups(rows: Rows) -> dict[str, str]:
    """Return name → the first of the names that have a sound in common with it, directly or by others."""
    names_of: dict[str, set[str]] = defaultdict(set)
    for name, sound in zip(rows.names, rows.sounds, strict=True):
        names_of[sound].add(name)
    return first_of_linked(names_of.values())


def _too_few(names: Iterable[str], what: str) -> str:
    found = sorted(set(names))
    if what == "speaker":
        only = found[0] if len(found) == 1 else "that share sounds"
        return f"all utterances are of one speaker ({only}): leave out recordings: --leave_out recording"
    return (
        "all utterances are of one recording, and nothing is left to learn from without it: add recordings, or "
        "divide it with prepare.py --split_by utterance, and score its test split without --leave_out"
    )


def _fold(number: int, groups: Sequence[str], group_of: Mapping[str, str], rows: Rows, what: str, share: float) -> Fold:
    names = tuple(sorted(name for name, group in group_of.items() if group in groups))
    left_out = [row for row, name in enumerate(rows.names) if name in names]
    left = [row for row, name in enumerate(rows.names) if name not in names]
    if len(left) < 2:
        raise U2UError(
            f"without {what} {names[0]} one utterance is left to learn from: prepare more transcribed speech"
        )
    validation = _validation(left, rows, share)
    train = [row for row in left if row not in validation]
    return Fold(number, names, tuple(left_out), tuple(train), tuple(sorted(validation)))


def _validation(left: Sequence[int], rows: Rows, share: float) -> set[int]:
    """Return rows for validation: of whole recordings, or of utterances here and there if recordings are too long.

    Which ones follows from their names alone, so that folds have the same ones where they can.
    """
    wanted = share * sum(rows.seconds[row] for row in left)
    by_recording: dict[str, list[int]] = defaultdict(list)
    for row in left:
        by_recording[rows.recordings[row]].append(row)
    chosen, length = [], 0.0
    for name in sorted(by_recording, key=_place):
        seconds = sum(rows.seconds[row] for row in by_recording[name])
        if length < wanted and length + seconds <= _TO * wanted:
            chosen += by_recording[name]
            length += seconds
    if length >= _FROM * wanted:
        return set(chosen)
    chosen, length = [], 0.0
    for row in sorted(left, key=lambda row: _place(f"{rows.recordings[row]}\0{row}")):
        if length >= wanted:
            break
        chosen.append(row)
        length += rows.seconds[row]
    return set(chosen[: len(left) - 1])


def _place(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
