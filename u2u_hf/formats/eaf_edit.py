"""Adding tiers to an existing ELAN file by inserting text in its XML, so that every byte of the file is kept.

To parse the file and write it again would lose what libraries do not keep (comments, the order of attributes, elements
of newer versions of ELAN), and version control would show the person's whole file as changed.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from u2u_hf.files import replacing
from u2u_hf.formats import eaf_tree
from u2u_hf.formats.eaf import tier_elements, type_element
from u2u_hf.formats.eaf_layout import Layout
from u2u_hf.records import Tier, U2UError


def add_tiers(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    tiers: Sequence[Tier],
    constraints: Mapping[str, str],
    spare_types: Sequence[str] = (),
) -> None:
    """Write `source` with more tiers to `target`, whole or not at all; the two may be one file.

    A tier whose name is taken gets a number: ``words (2)``. The file's count of annotations is updated, because ELAN
    uses it to name new ones.

    Args:
        tiers, constraints, spare_types: as for `u2u_hf.formats.eaf.write_eaf`.

    Raises:
        ValueError: ELAN cannot store the tiers.
        U2UError: `source` is not a valid ELAN file, has times in frames of a video, or has a linguistic type of the
            same name with another constraint; or `target` cannot be written.
    """
    times = slot_times(source)
    layout = Layout(source)
    tiers = _renamed(tiers, set(layout.table("TIER", "TIER_ID", "TIER_ID")))
    elements = tier_elements(tiers, constraints, layout.highest("a"), layout.highest("ts"))
    types = layout.table("LINGUISTIC_TYPE", "LINGUISTIC_TYPE_ID", "CONSTRAINTS")
    for element in elements.types:
        name, constraint = element.get("LINGUISTIC_TYPE_ID"), element.get("CONSTRAINTS")
        if types.get(name, constraint) != constraint:
            raise U2UError(f"{source}: its linguistic type {name!r} has another constraint: rename it in ELAN")
    stereotypes = layout.table("CONSTRAINT", "STEREOTYPE", "STEREOTYPE")
    layout.merge_slots(elements.slots, times)
    layout.append("TIER", elements.tiers)
    made = {e.get("LINGUISTIC_TYPE_ID"): e for e in (*map(type_element, spare_types), *elements.types)}
    layout.append("LINGUISTIC_TYPE", [element for name, element in made.items() if name not in types])
    layout.append("CONSTRAINT", [e for e in elements.constraints if e.get("STEREOTYPE") not in stereotypes])
    layout.set_last_used(elements.last_annotation)
    with replacing(Path(target)) as temporary:
        temporary.write_bytes(layout.edited())


def slot_times(source: str | os.PathLike[str]) -> list[int]:
    """Return the latest time up to each time slot in ms, in the order of the file, untimed slots included."""
    tree = eaf_tree.load(source)
    if tree.time_units != eaf_tree.MILLISECONDS:
        raise U2UError(
            f"{source}: its times are {tree.time_units}, ours milliseconds: transcribe without --annotations"
        )
    times = (-1 if time is None else time for time in tree.slots)
    return list(itertools.accumulate(times, max))


def _renamed(tiers: Sequence[Tier], taken: set[str | None]) -> list[Tier]:
    names: dict[str, str] = {"": ""}
    for tier in tiers:
        spellings = itertools.chain([tier.name], (f"{tier.name} ({number})" for number in itertools.count(2)))
        names[tier.name] = next(name for name in spellings if name not in taken)
        taken = taken | {names[tier.name]}
    return [dataclasses.replace(t, name=names[t.name], parent=names.get(t.parent, t.parent)) for t in tiers]
