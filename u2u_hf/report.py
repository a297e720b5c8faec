"""What a preparation did, in words and as data: nothing is dropped without being named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from u2u_hf.records import Utterance


def hours(utterances: Iterable[Utterance]) -> float:
    """Hours of audio in all."""
    return sum(u.duration for u in utterances) / 3600


def preparation_report(
    splits: dict[str, list[Utterance]],
    skipped: Sequence,
    dropped: Sequence[tuple[Utterance, str]],
    choices: Sequence,
    why: dict[str, str],
    touched: Counter[str],
) -> dict[str, Any]:
    """Everything a preparation found and decided, as plain values for JSON.

    Args:
        skipped: `corpus.Skipped` files.
        dropped: utterances left out, each with its reason.
        choices: `channels.ChannelChoice` of each tier of each recording.
        why: tier name → why it was chosen or not.
        touched: text rule → how many annotations it changed.
    """
    train = {c for u in splits["train"] for c in u.text}
    unseen = Counter(
        c for name, row in splits.items() if name != "train" for u in row for c in u.text if c not in train
    )
    reasons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for utterance, reason in dropped:
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
        "tiers": why,
        "channels": [
            {
                "recording": c.recording,
                "tier": c.tier,
                "channel": c.channel,
                "margin_db": None if c.margin_db == float("inf") else round(c.margin_db, 1),
            }
            for c in choices
        ],
        "rules": dict(touched),
        "dropped": dict(reasons),
        "skipped_files": [{"file": s.where, "reason": s.reason} for s in skipped],
    }


def in_words(report: dict[str, Any]) -> str:
    """The report as a person wants to read it after a run."""
    lines = ["tiers:"]
    lines += [f"  {name}: {reason}" for name, reason in report["tiers"].items()]
    close = [c for c in report["channels"] if c["margin_db"] is not None and c["margin_db"] < 3]
    for c in close:
        lines.append(
            f"  ! {c['recording']}, tier {c['tier']}: channel {c['channel']} is louder by {c['margin_db']} dB only: "
            "one microphone for everybody, or the speaker is on both channels"
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
