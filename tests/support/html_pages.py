"""Hold HTML that our reports write to what they promise."""

import re
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "input"}
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><iframe src=http://evil.example>",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    '<a href="javascript:alert(1)">x</a>',
    "\u202eabc\u2066",
    "\x1b[31mred",
    "\0",
]


class Page(HTMLParser):
    """Parses strictly: every tag closed in order. Keeps tags, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], Counter(), [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, key, value) for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def harmless(text):
    """Parse a page, and hold it to what report.html promises: no script, nothing loaded, nothing sent."""
    found = Page(text)
    assert not {"script", "img", "iframe", "link", "object", "embed", "form", "base"} & set(found.tags)
    for tag, key, value in found.attributes:
        assert not key.startswith("on"), (tag, key)
        assert key not in ("src", "srcset", "xlink:href", "style", "action"), (tag, key)
        if key == "href":
            assert value.startswith("#")
    assert "url(" not in text
    assert "@import" not in text
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert not re.search("https?:", style)
    return found
