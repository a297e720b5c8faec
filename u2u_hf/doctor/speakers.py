"""Annotations on the tier of a speaker while another channel's speaker is heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from u2u_hf.corpus.channels import CLOSE_DB
from u2u_hf.doctor.annotations import key_of
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import SPEAKER, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.usual import misfit, upper
from u2u_hf.records import Utterance

_AS_WELL = 1.25  # times the cost on the tier's own channel, where cross-talk may be read too


def wrong_channels(examined: Examined) -> list[Finding]:
    """Return annotations that are louder on another channel than their tier's, where their text fits as well.

    Only of tiers whose speaker has a microphone: one that is usually loudest on the tier's channel.
    """
    found = []
    for row in examined.tiers.values():
        margins = {}
        for utterance in row:
            measure = examined.measure_of.get(key_of(utterance))
            margin = measure and margin_db(measure, utterance.channel or 0)
            if measure and margin is not None:
                margins[utterance] = measure, margin
        if not margins or float(np.median([margin for _, margin in margins.values()])) < CLOSE_DB:
            continue
        limit = max(CLOSE_DB, upper(-margin for _, margin in margins.values()))
        for utterance, (measure, margin) in margins.items():
            loudest = int(np.argmax(measure.levels_db))
            cost = dict(measure.other_costs).get(loudest)
            if -margin > limit and cost is not None and _fits_as_well(examined, measure, cost):
                found.append(_finding(examined, utterance, measure, loudest, sureness(-margin, limit)))
    return found


def _fits_as_well(examined: Examined, measure: Measure, cost: float) -> bool:
    if misfit(cost, measure) > examined.usual.wrong:
        return False
    return measure.cost is None or examined.in_letters(cost - _AS_WELL * measure.cost) <= 1


def margin_db(measure: Measure, channel: int) -> float | None:
    """Return by how much an annotation is louder on its channel than on the next one; None if there is no other."""
    others = [level for other, level in enumerate(measure.levels_db) if other != channel]
    return measure.levels_db[channel] - max(others) if others else None


def _finding(examined: Examined, utterance: Utterance, measure: Measure, channel: int, score: float) -> Finding:
    tiers = {
        u.tier
        for (recording, tier), row in examined.tiers.items()
        for u in row
        if recording == utterance.recording and tier != utterance.tier
        if u.channel == channel and u.audio == utterance.audio
    }
    where = f"channel {channel + 1} is louder here"
    meant = next(iter(tiers)) if len(tiers) == 1 else ""
    return finding(
        SPEAKER,
        utterance,
        score,
        f"move to tier {meant}: {where}" if meant else where,
        edit={"tier": meant} if meant else None,
        letters=float(measure.letters),
        heard=measure.heard,
    )


def louder_copy(one: Measure, other: Measure, channels: Sequence[int]) -> int | None:
    """Return which of two (0 or 1) is louder on its own channel, None if they have no channels of their own."""
    margins = [margin_db(measure, channel) for measure, channel in zip((one, other), channels, strict=True)]
    if None in margins or channels[0] == channels[1]:
        return None
    return int(np.argmax(margins))
