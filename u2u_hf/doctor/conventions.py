"""Transcribers, speakers and files that write a letter otherwise than the rest: tones dropped, k for c."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import CONVENTION, Finding, finding
from u2u_hf.records import Utterance
from u2u_hf.reports.characters import shown

_FEWEST = 8  # times that a letter must be heard
_FEWEST_PLACES = 3  # annotations in which it must
_HARDLY = 0.2  # so much less often a group writes a letter than it is heard
_OTHERS = 0.25  # of the other groups at most as many may do so, or half as much
_HALF = 0.5


@dataclass(frozen=True)
class _Letters:
    """How often each letter is written and heard in a group, and in which annotations it is heard more often.

    Letters and their marks are counted by themselves. Counts, not an alignment: one that is full of errors puts a lost
    tone beside any letter.
    """

    written: Counter[str]
    heard: Counter[str]
    only_heard: Mapping[str, list[Utterance]]


def other_conventions(examined: Examined) -> list[Finding]:
    """Return groups that hardly write a letter which is heard by recognisers that learnt from the rest.

    Not the reverse: letters that are written and not heard are those that a weak recogniser has not learnt.

    A group is an annotator, a speaker, a file or a tier of a file; of several that say the same, the largest.
    """
    texts = {
        utterance: (_letters(utterance.text), _letters(measure.heard))
        for utterance, measure in examined.heard()
        if examined.misfit(measure) <= examined.usual.middle  # of another text every letter is heard otherwise
    }
    found: list[Finding] = []
    told: dict[str, set[Utterance]] = defaultdict(set)
    for kind, groups in _groupings(examined, list(texts)):
        counts = {name: _counted([(u, *texts[u]) for u in group]) for name, group in groups.items()}
        for name, own in counts.items():
            others = [group for other, group in counts.items() if other != name]
            for letter in sorted(own.only_heard):
                where = own.only_heard[letter]
                if set(where) <= told[letter] or not _is_convention(letter, own, others):
                    continue
                told[letter] |= set(where)
                found.append(_finding(kind, name, letter, own))
    return found


def _letters(text: str) -> Counter[str]:
    return Counter(c for c in unicodedata.normalize("NFD", text) if not c.isspace())


def _groupings(examined: Examined, utterances: Sequence[Utterance]) -> Iterator[tuple[str, dict[str, list[Utterance]]]]:
    """Yield kinds of groups, the largest first, with the annotations of each group that has a name."""

    def grouped(name: Callable[[Utterance], str]) -> dict[str, list[Utterance]]:
        groups: dict[str, list[Utterance]] = defaultdict(list)
        for utterance in utterances:
            groups[name(utterance)].append(utterance)
        return {name: group for name, group in groups.items() if name}

    yield "annotator", grouped(lambda u: examined.corpus.tier_of(u).annotator)
    yield "speaker", grouped(lambda u: u.speaker)
    yield "file", grouped(lambda u: u.recording)
    yield "tier", grouped(lambda u: f"{u.tier} of {u.recording}")


def _counted(rows: Sequence[tuple[Utterance, Counter[str], Counter[str]]]) -> _Letters:
    written: Counter[str] = Counter()
    heard: Counter[str] = Counter()
    only_heard: dict[str, list[Utterance]] = defaultdict(list)
    for utterance, text, other in rows:
        written += text
        heard += other
        for letter in other - text:
            only_heard[letter].append(utterance)
    return _Letters(written, heard, only_heard)


def _is_convention(letter: str, own: _Letters, others: Sequence[_Letters]) -> bool:
    heard = own.heard[letter]
    if heard < _FEWEST or len(own.only_heard[letter]) < _FEWEST_PLACES or own.written[letter] > _HARDLY * heard:
        return False
    shares = [group.written[letter] / group.heard[letter] for group in others if group.heard[letter]]
    return bool(shares) and float(np.quantile(shares, _OTHERS)) >= _HALF


def _finding(kind: str, name: str, letter: str, own: _Letters) -> Finding:
    where, heard, written = own.only_heard[letter], own.heard[letter], own.written[letter]
    what = f"{shown(letter)} is heard {heard} × and written {written} ×, unlike in the others"
    return finding(
        CONVENTION,
        where[0],
        1 - 0.5 * written / max(1.0, _HARDLY * heard),
        f"{kind} {name}: {what}: agree on one convention, or give prepare.py a text rule",
        letters=(heard - written) / len(where),
        places=len(where),
        tiers=tuple(sorted({(u.recording, u.tier) for u in where})),
    )
