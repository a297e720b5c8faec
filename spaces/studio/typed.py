"""What a person typed into a form, as its tab sends it."""

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]
_MOST = 4000  # characters of one field


def text_of(values: Values, name: str) -> str:
    """Return what is in a field; the empty string if there is no such field."""
    value = values.get(name, "")
    return value[:_MOST] if isinstance(value, str) else ""
