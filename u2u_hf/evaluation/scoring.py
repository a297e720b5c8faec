"""How well a recogniser does on a prepared split: error rates, for whom and where, and which errors."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset
from tqdm.auto import tqdm

from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.data.audio import decode_mono
from u2u_hf.evaluation.metrics import CHARACTERS, WORDS, aligned, error_counts, rate, scores_with_intervals
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

_MOST = 50  # of a kind of error that metrics.json holds; pairs.tsv holds all
# Marks and letters of tone: grave, acute, circumflex, macron, double acute, caron, line, double grave, inverted
# breve, contours, their spacing kin, tone letters, superscript digits; and plain digits behind a letter. A tilde,
# a diaeresis or a dot belongs to the letter.
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
    """An utterance as it was transcribed by a person and by the recogniser, and where it is."""

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
    recognizer: Recognizer, split: Dataset, model: LanguageModel | None = None
) -> tuple[list[Pair], float]:
    """Recognise every utterance of a split, one at a time.

    Args:
        model: the recogniser's language model, if it has one.

    Returns:
        the pairs in the split's order, and the real-time factor: seconds of work for a second of audio.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    pairs, begun = [], time.perf_counter()
    for row in tqdm(split, desc="recognising", unit="utterance"):
        samples = decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio")
        hypothesis = best_text(recognizer.log_probs(samples), recognizer.labels, model)
        start_ms = row.get("start_ms") or 0
        end_ms = row.get("end_ms") or start_ms + round(1000 * row["duration"])
        where = (row.get(column) or "" for column in ("recording", "tier", "speaker"))
        pairs.append(Pair(*where, start_ms, end_ms, " ".join(row["text"].split()), hypothesis))
    return pairs, round((time.perf_counter() - begun) / (3600 * sum(pair.hours for pair in pairs)), 4)


def ignoring(what: Sequence[str | Mapping[str, Any]]) -> TextRules:
    """Rules that take away what is not to count.

    Args:
        what: ``tones``, ``punctuation``, ``case``, or else the characters that are ignored, combining ones too;
            a mapping is a text rule of one's own.

    Raises:
        U2UError: a rule that is none.
    """
    rules: list[Mapping[str, Any]] = []
    for item in what:
        if not isinstance(item, str):
            rules.append(item)
        elif item in _IGNORED:
            rules += _IGNORED[item]
        elif item.isascii() and item.isalpha() and len(item) > 3:  # more likely a slip than four letters
            raise U2UError(f"--ignore {item}: give {', '.join(_IGNORED)}, or characters, with spaces between them")
        else:
            rules += _without(unicodedata.normalize("NFC", item))
    return TextRules(rules)


def _without(characters: str) -> list[dict[str, Any]]:
    """Rules that drop letters as they are, and combining marks wherever they stand."""
    letters = {c: "" for c in characters if not unicodedata.combining(c)}
    marks = {c: "" for c in characters if unicodedata.combining(c)}
    return [{"unicode": "NFC"}, {"replace": letters}, {"unicode": "NFD"}, {"replace": marks}, {"unicode": "NFC"}]


def measure(pairs: Sequence[Pair], ignored: Sequence[str | Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What there is to know of how well a split was recognised, as plain values for JSON.

    Error rates are 0…1 and above, each with the ends of its 95% confidence interval (`scores_with_intervals`).

    Args:
        pairs: at least one.
        ignored: what a second score takes no notice of, see `ignoring`.

    Returns:
        the error rates of all; ``utterances`` and ``seconds``; ``ignoring``, the same with less to count;
        ``speakers`` and ``recordings``, the same for each, the worst first; ``characters`` and ``words``, the most
        frequent errors, said and heard; and ``worst``, the utterances with the most characters wrong beyond
        what is usual for their length (``row`` counts the split's from 0).
    """
    found = _scores(pairs) | {"seconds": round(3600 * sum(pair.hours for pair in pairs), 2)}
    if ignored:
        rules = ignoring(ignored)
        less = [(rules(pair.hypothesis), rules(pair.reference)) for pair in pairs]
        what = [item if isinstance(item, str) else next(iter(item)) for item in ignored]
        found["ignoring"] = {"what": what} | scores_with_intervals(*zip(*less, strict=True))
    return found | {
        "speakers": _by(pairs, lambda pair: pair.speaker),
        "recordings": _by(pairs, lambda pair: pair.recording),
        "characters": _errors(aligned(p.reference, p.hypothesis, CHARACTERS) for p in pairs),
        "words": _errors(aligned(p.reference, p.hypothesis, WORDS) for p in pairs),
        "worst": _worst(pairs),
    }


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
    return dict(sorted(scores.items(), key=lambda item: -item[1]["cer"]))


def _errors(alignments: Iterable[list[tuple[str, str]]]) -> list[dict[str, Any]]:
    """Said and heard where they differ, how often, and ``of`` how many times it was said; the most frequent first."""
    pairs = Counter(pair for alignment in alignments for pair in alignment)
    said: Counter[str] = Counter()
    for (reference, _), count in pairs.items():
        said[reference] += count
    wrong = sorted(((count, pair) for pair, count in pairs.items() if pair[0] != pair[1]), key=lambda x: (-x[0], x[1]))
    return [
        {"reference": reference, "hypothesis": hypothesis, "count": count, "of": said[reference] if reference else None}
        for count, (reference, hypothesis) in wrong[:_MOST]
    ]


def _worst(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    # By their rate alone the shortest would come first, by their errors the longest.
    counts = error_counts([p.hypothesis for p in pairs], [p.reference for p in pairs], CHARACTERS)
    excess = counts[:, 0] - rate(counts.sum(0)) * counts[:, 1]
    rows = [int(row) for row in np.argsort(-excess, kind="stable")[:_MOST] if counts[row, 0]]
    return [
        {"row": row, "cer": float(rate(counts[row])), "errors": int(counts[row, 0])} | vars(pairs[row]) for row in rows
    ]


def as_tsv(pairs: Iterable[Pair]) -> str:
    """The pairs as a table, to look at side by side."""
    columns = list(Pair.__dataclass_fields__)
    lines = [columns, *([str(value) for value in vars(pair).values()] for pair in pairs)]
    return "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)
