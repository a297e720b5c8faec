"""How a recogniser grew: the numbers of each round, from what the rounds kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from u2u_hf.evaluation.metrics import MAIN, score_keys, scores_with_intervals
from u2u_hf.growth.learning_curve import read_pairs
from u2u_hf.growth.rounds import Round

_COMPARABLE = 0.5  # of a round's held-out characters that all rounds share


@dataclass(frozen=True)
class Row:
    """One round, as growth.json has it.

    Attributes:
        cer: character error rate, on the held-out recordings, of the recogniser that was in use after the round.
        cer_interval: its 95 % interval.
        hours: of transcribed speech in training.
        edited_share: of the characters of the drafts that people looked through before the round, how many they had to
            change; None if they looked through none.
        is_better: whether the round's training gave a better recogniser, which is in use.
        is_comparable: whether the error rate is of the same utterances as those of the other rounds.
        speakers: speaker → hours in training.
        forecast: what more speech would bring, see `forecast.Forecast`.
    """

    round: int
    cer: float
    cer_interval: tuple[float, float]
    hours: float
    edited_share: float | None
    edited_characters: int
    is_better: bool
    is_comparable: bool
    utterances: int
    speakers: dict[str, float] = field(default_factory=dict)
    forecast: list[dict[str, Any]] = field(default_factory=list)


def rows(rounds: Sequence[Round]) -> list[Row]:
    """Return a row for each round that has a score.

    Error rates are of the utterances that were held out in every round: sentences that came into training later, and
    were therefore dropped from the held-out recordings, would make rounds differ.

    Raises:
        U2UError: what a round kept is damaged.
    """
    scored = [one for one in rounds if "test" in one.facts]
    pairs = [{_place(row): row for row in read_pairs(one.scores("test") / "pairs.tsv")} for one in scored]
    common = set(pairs[0]).intersection(*pairs[1:]) if pairs else set()
    found = []
    for one, own in zip(scored, pairs, strict=True):
        shared = [row for place, row in own.items() if place in common]
        is_comparable = _characters(shared) >= _COMPARABLE * _characters(own.values())
        chosen = shared if is_comparable else list(own.values())
        scores = scores_with_intervals([r["hypothesis"] for r in chosen], [r["reference"] for r in chosen])
        rate, low, high = (scores[key] for key in score_keys(MAIN))
        changes = one.facts["changes"]
        found.append(
            Row(
                one.number,
                rate,
                (low, high),
                changes["hours"],
                changes["changed"] / changes["characters"] if changes["characters"] else None,
                changes["characters"],
                bool(one.facts["compare"]["is_better"]),
                is_comparable,
                len(chosen),
                changes["speakers"],
                one.facts.get("forecast") or [],
            )
        )
    return found


def as_values(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as plain values for growth.json."""
    return [asdict(row) for row in found]


def _place(row: dict[str, str]) -> tuple[str, ...]:
    # Not the folder: who sorts a corpus into folders has the same recordings.
    return PurePosixPath(row["recording"]).name, row["tier"], row["start_ms"], row["end_ms"]


def _characters(pairs: Any) -> int:
    return sum(len(row["reference"]) for row in pairs)
