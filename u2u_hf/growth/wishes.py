"""What a user asks of a round: time for its trainings, a forecast, the Hub."""

from __future__ import annotations

from dataclasses import dataclass

from u2u_hf.growth.learning_curve import LEAST_SECONDS, PARTS
from u2u_hf.records import U2UError
from u2u_hf.settings import duration

# Of a time budget, for the trainings of the forecast: the better recogniser matters more, and whoever plans the next
# weeks of correcting still wants to know what they would bring.
_FORECAST_SHARE = 0.25


@dataclass(frozen=True)
class Wishes:
    """What the user asked of a round.

    Attributes:
        train_seconds: time for the training; None for as many steps as the project's train.yaml says.
        forecast_seconds: time for the trainings of the forecast; 0 for no forecast.
        push_to: OWNER/NAME of the recogniser on the Hub, whose dataset is OWNER/NAME-data; or the empty string.
    """

    train_seconds: int | None = None
    forecast_seconds: int = 0
    push_to: str = ""


def wishes(time_budget: float | None, forecast: float | None, push_to: str = "") -> Wishes:
    """Return what a user asked for.

    Args:
        time_budget: seconds for all trainings of the round, or None.
        forecast: seconds of it for the forecast; 0 for none, None for the default.

    Raises:
        U2UError: a time is too short.
    """
    least = LEAST_SECONDS * len(PARTS)
    if forecast is None:  # a budget too short for a forecast is for the training alone
        forecast = _FORECAST_SHARE * (time_budget or 0)
        forecast = forecast if forecast >= least else 0
    elif 0 < forecast < least:
        raise U2UError(f"--forecast {duration(int(forecast))}: is too short for {len(PARTS)} trainings: give "
                       f"{duration(least)} or more, or 0s for none")  # fmt: skip
    left = None if time_budget is None else int(time_budget - forecast)
    if left is not None and left < LEAST_SECONDS:
        needed = duration(int(forecast) + LEAST_SECONDS)
        raise U2UError(f"--time_budget: is too short, with {duration(int(forecast)) or 'nothing'} of it for the "
                       f"forecast: give {needed} or more")  # fmt: skip
    return Wishes(left, int(forecast), push_to)
