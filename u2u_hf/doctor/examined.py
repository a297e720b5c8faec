"""A corpus with its measures and what is usual in it: what each kind of fault is looked for in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from u2u_hf.doctor.annotations import Corpus, Key
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.usual import Usual, by_key, misfit, usual
from u2u_hf.records import Utterance


@dataclass(frozen=True)
class Examined:
    """A corpus whose annotations have been heard; `measures` are those without a problem."""

    corpus: Corpus
    measures: Sequence[Measure]

    @cached_property
    def utterance_of(self) -> dict[Key, Utterance]:
        return by_key(self.corpus.utterances)

    @cached_property
    def measure_of(self) -> dict[Key, Measure]:
        return {measure.key: measure for measure in self.measures}

    @cached_property
    def usual(self) -> Usual:
        return usual(self.measures, self.utterance_of)

    @cached_property
    def tiers(self) -> dict[tuple[str, str], list[Utterance]]:
        """Return (recording, tier) → its annotations in order of time."""
        found: dict[tuple[str, str], list[Utterance]] = {}
        for utterance in self.corpus.utterances:
            found.setdefault((utterance.recording, utterance.tier), []).append(utterance)
        return found

    def heard(self) -> Iterator[tuple[Utterance, Measure]]:
        """Yield each annotation with its measure."""
        for measure in self.measures:
            yield self.utterance_of[measure.key], measure

    def misfit(self, measure: Measure) -> float:
        """Return the misfit of the annotation's own text, see `usual.misfit`."""
        return misfit(measure.cost, measure)

    def in_letters(self, cost: float) -> float:
        """Return a cost in wrong letters."""
        return cost / self.usual.letter_cost
