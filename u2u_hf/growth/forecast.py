"""What more transcribed speech would bring: a power law over trainings on parts of what there is.

Error rates of recognisers fall with the amount of data as a power law that levels off (Hestness et al. 2017, Deep
Learning Scaling is Predictable, Empirically): error = a · hours^-b + c. A handful of short trainings does not determine
a, b, c and the noise between trainings, so none of them is fixed: every law of a grid counts as much as the trainings
make it likely (Bayes), and the forecast is what all of them say together. The recordings that the trainings are scored
on are drawn anew with replacement (bootstrap), because others would show another law.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COVERED = 0.8  # of the interval
_DRAWS = 400
# The grid: the exponent b; the share of today's error rate that no amount of data would remove; the noise between two
# trainings on the same data, as a standard deviation of the logarithm of the error rate. From seeds of short trainings
# on 6 to 20 minutes: 0.01 to 0.2.
_EXPONENTS = np.linspace(0, 1, 41)
_FLOORS = np.linspace(0, 0.8, 9)
_NOISES = np.geomspace(0.02, 0.4, 12)
# Exponent: noise is more likely than four or five trainings show, before anything is known. Theirs share recordings: in
# 26 real runs (tests/benchmarks/growth_forecast.py), with 0.5 an interval of 80 % covered two of three truths.
_MORE_NOISE = 1.5
_NO_FLOOR = 0.5  # how likely it is that there is none, before anything is known
# When nothing can be told. A model that gets more than this share of the characters wrong has hardly begun to learn.
_LEARNT = 0.8
_FEWEST_SIZES = 3
_SURE_TO_FALL = 0.9  # probability that the largest part gives a lower error rate than the smallest one
_FALL = 0.97  # … by at least this factor
_WIDEST = 2.5  # upper end of the interval over its lower end


@dataclass(frozen=True)
class Trial:
    """A training on a part of the training data, and its errors on what it never saw.

    Attributes:
        hours: of transcribed speech that it learnt from.
        errors, lengths: int64 [U], of each utterance, in characters; the same utterances for all trials.
    """

    hours: float
    errors: np.ndarray
    lengths: np.ndarray

    @property
    def rate(self) -> float:
        return float(self.errors.sum() / max(1, self.lengths.sum()))


@dataclass(frozen=True)
class Forecast:
    """The error rate that is expected after more speech is transcribed.

    Attributes:
        more_hours: so much more.
        rate: the median. interval: in which it is with a probability of 80 %. None where it cannot be told.
        why_not: why it cannot be told, or the empty string.
    """

    more_hours: float
    rate: float | None
    interval: tuple[float, float] | None
    why_not: str = ""


def forecasts(
    trials: Sequence[Trial],
    recordings: Sequence[str],
    now: float,
    more: Sequence[float],
    seed: int = 0,
) -> list[Forecast]:
    """Return what each of some amounts of speech would bring.

    Args:
        trials: those with the most hours used all the training data.
        recordings: of each of the utterances that the trials were scored on.
        now: the error rate of the recogniser in use on the same utterances, 0…1 and above.
        more: hours of transcribed speech.
    """
    if why_not := _why_not(trials):
        return [Forecast(hours, None, None, why_not) for hours in more]
    hours = np.array([trial.hours for trial in trials])
    laws = _Laws(hours, np.array(more, dtype=float))
    rng = np.random.default_rng(seed)
    fell, drawn = laws.draws(_resampled(trials, recordings, rng), rng)
    if np.mean(fell < _FALL) < _SURE_TO_FALL:
        why_not = "the trainings do not show that more speech helps: they may have been too short to tell"
        return [Forecast(hours, None, None, why_not) for hours in more]
    ends = (1 - COVERED) / 2, 0.5, 1 - (1 - COVERED) / 2
    found = []
    for amount, (low, middle, high) in zip(more, now * np.quantile(drawn, ends, axis=0).T, strict=True):
        if high > _WIDEST * low:
            reason = f"it may be anything from {low:.1%} to {high:.1%}: more trainings or more speech would tell"
            found.append(Forecast(amount, None, None, reason))
        else:
            found.append(Forecast(amount, float(middle), (float(low), float(high))))
    return found


def _why_not(trials: Sequence[Trial]) -> str:
    if len({round(trial.hours, 4) for trial in trials}) < _FEWEST_SIZES:
        return "trainings on parts of the data were not made, or are too few"
    largest = max(trials, key=lambda trial: trial.hours)
    if not largest.lengths.sum():
        return "there is no held-out speech"
    if largest.rate > _LEARNT:
        return f"after its training {largest.rate:.0%} of the characters were still wrong: give it more time"
    return ""


def _resampled(trials: Sequence[Trial], recordings: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Return error rates [draws, trials] on recordings drawn with replacement; of few, on utterances."""
    names, group = np.unique(np.array(recordings), return_inverse=True)
    if len(names) < 4:  # a bootstrap over three recordings says little
        group = np.arange(len(recordings))
    count = int(group.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS)  # [draws, groups]
    errors = np.stack([np.bincount(group, trial.errors, count) for trial in trials])
    lengths = np.bincount(group, trials[0].lengths, count)
    # Half an error more: the logarithm of no error at all would be infinite.
    return (weights @ errors.T + 0.5) / (weights @ lengths + 1.0)[:, None]


class _Laws:
    """All laws of the grid: what they say of the trials, and of the future relative to now."""

    def __init__(self, hours: np.ndarray, more: np.ndarray):
        present = hours.max()
        grid = np.array(list(itertools.product(_EXPONENTS, _FLOORS)))
        self._exponents, self._floors = grid.T
        self.shape = np.log(self._error(hours / present))  # [laws, trials]
        self.future = self._error((present + more) / present)  # [laws, amounts], relative to now
        self.fall = 1 / self._error(np.array([hours.min() / present]))[:, 0]
        others = len(_FLOORS) - 1
        self._prior = np.log(np.where(self._floors == 0, _NO_FLOOR, (1 - _NO_FLOOR) / others))

    def _error(self, size: np.ndarray) -> np.ndarray:
        """Return the error rate relative to now, [laws, sizes], of data that is `size` times as much."""
        floors, exponents = self._floors[:, None], self._exponents[:, None]
        return floors + (1 - floors) * size[None] ** -exponents

    def draws(self, rates: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return for each draw of recordings, from one law that fits: the fall over the trials, and the future.

        Args:
            rates: [draws, trials].

        Returns:
            [draws], and [draws, amounts], both relative; the future with the noise of the trainings that it compares.
        """
        residuals = np.log(rates)[:, None, :] - self.shape[None]  # [draws, laws, trials]; of log a, flat before
        residuals -= residuals.mean(-1, keepdims=True)
        squares, freedom = np.square(residuals).sum(-1), rates.shape[1] - 1
        noises = _NOISES[None, None, :]
        fit = (
            self._prior[None, :, None] - squares[..., None] / (2 * noises**2) - (freedom - _MORE_NOISE) * np.log(noises)
        )
        fit = fit.reshape(len(rates), -1)
        chance = np.exp(fit - fit.max(1, keepdims=True))
        edges = np.cumsum(chance, 1) / chance.sum(1, keepdims=True)
        chosen = (edges < rng.random((len(rates), 1))).sum(1)
        law, noise = np.divmod(np.minimum(chosen, fit.shape[1] - 1), len(_NOISES))
        # Today's recogniser and tomorrow's each come from one training.
        spread = np.sqrt(2) * _NOISES[noise][:, None] * rng.standard_normal((len(rates), self.future.shape[1]))
        return self.fall[law], self.future[law] * np.exp(spread)
