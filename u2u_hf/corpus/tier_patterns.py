"""Tiers that the user names: by name, linguistic type or participant, with * and ? as wildcards."""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from u2u_hf.corpus.tier_evidence import CORRECTED, MACHINE, has_text, is_corrected_draft, shares_of, with_remark
from u2u_hf.records import MACHINE_TYPES, Tier, U2UError

_MOST_LISTED = 130  # characters, so that the error stays below 200
_SEAM_MS = 250  # by which annotations of a draft and of a person's tier that follow each other may overlap


def must_match(flag: str, what: str, patterns: Sequence[str], names: Iterable[str]) -> None:
    """Raise U2UError, with the names that there are, if a pattern matches none of them.

    Args:
        flag: that the patterns were given with.
        what: the names are of: tier, linguistic type, participant.
    """
    there = sorted({name for name in names if name})
    for pattern in patterns:
        if not any(matches(name, [pattern]) for name in there):
            listed = textwrap.shorten(", ".join(there), _MOST_LISTED, placeholder=" … (see --inspect)")
            raise U2UError(f"{flag} {pattern}: no {what} of any file matches; there are: {listed or 'none'}")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of `patterns`, or matches one as a shell pattern, whatever their Unicode form."""
    name = unicodedata.normalize("NFC", name)
    patterns = [unicodedata.normalize("NFC", pattern) for pattern in patterns]
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def asked_for(tier: Tier, name: str, patterns: Sequence[str]) -> bool:
    """Whether patterns match `name`, of the tier or of its type. Wildcards match no tier that a machine wrote."""
    if tier.linguistic_type in MACHINE_TYPES:
        patterns = [p for p in patterns if unicodedata.normalize("NFC", p) == unicodedata.normalize("NFC", name)]
    return matches(name, patterns)


def picked_by_pattern(
    tiers: Sequence[Tier], patterns: Sequence[str], linguistic_types: Sequence[str]
) -> tuple[list[Tier], dict[str, str], Counter[str]]:
    """Return the tiers of one file whose name or type matches, and tier name → why it was chosen or not.

    A draft that a person corrected is chosen too: its name is the recogniser's, and no pattern of the user's fits it.
    Where it has text, it replaces the annotations of the tiers that match: as two texts of one speech, both would be
    dropped.

    Returns:
        the tiers, the reasons, and tier name → how many annotations a corrected draft replaces.
    """
    by_name = {tier.name: tier for tier in tiers}
    reasons = {t.name: MACHINE for t in tiers if t.linguistic_type in MACHINE_TYPES}
    typed = [t for t in tiers if asked_for(t, t.linguistic_type, linguistic_types)]
    named = [t for t in tiers if asked_for(t, t.name, patterns)]
    corrected = {t.name: CORRECTED for t in tiers if is_corrected_draft(t)}
    matched = (
        corrected | {t.name: "matches --linguistic_types" for t in typed} | {t.name: "matches --tiers" for t in named}
    )
    reasons |= {name: with_remark(reason, shares_of(by_name[name], by_name)) for name, reason in matched.items()}
    drafts = [by_name[name] for name in corrected]
    picked, replaced = [], Counter[str]()
    for tier in tiers:
        if tier.name not in matched:
            continue
        left = tier if tier.name in corrected else _without_drafted(tier, drafts)
        replaced[tier.name] = len(tier.annotations) - len(left.annotations)
        if replaced[tier.name] and not has_text(left):
            reasons[tier.name] = "a corrected draft of the same speech is used"
        else:
            picked.append(left)
    return picked, reasons, replaced


def _without_drafted(tier: Tier, drafts: Iterable[Tier]) -> Tier:
    """Return a tier without the annotations of speech that corrected drafts of its speaker, or of nobody, have."""
    spans = sorted(
        (a.start_ms, a.end_ms)
        for draft in drafts
        if not (tier.participant and draft.participant) or tier.participant == draft.participant
        for a in draft.annotations
        if a.value.strip()
    )
    left, first = [], 0
    for annotation in tier.annotations:
        while first < len(spans) and spans[first][1] <= annotation.start_ms:
            first += 1
        shared, at = 0, first
        while at < len(spans) and spans[at][0] < annotation.end_ms:
            shared += max(0, min(spans[at][1], annotation.end_ms) - max(spans[at][0], annotation.start_ms))
            at += 1
        if shared <= min(_SEAM_MS, (annotation.end_ms - annotation.start_ms) / 2):
            left.append(annotation)
    return replace(tier, annotations=tuple(left))
