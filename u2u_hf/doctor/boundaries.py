"""Annotations whose text is heard before their start or after their end."""

from __future__ import annotations

from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import BOUNDARIES, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.usual import misfit, upper
from u2u_hf.records import Utterance

_FEWEST_LETTERS = 2  # that the text must fit better by where it is heard
_SHORTEST = 4  # labels of a text: shorter ones are found anywhere


def shifted_boundaries(examined: Examined) -> list[Finding]:
    """Return annotations whose text fits, as right texts do, at other times; with these as the suggestion."""
    gains = {measure.key: _gain(examined, measure) for measure in examined.measures}
    limit = max(_FEWEST_LETTERS, upper(gains.values()))
    found = []
    for utterance, measure in examined.heard():
        gain = gains[measure.key]
        if measure.letters < _SHORTEST or gain <= limit or not _is_elsewhere(examined, measure):
            continue
        if misfit(measure.spot_cost, measure) > examined.usual.right:
            continue
        if (span := _new_times(examined, utterance, measure)) is None:
            continue
        start_ms, end_ms = span
        moved = f"start {_signed(start_ms - utterance.start_ms)}, end {_signed(end_ms - utterance.end_ms)}"
        found.append(
            finding(
                BOUNDARIES,
                utterance,
                sureness(gain, limit),
                moved,
                edit={"start_ms": start_ms, "end_ms": end_ms},
                letters=min(gain, measure.letters),
                heard=measure.heard,
            )
        )
    return found


def _gain(examined: Examined, measure: Measure) -> float:
    """Return by how many letters the text fits better where it is heard than between start and end."""
    if measure.spot_cost is None or not measure.decoys:
        return 0.0
    own = max(measure.decoys) if measure.cost is None else measure.cost
    return examined.in_letters(max(0.0, own - measure.spot_cost))


def _is_elsewhere(examined: Examined, measure: Measure) -> bool:
    assert measure.spot_ms
    outside_ms = max(measure.start_ms - measure.spot_ms[0], measure.spot_ms[1] - measure.end_ms)
    return outside_ms > examined.usual.outside_ms


def _new_times(examined: Examined, utterance: Utterance, measure: Measure) -> tuple[int, int] | None:
    """Return start and end with the usual distance around the text, kept off the tier's other annotations.

    None if the text is heard where another annotation of the tier is: then its text is another one's.
    """
    assert measure.spot_ms
    heard_from, heard_to = measure.spot_ms
    row = [u for u in examined.tiers[utterance.recording, utterance.tier] if u != utterance]
    if any(min(heard_to, u.end_ms) - max(heard_from, u.start_ms) > (heard_to - heard_from) / 4 for u in row):
        return None
    middle = (heard_from + heard_to) / 2
    before = max((u.end_ms for u in row if (u.start_ms + u.end_ms) / 2 < middle), default=0)
    after = min((u.start_ms for u in row if (u.start_ms + u.end_ms) / 2 >= middle), default=None)
    start_ms = max(before, round(heard_from - examined.usual.lead_ms))
    end_ms = round(heard_to + examined.usual.lag_ms)
    end_ms = end_ms if after is None else min(end_ms, after)
    return (start_ms, end_ms) if start_ms < end_ms else None


def _signed(ms: int) -> str:
    return f"{ms / 1000:+.2f} s".replace("-", "−")
