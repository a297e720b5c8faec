"""What a preparation did, in words and as data: nothing is dropped without being named."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from u2u_hf import output_folder
from u2u_hf.corpus.reader import Skipped
from u2u_hf.records import Utterance
from u2u_hf.reports import terminal
from u2u_hf.reports.html_report import page
from u2u_hf.reports.survey import survey

if TYPE_CHECKING:
    from u2u_hf.corpus.preparation import Preparation


def hours(utterances: Iterable[Utterance]) -> float:
    """Hours of audio in all."""
    return sum(u.duration for u in utterances) / 3600


def write(preparation: Preparation, corpus: Path, output_dir: Path) -> str:
    """Write ``report.json`` and ``report.html``, and return the report in words.

    Args:
        corpus: the folder that the preparation was made from.
    """
    preparation = _within(corpus, preparation)
    report = preparation_report(preparation)
    output_folder.write(output_dir / "report.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    output_folder.write(output_dir / "report.html", page(survey(preparation, corpus), report))
    return in_words(report)


def write_inspection(preparation: Preparation, corpus: Path, output_dir: Path) -> str:
    """Write ``report.html`` alone, and return in words what the corpus holds."""
    report, found = preparation_report(preparation), survey(preparation, corpus)
    output_folder.write(output_dir / "report.html", page(found, report))
    return terminal.in_words(found, report)


def _within(corpus: Path, preparation: Preparation) -> Preparation:
    """Files as they are called inside the corpus: where that lies on whose computer is not pushed with the dataset."""

    def inside(text: str) -> str:
        return text.replace(f"{corpus}{os.sep}", "") if corpus.is_absolute() else text

    skipped = [Skipped(inside(s.where), inside(s.reason)) for s in preparation.skipped]
    dropped = [(u, inside(reason)) for u, reason in preparation.dropped]
    return replace(preparation, skipped=skipped, dropped=dropped)


def preparation_report(preparation: Preparation) -> dict[str, Any]:
    """Everything a preparation found and decided, as plain values for JSON."""
    splits = preparation.splits
    train = {c for u in splits.get("train", ()) for c in u.text}
    unseen = Counter(
        c for name in ("validation", "test") for u in splits.get(name, ()) for c in u.text if c not in train
    )
    reasons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for utterance, reason in preparation.dropped:
        where = {"recording": utterance.recording, "tier": utterance.tier, "start_ms": utterance.start_ms}
        reasons[reason].append(where | {"raw_text": utterance.raw_text})
    return {
        "splits": {
            name: {
                "utterances": len(row),
                "hours": round(hours(row), 4),
                "recordings": sorted({u.recording for u in row}),
                "speakers": sorted({u.speaker for u in row}),
            }
            for name, row in splits.items()
        },
        "characters": dict(Counter(c for row in splits.values() for u in row for c in u.text).most_common()),
        "characters_unseen_in_training": dict(unseen),
        "tiers": preparation.why,
        "recordings_without_transcription": [
            r.name for r in preparation.recordings if not preparation.tiers.get(r.name)
        ],
        "channels": [
            {
                "recording": c.recording,
                "tier": c.tier,
                "channel": c.channel,
                "how": c.how,
                "margin_db": None if c.margin_db is None else round(c.margin_db, 1),
                "close": c.close,
            }
            for c in preparation.choices
        ],
        "rules": dict(preparation.touched),
        "rule_examples": preparation.examples,
        "dropped": dict(reasons),
        "skipped_files": [{"file": s.where, "reason": s.reason} for s in preparation.skipped],
        "problem": None if preparation.problem is None else str(preparation.problem),
    }


def _more(count: int) -> str:
    return f" and {count} more recordings" if count > 0 else ""


def in_words(report: dict[str, Any]) -> str:
    """The report as a person wants to read it after a run."""
    lines = ["tiers:"]
    lines += [f"  {name}: {reason}" for name, reason in report["tiers"].items()]
    if untold := report["recordings_without_transcription"]:
        lines.append(f"  ! no such tier, or nothing on it: {', '.join(untold[:5])}{_more(len(untold) - 5)}")
    for c in (c for c in report["channels"] if c["close"]):
        lines.append(
            f"  ! {c['recording']}, tier {c['tier']}: channel {c['channel'] + 1} is louder by {c['margin_db']} dB "
            "only: one microphone for everybody, or the speaker is on both channels"
        )
    for name, split in report["splits"].items():
        lines.append(
            f"{name}: {split['utterances']} utterances, {split['hours'] * 60:.1f} minutes, "
            f"{len(split['recordings'])} recordings, {len(split['speakers'])} speakers"
        )
    if report["characters_unseen_in_training"]:
        lines.append(f"! characters that training never shows: {' '.join(report['characters_unseen_in_training'])}")
    for reason, rows in report["dropped"].items():
        first = rows[0]
        lines.append(
            f"left out: {len(rows)} × {reason} (first: {first['recording']}, tier {first['tier']}, "
            f"at {first['start_ms'] / 1000:.1f} s)"
        )
    for skipped in report["skipped_files"]:
        lines.append(f"! skipped {skipped['file']}: {skipped['reason']}")
    return "\n".join(lines)
