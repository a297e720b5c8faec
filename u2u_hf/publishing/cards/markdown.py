"""Markdown of cards, from values that may hold anything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from u2u_hf.reports.characters import visible

_MOST_ROWS = 300  # a page of everything would not open; the rest is in report.json
# A backslash before a bracket would open a formula on the Hub, and one before a letter stay: all are spelled out.
_ESCAPED = str.maketrans(
    {"\\": "&#92;", "&": "&amp;", "<": "&lt;", ">": "&gt;"} | {mark: f"\\{mark}" for mark in "`*_[]|~$#"}
)


def text(value: object) -> str:
    """`value` on one line, so that neither Markdown nor HTML takes it for anything but text."""
    return visible(one_line(str(value))).translate(_ESCAPED)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, its cells escaped; numbers stand on the right."""
    if not rows:
        return ""
    rule = ["---:" if isinstance(cell, int) else "---" for cell in rows[0]]
    lines = [heads, rule, *([text(cell) for cell in row] for row in rows[:_MOST_ROWS])]
    more = f"\n\n{len(rows) - _MOST_ROWS} more are in report.json." if len(rows) > _MOST_ROWS else ""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + more


def indented(code: str) -> str:
    """As a block of code that nothing in it can end."""
    return "\n".join(f"    {line}" for line in code.splitlines())


def one_line(value: str) -> str:
    """`value` with single spaces for every stretch of white space."""
    return re.sub(r"\s+", " ", value).strip()
