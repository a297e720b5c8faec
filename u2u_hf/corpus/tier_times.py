"""How the times of two tiers lie to each other: layers of one speech, words of phrases, shares that nobody measured."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from u2u_hf.records import Annotation, Tier

_SAME_MS = 20
_PAUSE_MS = 200
_FEWEST = 3  # annotations that a verdict needs


@dataclass(frozen=True)
class Layers:
    """How the annotations of one tier lie in those of another. The counts of several files can be added.

    Attributes:
        all: annotations of the inner tier.
        inside: those that lie inside one of the outer tier.
        filled: annotations of the outer tier that have some inside.
        fitting: of these, whose start or end one inside shares, or whose text the ones inside have together.
    """

    all: int = 0
    inside: int = 0
    filled: int = 0
    fitting: int = 0

    def __add__(self, other: Layers) -> Layers:
        return Layers(
            self.all + other.all,
            self.inside + other.inside,
            self.filled + other.filled,
            self.fitting + other.fitting,
        )

    @property
    def are_one(self) -> bool:
        """Whether both tiers are of the same speech."""
        return self.all >= _FEWEST and self.inside >= 0.8 * self.all and self.fitting >= 0.6 * self.filled


def layers(inner: Tier, outer: Tier) -> Layers:
    """Return how the annotations of `inner` lie in those of `outer`."""
    spans = [a for a in outer.annotations if a.value.strip()]
    inside = within([a for a in inner.annotations if a.value.strip()], spans)
    fitting = sum(_fit(spans[number], members) for number, members in inside.items())
    count = sum(bool(a.value.strip()) for a in inner.annotations)
    return Layers(count, sum(map(len, inside.values())), len(inside), fitting)


def within(inner: Iterable[Annotation], outer: Sequence[Annotation]) -> dict[int, list[Annotation]]:
    """Return number of an annotation of `outer`, which are in order of time → those of `inner` that lie in it."""
    starts = [a.start_ms for a in outer]
    found: dict[int, list[Annotation]] = {}
    for annotation in inner:
        number = bisect_right(starts, annotation.start_ms + _SAME_MS) - 1
        # The tolerance may lead to the one that begins where this one ends.
        if number > 0 and starts[number] >= annotation.end_ms:
            number -= 1
        if number >= 0 and annotation.end_ms <= outer[number].end_ms + _SAME_MS:
            found.setdefault(number, []).append(annotation)
    return found


def _fit(outer: Annotation, inside: Sequence[Annotation]) -> bool:
    starts = abs(min(a.start_ms for a in inside) - outer.start_ms) <= _SAME_MS
    ends = abs(max(a.end_ms for a in inside) - outer.end_ms) <= _SAME_MS
    return starts or ends or squeezed(" ".join(a.value for a in inside)) == squeezed(outer.value)


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, without case: texts of one wording in two layers have the same."""
    return "".join(c for c in text.casefold() if c.isalnum())


def overlap(one: Tier, other: Tier) -> float:
    """Return the share of the annotated time of the shorter tier in which the other one has annotations too."""
    spans = [[(a.start_ms, a.end_ms) for a in tier.annotations if a.value.strip()] for tier in (one, other)]
    shorter = min(sum(end - start for start, end in row) for row in spans)
    at, common = 0, 0
    for start, end in spans[0]:
        while at < len(spans[1]) and spans[1][at][1] <= start:
            at += 1
        for left, right in spans[1][at:]:
            if left >= end:
                break
            common += max(0, min(end, right) - max(start, left))
    return common / shorter if shorter > 0 else 0.0


def are_apart(tier: Tier) -> bool:
    """Whether pauses lie between most annotations, as in word lists; words of connected speech follow each other."""
    rows = tier.annotations
    pauses = [later.start_ms - earlier.end_ms >= _PAUSE_MS for earlier, later in pairwise(rows)]
    return len(rows) >= _FEWEST and sum(pauses) >= 0.8 * len(pauses)


def has_shared_times(tier: Tier, parent: Tier) -> bool:
    """Whether the times of a tier are equal shares of its parent's: nobody measured them."""
    if tier.constraint not in ("Symbolic_Subdivision", "Time_Subdivision"):
        return False
    groups = [group for group in within(tier.annotations, parent.annotations).values() if len(group) > 1]
    even = sum(_are_even(group) for group in groups)
    return bool(groups) and even >= 0.9 * len(groups)


def _are_even(group: Sequence[Annotation]) -> bool:
    lengths = [a.end_ms - a.start_ms for a in group]
    return max(lengths) - min(lengths) <= 1


def joined(words: Tier, phrases: Tier) -> tuple[Tier, int]:
    """Return a tier of the name of `words` with the times of `phrases`, each with its words as text.

    A word belongs to the phrase that its middle is in: two people measured words and phrases, and a word that ends
    after its phrase is still said in it.

    Returns:
        the tier, and the number of words with text that are in no phrase.
    """
    starts = [a.start_ms for a in phrases.annotations]
    members: dict[int, list[Annotation]] = {}
    outside = 0
    for word in words.annotations:
        number = _phrase_of(word, phrases.annotations, starts)
        if number is not None:
            members.setdefault(number, []).append(word)
        else:
            outside += bool(word.value.strip())
    annotations = tuple(
        Annotation(phrase.start_ms, phrase.end_ms, _sentence(members.get(number, ())))
        for number, phrase in enumerate(phrases.annotations)
    )
    return _like(words, phrases, annotations), outside


def _phrase_of(word: Annotation, phrases: Sequence[Annotation], starts: Sequence[int]) -> int | None:
    """Return the number of the phrase that a word's middle is in, or beside by `_SAME_MS`; None: in no phrase.

    Args:
        starts: of the phrases, in ms.
    """
    middle = (word.start_ms + word.end_ms) / 2
    number = bisect_right(starts, middle) - 1
    if number >= 0 and middle <= phrases[number].end_ms + _SAME_MS:
        return number
    return number + 1 if number + 1 < len(starts) and starts[number + 1] - middle <= _SAME_MS else None


def _like(words: Tier, phrases: Tier, annotations: tuple[Annotation, ...]) -> Tier:
    return Tier(
        name=words.name,
        annotations=annotations,
        linguistic_type=words.linguistic_type,
        participant=words.participant or phrases.participant,
        annotator=words.annotator,
        language=words.language,
        parent=words.parent,
        constraint=words.constraint,
    )


def _sentence(words: Iterable[Annotation]) -> str:
    """Return words as one text; punctuation, which FLEx keeps as words, follows without a space."""
    text = ""
    for word in (w.value.strip() for w in words):
        is_mark = not any(c.isalnum() for c in word)
        text += word if is_mark or not text else f" {word}"
    return text
