"""HTML and SVG from values, escaped: an annotation may hold markup, scripts, or characters that reverse text."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence

from u2u_hf.visible_text import visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src data:; base-uri 'none'; form-action 'none'"
_VOID = ("input",)  # elements without an end tag
_FOR_PROGRAMS = {"value", "id", "for_", "name_", "href", "src"}
MOST_ROWS = 1000  # of a table: a longer page would not open


class Markup(str):
    """The result of `element`. Every other string is text, and is escaped when it is inserted."""

    __slots__ = ()


class OwnText(str):
    """The result of `filled`: a text of the page itself. It is escaped, but its no-break spaces are meant."""

    __slots__ = ()

    def __add__(self, other: str) -> str:
        both = super().__add__(other)
        return OwnText(both) if isinstance(other, OwnText) or not other else both


def filled(template: str, **values: object) -> OwnText:
    """Return a text of the page with values in it, in which invisible characters are spelled out.

    French has no-break spaces before colons: they are no odd characters of a corpus.

    >>> filled("{name}\\u00a0: {hours:.1f}", name="a\\u00a0", hours=2)
    'a‹U+00A0›\\xa0: 2.0'
    """
    shown = {
        name: visible(value) if isinstance(value, str) and not isinstance(value, OwnText) else value
        for name, value in values.items()
    }
    return OwnText(template.format(**shown))


def element(name: str, /, *children: str | int | None, **attributes: str | float | None) -> Markup:
    """Return an element with its children.

    Attributes are named as in HTML, with ``_`` for ``-`` and a final ``_`` after Python's keywords. None is omitted.

    >>> element("a", "x < y", href="#1", class_="far")
    '<a href="#1" class="far">x &lt; y</a>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(key, value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def _attribute(name: str, value: str | float) -> str:
    """Return an attribute's value: those for programs, which come back from the page, with each character as it is."""
    text = f"{value:g}" if isinstance(value, float) else value
    return html.escape(str(text)) if name in _FOR_PROGRAMS or name.startswith("data_") else escape(text)


def joined(*children: str | int | None) -> Markup:
    """Return children of one element, one after the other."""
    return Markup("".join(escape(child) for child in children if child is not None))


def escape(value: str | int) -> str:
    """Return text escaped for HTML, with invisible characters spelled out; markup stays as it is.

    >>> escape("a\\u00a0< b"), escape(OwnText("a\\u00a0< b"))
    ('a‹U+00A0›&lt; b', 'a\\xa0&lt; b')
    """
    if isinstance(value, Markup):
        return value
    return html.escape(value if isinstance(value, OwnText) else visible(str(value)))


def document(
    title: str,
    style: str,
    top: Iterable[Markup | None],
    sections: Iterable[tuple[str, Markup]],
    script: str = "",
) -> str:
    """Return a self-contained page.

    It loads nothing and has no script but the given one. Its content security policy forbids both, in case a text
    smuggles some in.

    Args:
        style: the style sheet.
        top: the elements above the sections.
        sections: their headings and contents.
        script: JavaScript without anything from a file in it, or empty.
    """
    policy = _POLICY
    if script:  # the policy allows the one with this digest
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy += f"; script-src 'sha256-{digest}'"
    keyed = [(heading.lower().replace(" ", "-"), heading, content) for heading, content in sections]
    head = joined(
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        element("title", title),
        element("style", Markup(style)),
    )
    body = joined(
        element("h1", title),
        element("nav", *(element("a", heading, href=f"#{key}") for key, heading, _ in keyed)),
        *top,
        *(element("section", element("h2", heading), content, id=key) for key, heading, content in keyed),
        element("script", Markup(script)) if script else None,
    )
    return f"<!doctype html>\n{element('html', element('head', head), element('body', body), lang='en')}\n"


def numbers(items: Iterable[tuple[str | int, str]]) -> Markup:
    """Return boxes, each with a number and what it counts."""
    boxes = (element("div", element("b", value), element("span", name)) for value, name in items)
    return element("div", *boxes, class_="numbers")


def listed(title: str, items: Sequence[str]) -> Markup | None:
    """Return a list under a heading; None if it is empty."""
    return titled(title, element("ul", *(element("li", item) for item in items))) if items else None


def titled(title: str, content: Markup) -> Markup | None:
    """Return `content` under a heading; None if it is empty."""
    return joined(element("h3", title), content) if content else None


def folded(title: str, content: Markup) -> Markup | None:
    """Return `content` folded below a line to click on; None if it is empty."""
    return element("details", element("summary", title), content) if content else None


def table(heads: Sequence[str], rows: Iterable[Sequence[str | int]], open_rows: int = 60) -> Markup:
    """Return a table, or empty markup if it has no rows.

    Args:
        heads: ``#`` begins the heading of a column of numbers, and ``|`` is that of a column of bars.
        open_rows: the rows after these are folded.
    """
    rows = list(rows)
    if not rows:
        return Markup("")
    classes = ["n" if head.startswith("#") else "wide" if head == "|" else None for head in heads]
    labels = [head.lstrip("#|") for head in heads]

    def body(part: Sequence[Sequence[str | int]]) -> Markup:
        lines = (
            element("tr", *(
                element("td", cell, class_=kind, data_label=label)
                for cell, kind, label in zip(row, classes, labels, strict=True)
            ))
            for row in part
        )  # fmt: skip
        whole = element("table", element("thead", element("tr", *heading)), element("tbody", *lines))
        return element("div", whole, class_="table")

    heading = [element("th", label, class_=kind, scope="col") for label, kind in zip(labels, classes, strict=True)]
    rest = rows[open_rows:MOST_ROWS]
    more = f"{len(rest)} more" + (f" of {len(rows) - open_rows:,}" if len(rows) > MOST_ROWS else "")
    return joined(body(rows[:open_rows]), folded(more, body(rest)) if rest else None)
