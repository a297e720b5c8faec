"""Markdown of cards, from values that may hold any character."""

from __future__ import annotations

import re
from collections.abc import Sequence

from u2u_hf.visible_text import visible

_MOST_ROWS = 300  # a longer page would not open; report.json has the rest
# On the Hub a backslash before a bracket opens a formula, and one before a letter stays: all become entities.
_ESCAPED = str.maketrans(
    {"\\": "&#92;", "&": "&amp;", "<": "&lt;", ">": "&gt;"} | {mark: f"\\{mark}" for mark in "`*_[]|~$#"}
)


def text(value: object) -> str:
    """Return `value` on one line, escaped so that Markdown and HTML show it as text."""
    return visible(one_line(str(value))).translate(_ESCAPED)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table with escaped cells; columns of numbers are aligned on the right. Empty without rows."""
    if not rows:
        return ""
    rule = ["---:" if isinstance(cell, int) else "---" for cell in rows[0]]
    lines = [heads, rule, *([text(cell) for cell in row] for row in rows[:_MOST_ROWS])]
    more = f"\n\n{len(rows) - _MOST_ROWS} more are in report.json." if len(rows) > _MOST_ROWS else ""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + more


def indented(code: str) -> str:
    """Return an indented code block, which nothing in `code` can end."""
    return "\n".join(f"    {line}" for line in code.splitlines())


def one_line(value: str) -> str:
    """Return `value` with a single space for every run of white space."""
    return re.sub(r"\s+", " ", value).strip()
