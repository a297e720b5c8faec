"""What a person changed in the tiers of a file, annotation by annotation, between two states of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from u2u_hf.evaluation.metrics import CHARACTERS, error_counts
from u2u_hf.records import Annotation, Tier

# Kinds of changes, in the order and the words of reports: one, several.
KINDS = {
    "text": ("text corrected", "texts corrected"),
    "border": ("border moved", "borders moved"),
    "split": ("annotation split", "annotations split"),
    "join": ("annotation made of several", "annotations made of several"),
    "regrouped": ("place annotated anew", "places annotated anew"),
    "moved": ("annotation moved", "annotations moved"),
    "new": ("annotation added", "annotations added"),
    "deleted": ("annotation deleted", "annotations deleted"),
}
_SHARED = 0.5  # of the shorter one: annotations of two states that share more are one, or parts of it
_RENAMED = 0.5  # of the annotations, which two tiers of different names share if they are one tier


@dataclass(frozen=True)
class Change:
    """Annotations of a tier that became others; either side may be empty."""

    kind: str
    before: tuple[Annotation, ...]
    after: tuple[Annotation, ...]


@dataclass(frozen=True)
class TierEdits:
    """A tier in two states.

    Attributes:
        before: None for a new tier. after: None for one that was removed.
        changes: in order of time; annotations that stayed as they were are in none.
    """

    before: Tier | None
    after: Tier | None
    changes: tuple[Change, ...] = field(default=())

    @property
    def name(self) -> str:
        tier = self.after or self.before
        assert tier
        return tier.name

    @property
    def is_renamed(self) -> bool:
        return bool(self.before and self.after and self.before.name != self.after.name)

    @property
    def is_same(self) -> bool:
        """Whether nothing at all is different."""
        return not self.changes and self.before == self.after

    @property
    def edited(self) -> tuple[Annotation, ...]:
        """The annotations that a person changed or added, as they are now."""
        return tuple(sorted({a for change in self.changes for a in change.after}, key=lambda a: a.start_ms))

    def count(self) -> Counter[str]:
        """Return how many changes of each kind there are."""
        return Counter(change.kind for change in self.changes)

    def characters(self) -> tuple[int, int]:
        """Return how many characters were changed, and how many were looked through: of each change, the longer text.

        What stayed as it was was looked at, too.
        """
        before = [_text(change.before) for change in self.changes]
        after = [_text(change.after) for change in self.changes]
        changed = int(error_counts(before, after, CHARACTERS)[:, 0].sum())
        seen = sum(max(len(a), len(b)) for a, b in zip(before, after, strict=True))
        touched, now = set(self.edited), self.after.annotations if self.after else ()
        seen += sum(len(_text([one])) for one in now if one not in touched)
        return changed, seen


def compare(before: Sequence[Tier], after: Sequence[Tier]) -> list[TierEdits]:
    """Return what became of each tier, in the order of the tiers now, then those that were removed."""
    old = {tier.name: tier for tier in before}
    pairs = {tier.name: old.pop(tier.name) for tier in after if tier.name in old}
    for tier in after:
        if tier.name not in pairs and (same := _renamed(tier, old.values())):
            pairs[tier.name] = old.pop(same.name)
    edits = [
        TierEdits(pairs[tier.name], tier, changes(pairs[tier.name], tier))
        if tier.name in pairs
        else TierEdits(None, tier, tuple(Change("new", (), (a,)) for a in tier.annotations))
        for tier in after
    ]
    gone = (
        TierEdits(tier, None, tuple(Change("deleted", (a,), ()) for a in tier.annotations)) for tier in old.values()
    )
    return [*edits, *gone]


def _renamed(tier: Tier, old: Iterable[Tier]) -> Tier | None:
    """Return the tier that shares most annotations with one of a new name, if it is most of them."""
    spans = {(a.start_ms, a.end_ms) for a in tier.annotations}

    def shared(other: Tier) -> float:
        theirs = {(a.start_ms, a.end_ms) for a in other.annotations}
        return len(spans & theirs) / max(1, len(spans), len(theirs))

    # Tiers of the words lie in the same order below those of the utterances, and may have one annotation each.
    alike = [other for other in old if bool(other.parent) == bool(tier.parent)]
    best = max(alike, key=shared, default=None)
    return best if best and shared(best) > _RENAMED else None


def changes(before: Tier, after: Tier) -> tuple[Change, ...]:
    """Return what became of the annotations of a tier, in order of time."""
    old, new = _differing(before.annotations, after.annotations)
    found = [Change(_kind(a, b), a, b) for a, b in _groups(old, new)]
    return tuple(sorted(_with_moves(found), key=lambda change: _start(change)))


def _differing(before: Sequence[Annotation], after: Sequence[Annotation]) -> tuple[list[Annotation], list[Annotation]]:
    """Return the annotations that are not in both states, white space at the ends of texts aside."""
    there, here = Counter(map(_plain, before)), Counter(map(_plain, after))
    left, right = there - here, here - there
    return _of(before, left), _of(after, right)


def _plain(annotation: Annotation) -> tuple[int, int, str]:
    return annotation.start_ms, annotation.end_ms, " ".join(annotation.value.split())


def _of(annotations: Iterable[Annotation], left: Counter[tuple[int, int, str]]) -> list[Annotation]:
    found = []
    for annotation in annotations:
        if left[_plain(annotation)] > 0:
            left[_plain(annotation)] -= 1
            found.append(annotation)
    return found


def _groups(
    old: Sequence[Annotation], new: Sequence[Annotation]
) -> Iterator[tuple[tuple[Annotation, ...], tuple[Annotation, ...]]]:
    """Yield annotations of both states that lie on each other, directly or through others."""
    group = list(range(len(old) + len(new)))

    def root(index: int) -> int:
        while group[index] != index:
            index = group[index]
        return index

    first = 0
    for i, one in enumerate(old):
        while first < len(new) and new[first].end_ms <= one.start_ms:
            first += 1
        for j in range(first, len(new)):
            if new[j].start_ms >= one.end_ms:
                break
            if _are_one(one, new[j]):
                group[root(len(old) + j)] = root(i)
    together: dict[int, tuple[list[Annotation], list[Annotation]]] = defaultdict(lambda: ([], []))
    for index, annotation in enumerate([*old, *new]):
        together[root(index)][index >= len(old)].append(annotation)
    for a, b in together.values():
        yield tuple(a), tuple(b)


def _are_one(one: Annotation, other: Annotation) -> bool:
    shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
    return shared > _SHARED * min(one.end_ms - one.start_ms, other.end_ms - other.start_ms)


def _kind(before: Sequence[Annotation], after: Sequence[Annotation]) -> str:
    if not before or not after:
        return "new" if after else "deleted"
    if len(before) == len(after) == 1:
        [a], [b] = before, after
        return "text" if (a.start_ms, a.end_ms) == (b.start_ms, b.end_ms) else "border"
    return "split" if len(before) == 1 else "join" if len(after) == 1 else "regrouped"


def _with_moves(found: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes; an annotation that went away and one of the same text that came are one that was moved."""
    found = list(found)
    gone: dict[str, list[Change]] = defaultdict(list)
    for change in found:
        if change.kind == "deleted" and (text := _text(change.before)):
            gone[text].append(change)
    moved: list[Change] = []
    for change in found:
        if change.kind == "new" and (candidates := gone[_text(change.after)]):
            nearest = min(candidates, key=lambda other: abs(_start(other) - _start(change)))
            candidates.remove(nearest)
            moved += [nearest, change]
            yield Change("moved", nearest.before, change.after)
    taken = set(map(id, moved))
    yield from (change for change in found if id(change) not in taken)


def _start(change: Change) -> int:
    return (change.after or change.before)[0].start_ms


def _text(annotations: Iterable[Annotation]) -> str:
    return " ".join(" ".join(annotation.value for annotation in annotations).split())


def in_words(counts: Counter[str]) -> str:
    """Return what was changed, as a report says it.

    >>> in_words(Counter(text=2, split=1))
    '2 texts corrected, 1 annotation split'
    """
    return ", ".join(
        f"{counts[kind]} {one if counts[kind] == 1 else many}" for kind, (one, many) in KINDS.items() if counts[kind]
    )
