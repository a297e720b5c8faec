"""Values in the front matter of a card that anybody may have written."""

from __future__ import annotations


def listed(value: object) -> list[str]:
    """Return the strings of a value that is one or a list. Others are no names: YAML reads ``no`` as false."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]
