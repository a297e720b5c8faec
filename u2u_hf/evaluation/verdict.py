"""Verdicts on a character error rate: what drafts of a recogniser with this rate are worth. Standard library only."""

from __future__ import annotations

# Upper limit of the character error rate → what a draft is worth. README's table has the same limits, and its sources.
_VERDICTS = (
    (0.1, "a draft that is quick to correct"),
    (0.2, "correcting is faster than typing"),
    (0.4, "correcting takes about as long as typing"),
)
_WORST = "not useful yet: transcribe more, or check the data"
# From here on two of five characters are wrong: finding and changing them takes longer than typing the text.
_USEFUL_BELOW = _VERDICTS[-1][0]
# Cards of other programs may give per cent; a recogniser that writes more wrong characters than this is none.
_MOST = 2.0


def verdict(cer: float) -> str:
    """Return what drafts with this character error rate (0…1 and above) are worth to those who correct them.

    >>> verdict(0.15)
    'correcting is faster than typing'
    """
    return next((words for limit, words in _VERDICTS if cer < limit), _WORST)


def is_useful(cer: float) -> bool:
    """Return whether correcting drafts with this character error rate takes no longer than typing."""
    return cer < _USEFUL_BELOW


def is_rate(value: object) -> bool:
    """Return whether a value from a file can be an error rate (0…1 and somewhat above): a number, not per cent."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST


def warning(cer: float, measured_on: str) -> str:
    """Return one sentence against using a recogniser that is not useful, or the empty string for a useful one.

    Args:
        measured_on: the split or dataset.

    >>> warning(0.76, "test")
    'This model is not useful yet: with a CER of 76.0% (test), correcting its drafts takes longer than typing.'
    """
    if is_useful(cer):
        return ""
    found = f"with a CER of {cer:.1%} ({measured_on}), correcting its drafts takes longer than typing"
    return f"This model is not useful yet: {found}."
