"""Tiers that the user names: by name, linguistic type or participant, with * and ? as wildcards."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from u2u_hf.corpus.tier_evidence import CORRECTED, MACHINE, is_corrected_draft, shares_of, with_remark
from u2u_hf.records import MACHINE_TYPES, Tier, U2UError

_MOST_LISTED = 130  # characters, so that the error stays below 200


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
) -> tuple[list[Tier], dict[str, str]]:
    """Return the tiers of one file whose name or type matches, and tier name → why it was chosen or not.

    A draft that a person corrected is chosen too: its name is the recogniser's, and no pattern of the user's fits it.
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
    return [t for t in tiers if t.name in matched], reasons
