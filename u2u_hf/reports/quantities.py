"""Times and lengths as a person reads them."""

from __future__ import annotations


def length(hours: float) -> str:
    """Return a length with its unit: ``4.2 min``, ``3.1 h``."""
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


def elan_time(ms: int) -> str:
    """Return a time as ELAN shows it, ``00:01:02.345``; negative before the beginning."""
    seconds, rest = divmod(abs(ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{'-' * (ms < 0)}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{rest:03d}"
