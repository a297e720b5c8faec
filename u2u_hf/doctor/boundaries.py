"""Annotations whose text is heard before their start or after their end."""

from __future__ import annotations

from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import BOUNDARIES, Finding, finding, sureness
from u2u_hf.doctor.measures import Measure
from u2u_hf.doctor.usual import misfit, upper
from u2u_hf.records import Utterance

_FEWEST_LETTERS = 2  # that the text must fit better by where it is heard
_LEAST_MOVE_MS = 200  # shorter ones are a matter of taste
_SHORTEST = 4  # labels of a text: shorter ones are found anywhere


def shifted_boundaries(examined: Examined) -> list[Finding]:
    """Return annotations whose text fits, as right texts do, at other times; with these as the suggestion.

    The times are where the recogniser hears the text; or, where it errs too much to tell, where the annotation holds
    whole speech, if the text fits better there.
    """
    spots = {measure.key: _gain_of_spot(examined, measure) for measure in examined.measures}
    spot_limit = max(_FEWEST_LETTERS, upper(spots.values()))
    place_limit_ms = max(_LEAST_MOVE_MS, upper(measure.place.gain_ms for measure in examined.measures))
    found = []
    for utterance, measure in examined.heard():
        if measure.letters < _SHORTEST:
            continue
        spot, place = spots[measure.key], _gain_of_place(examined, measure)
        if (
            spot > spot_limit
            and _is_elsewhere(examined, measure)
            and (span := _new_times(examined, utterance, measure))
        ):
            found.append(_moved(utterance, measure, span, sureness(spot, spot_limit), spot))
        elif place > 0 and measure.place.gain_ms > place_limit_ms and abs(measure.place.by_ms) >= _LEAST_MOVE_MS:
            span = utterance.start_ms + measure.place.by_ms, utterance.end_ms + measure.place.by_ms
            found.append(_moved(utterance, measure, span, sureness(measure.place.gain_ms, place_limit_ms), place))
    return found


def _moved(utterance: Utterance, measure: Measure, span: tuple[int, int], score: float, letters: float) -> Finding:
    start_ms, end_ms = span
    moved = f"start {_signed(start_ms - utterance.start_ms)}, end {_signed(end_ms - utterance.end_ms)}"
    edit = {"start_ms": start_ms, "end_ms": end_ms}
    letters = min(letters, measure.letters)
    return finding(BOUNDARIES, utterance, score, moved, edit=edit, letters=letters, heard=measure.heard)


def _gain_of_place(examined: Examined, measure: Measure) -> float:
    """Return by how many letters the text fits better where the annotation holds whole speech."""
    if measure.place_cost is None or not measure.place.by_ms or not measure.decoys:
        return 0.0
    return examined.in_letters((max(measure.decoys) if measure.cost is None else measure.cost) - measure.place_cost)


def _gain_of_spot(examined: Examined, measure: Measure) -> float:
    """Return by how many letters the text fits better where it is heard than between start and end."""
    if measure.spot_cost is None or not measure.decoys:
        return 0.0
    own = max(measure.decoys) if measure.cost is None else measure.cost
    return examined.in_letters(max(0.0, own - measure.spot_cost))


def _is_elsewhere(examined: Examined, measure: Measure) -> bool:
    """Return whether the text fits where it is heard, and that is farther outside than usual."""
    if not measure.spot_ms or misfit(measure.spot_cost, measure) > examined.usual.right:
        return False
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
