"""report.json: everything that a preparation found and decided, as data."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from u2u_hf.corpus.channels import ChannelChoice
from u2u_hf.records import Dropped
from u2u_hf.reports.digest import Digest, SplitSummary


def json_report(digest: Digest) -> str:
    """Return the text of ``report.json``."""
    return json.dumps(report_values(digest), ensure_ascii=False, indent=2) + "\n"


def report_values(digest: Digest) -> dict[str, Any]:
    """Return the values of ``report.json``."""
    return {
        "splits": {name: _split(summary) for name, summary in digest.splits.items()},
        "characters": dict(Counter(c for u in digest.kept for c in u.text).most_common()),
        "characters_unseen_in_training": digest.unseen,
        "tiers": digest.why,
        "recordings_without_transcription": digest.untranscribed,
        "channels": [_channel(choice) for choice in digest.channels],
        "rules": digest.rules,
        "rule_examples": digest.rule_examples,
        "dropped": _dropped(digest),
        "skipped_files": [{"file": s.where, "reason": s.reason} for s in digest.skipped],
        "remarks": digest.remarks,
        "problem": digest.problem or None,
    }


def _split(summary: SplitSummary) -> dict[str, Any]:
    return {
        "utterances": len(summary.utterances),
        "hours": round(summary.hours, 4),
        "recordings": summary.recordings,
        "speakers": summary.speakers,
    }


def _channel(choice: ChannelChoice) -> dict[str, Any]:
    return {
        "recording": choice.recording,
        "tier": choice.tier,
        "channel": choice.channel,
        "how": choice.how,
        "margin_db": None if choice.margin_db is None else round(choice.margin_db, 1),
        "close": choice.close,
    }


def _dropped(digest: Digest) -> dict[str, list[dict[str, Any]]]:
    """Return reason → utterances; one with a detail names its audio too."""
    reasons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for drop in digest.dropped:
        reasons[drop.reason].append(_drop(digest, drop))
    return dict(reasons)


def _drop(digest: Digest, drop: Dropped) -> dict[str, Any]:
    utterance = drop.utterance
    row = {
        "recording": utterance.recording,
        "tier": utterance.tier,
        "start_ms": utterance.start_ms,
        "raw_text": utterance.raw_text,
    }
    return row | {"audio": digest.audio_of(utterance), "detail": drop.detail} if drop.detail else row
