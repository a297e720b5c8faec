from support.html_pages import Page

from u2u_hf.reports.html import element, filled, table


def test_what_goes_into_an_element_is_escaped():
    assert element("a", "x < y", href='"#1"', class_="far") == '<a href="&quot;#1&quot;" class="far">x &lt; y</a>'
    assert element("td", element("b", "&"), 3, None, data_label="n") == '<td data-label="n"><b>&amp;</b>3</td>'
    assert element("p", "a\u200db\0") == "<p>a‹U+200D›b‹U+0000›</p>"


def test_long_tables_are_folded_and_cut():
    found = Page(table(("a", "#b"), [(str(i), i) for i in range(1500)], open_rows=10))
    assert found.tags["details"] == 1
    assert found.tags["tr"] == 2 + 1000
    assert "990 more of 1,490" in "".join(found.text)
    assert table(("a",), []) == ""


def test_no_break_spaces_are_shown_of_texts_of_the_page_only():
    """French has one before a colon; in a corpus it is an odd character."""
    text = filled("{name}\u00a0: {count:,}\u00a0<b>", name="a\u00a0<i>", count=1234)
    assert element("p", text) == "<p>a‹U+00A0›&lt;i&gt;\u00a0: 1,234\u00a0&lt;b&gt;</p>"
    assert element("p", text + filled("\u00a0!")) == element("p", text).replace("</p>", "\u00a0!</p>")
    assert "‹U+00A0›: 1,234‹U+00A0›" in element("p", text + "\u00a0?")
    assert filled("{text}", text=text) == text
