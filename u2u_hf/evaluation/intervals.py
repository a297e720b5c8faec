"""Error rates and their differences with confidence intervals by recording or speaker."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# 97.5 % quantile of Student's t distribution, by degrees of freedom from 1 on.
_T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
_NORMAL = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A rate, or a difference of two, with its 95% confidence interval; None from fewer than two groups."""

    value: float
    interval: tuple[float, float] | None


def estimate(errors: np.ndarray, lengths: np.ndarray) -> Estimate:
    """Return errors over length, with an interval for recordings (or speakers) like these.

    Utterances of a recording share its speakers, topic and microphone, so recordings are what varies. Linearised
    variance of a ratio over clusters with Student's t (Cochran 1977, Sampling Techniques, ch. 9 and 11): corpora have a
    handful of recordings, from which a bootstrap draws intervals that are far too narrow (Cameron, Gelbach and Miller
    2008).

    Args:
        errors: float or int64 [R], of each recording (or speaker); for a difference, those of one model less those of
            the other on the same utterances.
        lengths: int64 [R], the length of each recording's references, in all at least 1.
    """
    total, count = lengths.sum(), len(lengths)
    value = float(errors.sum() / total)
    if count < 2:
        return Estimate(value, None)
    residuals = errors - value * lengths
    spread = math.sqrt(count / (count - 1) * float(np.square(residuals).sum())) / float(total)
    return Estimate(value, (value - t_quantile(count - 1) * spread, value + t_quantile(count - 1) * spread))


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t distribution, to 0.1 %.

    By hand: none of the packages that we need has it, and scipy would be installed for this alone.

    >>> round(t_quantile(1), 3), round(t_quantile(30), 2), round(t_quantile(10_000), 2)
    (12.706, 2.04, 1.96)
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = _NORMAL  # Cornish and Fisher's expansion
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
