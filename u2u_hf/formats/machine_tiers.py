"""How the recogniser's tiers are named, by which they are known in formats that store no linguistic types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from u2u_hf.records import MACHINE_ANNOTATOR, QUEUE_TYPE, SEGMENT_TYPE, UNSURE_TYPE, WORD_TYPE, Tier

_ENDINGS = {WORD_TYPE: "words", UNSURE_TYPE: "unsure", QUEUE_TYPE: "queue"}


def child_name(name: str, kind: str) -> str:
    """Return the name of the child tier of a linguistic type (`WORD_TYPE`, …) below the tier of segments `name`."""
    return f"{name} {_ENDINGS[kind]}"


def with_machine_types(tiers: Iterable[Tier]) -> list[Tier]:
    """Return tiers without types with those of the recogniser where their names are those that it writes.

    A tier is the recogniser's as long as its tiers of words and of what is unsure are beside it: a person who has
    corrected it removes these.
    """
    tiers = list(tiers)
    names = {tier.name for tier in tiers}
    written: dict[str, tuple[str, str]] = {}  # tier name → its type, its parent
    for name in names:
        if {child_name(name, WORD_TYPE), child_name(name, UNSURE_TYPE)} <= names:
            written |= {child_name(name, kind): (kind, name) for kind in _ENDINGS}
            written[name] = SEGMENT_TYPE, ""
    return [_typed(tier, *written[tier.name]) if tier.name in written else tier for tier in tiers]


def _typed(tier: Tier, kind: str, parent: str) -> Tier:
    return replace(tier, linguistic_type=kind, parent=parent, annotator=MACHINE_ANNOTATOR)
