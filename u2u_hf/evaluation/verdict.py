"""Verdicts on a character error rate: what drafts of a recogniser with this rate are worth. Standard library only."""

from __future__ import annotations

# Upper limit of the character error rate → how a draft is to correct. README's table has the same limits, and its
# sources. From the last one on two of five characters are wrong: finding and changing them takes longer than typing.
_LIMITS = ((0.1, "quick"), (0.2, "faster"), (0.4, "same"))
_USEFUL_BELOW = _LIMITS[-1][0]
_WORST = "slower"
_VERDICTS = {
    "quick": "a draft that is quick to correct",
    "faster": "correcting is faster than typing",
    "same": "correcting takes about as long as typing",
    _WORST: "not useful yet: transcribe more, or check the data",
}
# Cards of other programs may give per cent; a recogniser that writes more wrong characters than this is none.
_MOST = 2.0


def grade(cer: float) -> str:
    """Return how correcting drafts with this character error rate (0…1 and above) compares with typing.

    >>> grade(0.05), grade(0.15), grade(0.3), grade(0.4)
    ('quick', 'faster', 'same', 'slower')
    """
    return next((name for limit, name in _LIMITS if cer < limit), _WORST)


def verdict(cer: float) -> str:
    """Return what drafts with this character error rate (0…1 and above) are worth to those who correct them.

    >>> verdict(0.15)
    'correcting is faster than typing'
    """
    return _VERDICTS[grade(cer)]


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
