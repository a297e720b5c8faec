"""Transcribers, speakers and files that write a letter otherwise than the rest: tones dropped, k for c."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import CONVENTION, Finding, finding
from u2u_hf.evaluation.metrics import CHARACTERS, aligned
from u2u_hf.records import Utterance
from u2u_hf.reports.characters import shown

_FEWEST = 5  # times that a group must do it
_SHARE = 0.4  # of its letters: what is done less often is an error, not a convention
_TIMES = 3.0  # more often than three quarters of the other groups
_OTHERS = 0.75
_ALIKE = 0.02

# A letter of the text and the one that is heard; the empty string where one of them has none.
Change = tuple[str, str]


@dataclass(frozen=True)
class _Counts:
    """How often a group of annotations does something, of how many times it could; and the first place."""

    done: Counter[Change]
    could: Counter[Change]
    where: Mapping[Change, list[Utterance]]

    def share(self, change: Change) -> float:
        return self.done[change] / max(self.could[change], 1)


def other_conventions(examined: Examined) -> list[Finding]:
    """Return groups that write a letter otherwise than it is heard by recognisers which learnt from the rest.

    A group is an annotator, a speaker, a file or a tier of a file; of several that say the same, the largest.
    """
    found: list[Finding] = []
    told: dict[Change, set[Utterance]] = defaultdict(set)
    changes = {utterance: list(_changes(utterance.text, measure.heard)) for utterance, measure in examined.heard()}
    for kind, groups in _groupings(examined, list(changes)):
        counts = {name: _counts([(u, changes[u]) for u in group]) for name, group in groups.items()}
        for name, own in counts.items():
            for change in sorted(own.done):
                if not _is_convention(change, name, counts) or set(own.where[change]) <= told[change]:
                    continue
                told[change] |= set(own.where[change])
                found.append(_finding(kind, name, change, own))
    return found


def _changes(text: str, heard: str) -> Iterator[Change]:
    """Yield each letter of the text with the one that is heard; marks and letters are counted by themselves."""
    decomposed = (unicodedata.normalize("NFD", one) for one in (text, heard))
    yield from aligned(*decomposed, CHARACTERS)


def _groupings(examined: Examined, utterances: Sequence[Utterance]) -> Iterator[tuple[str, dict[str, list[Utterance]]]]:
    """Yield kinds of groups, the largest first, with the annotations of each group."""

    def grouped(name) -> dict[str, list[Utterance]]:
        groups: dict[str, list[Utterance]] = defaultdict(list)
        for utterance in utterances:
            groups[name(utterance)].append(utterance)
        return groups

    yield "annotator", grouped(lambda u: examined.corpus.tier_of(u).annotator)
    yield "speaker", grouped(lambda u: u.speaker)
    yield "file", grouped(lambda u: u.recording)
    yield "tier", grouped(lambda u: f"{u.tier} of {u.recording}")


def _counts(rows: Sequence[tuple[Utterance, list[Change]]]) -> _Counts:
    done: Counter[Change] = Counter()
    written: Counter[str] = Counter()
    heard: Counter[str] = Counter()
    where: dict[Change, list[Utterance]] = defaultdict(list)
    for utterance, pairs in rows:
        for one, other in pairs:
            written[one] += 1
            heard[other] += 1
            if one != other and " " not in (one, other):
                done[one, other] += 1
                if utterance not in where[one, other][-1:]:
                    where[one, other].append(utterance)
    # A letter that is written could be another one; one that is heard and not written could be written.
    could = Counter({(one, other): written[one] if one else heard[other] for one, other in done})
    return _Counts(done, could, where)


def _is_convention(change: Change, name: str, counts: Mapping[str, _Counts]) -> bool:
    own = counts[name]
    if own.done[change] < _FEWEST or own.share(change) < _SHARE or not name:
        return False
    others = [group.share(change) for other, group in counts.items() if other != name]
    return bool(others) and own.share(change) >= _TIMES * (float(np.quantile(others, _OTHERS)) + _ALIKE)


def _finding(kind: str, name: str, change: Change, own: _Counts) -> Finding:
    one, other = change
    done, could, where = own.done[change], own.could[change], own.where[change]
    if not one:
        what = f"{shown(other)} is heard and not written, {done} of {could} times"
    elif not other:
        what = f"{shown(one)} is written and not heard, {done} of {could} times"
    else:
        what = f"{shown(one)} is written where {shown(other)} is heard, {done} of {could} times"
    score = 0.5 + 0.5 * min(1.0, own.share(change))
    suggestion = f"{kind} {name}: {what}, unlike the others: one convention, or a text rule in prepare.yaml"
    tiers = tuple(sorted({(u.recording, u.tier) for u in where}))
    letters = done / len(where)
    return finding(CONVENTION, where[0], score, suggestion, letters=letters, places=len(where), tiers=tiers)
