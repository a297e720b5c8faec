"""Texts of other people's files, safe to print: what cannot be seen in them is spelled out.

Names of files, tiers and speakers may hold characters that command a terminal, forge lines or turn its text around.
"""

from __future__ import annotations

import unicodedata


def code_point(character: str) -> str:
    """Return the code point in Unicode's notation: ``U+0061``."""
    return f"U+{ord(character):04X}"


def invisible(character: str) -> bool:
    """Return whether it cannot be seen: spaces except the plain one, joiners, soft hyphen, BOM, controls."""
    return (
        (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp") and character != " ")
        or character in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
        or "\ufe00" <= character <= "\ufe0f"
    )


def visible(text: str) -> str:
    """Return `text` with its invisible characters spelled out, line ends too: ``a‹U+200D›b``."""
    if text.isascii() and text.isprintable():  # most names are: a report of thousands of tiers takes half of the time
        return text
    return "".join(f"‹{code_point(c)}›" if invisible(c) else c for c in text)


def visible_lines(text: str) -> str:
    """Return `text` with the same spelled out in each line; its line ends stay.

    >>> visible_lines("a\\x1b[2J\\nb\\n")
    'a‹U+001B›[2J\\nb\\n'
    """
    return "\n".join(map(visible, text.split("\n")))
