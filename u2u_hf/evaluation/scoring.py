"""The evaluation of a recogniser on a prepared split: scores by speaker and recording, and the errors."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from datasets import Dataset

from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.data.audio import decode_mono
from u2u_hf.evaluation.calibration_fit import Compared, compared
from u2u_hf.evaluation.metrics import CHARACTERS, MAIN, METRICS, WORDS, aligned, rate, scores_with_intervals
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

_MOST = 50  # rows of each list of errors in metrics.json; pairs.tsv holds all utterances
# Tone: combining grave, acute, circumflex, macron, double acute, caron, line, double grave, inverted breve and
# contours, their spacing forms, tone letters, superscript digits, and plain digits after a letter. Tilde, diaeresis
# and dot are not tone: they belong to the letter.
_TONES = (
    "[\u0300-\u0302\u0304\u030b-\u030d\u030f\u0311\u1dc4-\u1dc9\u02c6\u02c7\u02c9-\u02cb\u02e5-\u02e9\ua712-\ua716"
    "\u2070\u00b9\u00b2\u00b3\u2074-\u2079]|(?<=[^\\W\\d_]|[\u0300-\u036f])[0-9]+"
)
_IGNORED: Mapping[str, list[dict[str, Any]]] = {
    "tones": [{"unicode": "NFD"}, {"regex": {_TONES: ""}}, {"unicode": "NFC"}],
    "punctuation": [{"punctuation": "drop"}],
    "case": [{"case": "lower"}],
}


@dataclass(frozen=True)
class Pair:
    """An utterance's place, its reference (by a person) and its hypothesis (by the recogniser)."""

    recording: str
    tier: str
    speaker: str
    start_ms: int
    end_ms: int
    reference: str
    hypothesis: str

    @property
    def hours(self) -> float:
        return (self.end_ms - self.start_ms) / 3_600_000


def recognise_split(
    recognizer: Recognizer, split: Dataset, language_model: LanguageModel | None = None
) -> tuple[list[Pair], list[Compared], float]:
    """Recognise every utterance of a split, one at a time.

    Returns:
        the pairs in the split's order; what tells their errors, likewise; and the real-time factor: seconds of
        computation per second of audio.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    pairs, telling, begun = [], [], time.perf_counter()
    for row in progress_bar(split, desc="recognising", unit="utterance"):
        samples = decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio")
        found = compared(recognizer.log_probs(samples), row["text"], recognizer.labels, language_model)
        start_ms = row.get("start_ms") or 0
        end_ms = row.get("end_ms") or start_ms + round(1000 * row["duration"])
        place = (row.get(column) or "" for column in ("recording", "tier", "speaker"))
        pairs.append(Pair(*place, start_ms, end_ms, " ".join(row["text"].split()), found.hypothesis))
        telling.append(found)
    return pairs, telling, round((time.perf_counter() - begun) / (3600 * sum(pair.hours for pair in pairs)), 4)


def ignoring(what: Sequence[str | Mapping[str, Any]]) -> TextRules:
    """Return the rules that remove from a text what is ignored.

    Args:
        what: ``tones``, ``punctuation``, ``case``, or characters to ignore, also combining ones; a mapping is a
            text rule.

    Raises:
        U2UError: an unknown name or an invalid rule.
    """
    rules: list[Mapping[str, Any]] = []
    for item in what:
        if not isinstance(item, str):
            rules.append(item)
        elif item in _IGNORED:
            rules += _IGNORED[item]
        elif item.isascii() and item.isalpha() and len(item) > 3:  # probably a misspelt name, not four letters
            raise U2UError(f"--ignore {item}: give {', '.join(_IGNORED)}, or characters, with spaces between them")
        else:
            rules += _without(unicodedata.normalize("NFC", item))
    return TextRules(rules)


def _without(characters: str) -> list[dict[str, Any]]:
    """Return rules that drop letters in composed form, and combining marks on any letter."""
    letters = {c: "" for c in characters if not unicodedata.combining(c)}
    marks = {c: "" for c in characters if unicodedata.combining(c)}
    return [{"unicode": "NFC"}, {"replace": letters}, {"unicode": "NFD"}, {"replace": marks}, {"unicode": "NFC"}]


def measure(pairs: Sequence[Pair], ignored: Sequence[str | Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the evaluation of a split as plain values for JSON.

    Args:
        pairs: at least one.
        ignored: what the second scores leave aside, see `ignoring`.

    Returns:
        the scores of all utterances with their confidence intervals (`scores_with_intervals`); ``utterances`` and
        ``seconds``; ``ignoring``, the second scores; ``speakers`` and ``recordings``, the scores of each, the worst
        first; ``characters`` and ``words``, the most frequent errors; and ``worst``, the utterances with the most
        wrong characters for their length (``row`` is the index in the split).
    """
    found = _scores(pairs) | {"seconds": round(3600 * sum(pair.hours for pair in pairs), 2)}
    if ignored:
        less = without_ignored(pairs, ignored)
        what = [item if isinstance(item, str) else next(iter(item)) for item in ignored]
        found["ignoring"] = {"what": what} | scores_with_intervals(
            [pair.hypothesis for pair in less], [pair.reference for pair in less]
        )
    return found | {
        "speakers": _by(pairs, lambda pair: pair.speaker),
        "recordings": _by(pairs, lambda pair: pair.recording),
        "characters": _errors(aligned(p.reference, p.hypothesis, CHARACTERS) for p in pairs),
        "words": _errors(aligned(p.reference, p.hypothesis, WORDS) for p in pairs),
        "worst": _worst(pairs),
    }


def without_ignored(pairs: Sequence[Pair], ignored: Sequence[str | Mapping[str, Any]]) -> list[Pair]:
    """Return pairs whose texts lack what is ignored, see `ignoring`."""
    # Together, because what is an apostrophe and what a quotation mark shows in all texts.
    texts = ignoring(ignored).of_corpus([text for pair in pairs for text in (pair.hypothesis, pair.reference)])
    return [
        replace(pair, hypothesis=hypothesis, reference=reference)
        for pair, hypothesis, reference in zip(pairs, texts[::2], texts[1::2], strict=True)
    ]


def _scores(pairs: Sequence[Pair]) -> dict[str, Any]:
    scores = scores_with_intervals([p.hypothesis for p in pairs], [p.reference for p in pairs])
    return scores | {"utterances": len(pairs)}


def _by(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair)].append(pair)
    scores = {
        name: _scores(group) | {"hours": round(sum(pair.hours for pair in group), 4)} for name, group in groups.items()
    }
    return dict(sorted(scores.items(), key=lambda item: -item[1][MAIN]))


def _errors(alignments: Iterable[list[tuple[str, str]]]) -> list[dict[str, Any]]:
    """Return the most frequent pairs that differ; ``of`` is how often the reference occurs, None for insertions."""
    pairs = Counter(pair for alignment in alignments for pair in alignment)
    occurrences: Counter[str] = Counter()
    for (reference, _), count in pairs.items():
        occurrences[reference] += count
    wrong = sorted(((count, pair) for pair, count in pairs.items() if pair[0] != pair[1]), key=lambda x: (-x[0], x[1]))
    return [
        {
            "reference": reference,
            "hypothesis": hypothesis,
            "count": count,
            "of": occurrences[reference] if reference else None,
        }
        for count, (reference, hypothesis) in wrong[:_MOST]
    ]


def _worst(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return the utterances with the most errors above what their length explains.

    Ordered by their rate, the shortest would come first; by their errors, the longest.
    """
    counts = METRICS[MAIN].counts([p.hypothesis for p in pairs], [p.reference for p in pairs])
    excess = counts[:, 0] - rate(counts.sum(0)) * counts[:, 1]
    rows = [int(row) for row in np.argsort(-excess, kind="stable")[:_MOST] if counts[row, 0]]
    return [
        {"row": row, MAIN: float(rate(counts[row])), "errors": int(counts[row, 0])} | vars(pairs[row]) for row in rows
    ]


def as_tsv(pairs: Iterable[Pair]) -> str:
    """Return the pairs as a table, tabs between columns."""
    columns = list(Pair.__dataclass_fields__)
    lines = [columns, *([str(value) for value in vars(pair).values()] for pair in pairs)]
    return "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)
