"""From a corpus to its probable faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from u2u_hf.doctor.annotations import Corpus
from u2u_hf.doctor.boundaries import shifted_boundaries
from u2u_hf.doctor.conventions import other_conventions
from u2u_hf.doctor.copies import copies
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import Finding, by_worth
from u2u_hf.doctor.gaps import Gaps, unannotated
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.speakers import wrong_channels
from u2u_hf.doctor.spellings import second_spellings
from u2u_hf.doctor.texts import wrong_texts
from u2u_hf.evaluation.metrics import MAIN, METRICS, rate
from u2u_hf.recognition.recognizer import Recognizer

# To add a kind of fault, write what looks for it, add it here, and its title to `findings.KINDS`.
SEARCHES: tuple[Callable[[Examined], list[Finding]], ...] = (
    copies,
    wrong_channels,
    shifted_boundaries,
    wrong_texts,
    second_spellings,
    other_conventions,
)


def examined(corpus: Corpus, measures: Sequence[Measure]) -> Examined:
    """Return a corpus with those of its measures that have no problem."""
    return Examined(corpus, [measure for measure in measures if not measure.problem])


def faults(corpus: Examined, gaps: Mapping[str, Gaps], recognizer: Recognizer) -> list[Finding]:
    """Return the probable faults, those first that a minute of a person's time is worth most for.

    Args:
        recognizer: writes what it hears in the gaps.
    """
    found = [one for search in SEARCHES for one in search(corpus)] if corpus.measures else []
    return by_worth([*found, *unannotated(corpus, gaps, recognizer, found)])


def error_rate(corpus: Examined) -> float:
    """Return the character error rate of the recognisers on the annotations as they are."""
    pairs = [(measure.heard, utterance.text) for utterance, measure in corpus.heard()]
    counts = METRICS[MAIN].counts([heard for heard, _ in pairs], [text for _, text in pairs])
    return float(rate(counts.sum(0))) if pairs else 0.0
