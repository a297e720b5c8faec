import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.formats.textgrid import read_textgrid, write_textgrid
from u2u_hf.records import Annotation, Tier, U2UError

# What every form of the file below holds: two interval tiers and a point tier, of 2.5 s.
MARY, JOHN, BELL = 'Mary "M" ñ', "约翰 𐐀", "bell"
TRUTH = [
    (MARY, [(500, 1250, 'ña¹ dijo "ab"'), (1250, 2500, "dos\nlíneas ! no")]),
    (JOHN, []),
    (BELL, [(0, 0, "¡"), (2250, 2250, "")]),
]

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "Mary ""M"" ñ"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.25
            text = "ña¹ dijo ""ab\"""
        intervals [3]:
            xmin = 1.25
            xmax = 2.5
            text = "dos
líneas ! no"
    item [2]:
        class = "IntervalTier"
        name = "约翰 𐐀"
        xmin = 0
        xmax = 2.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "  "
    item [3]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 2.5
        points: size = 2
        points [1]:
            number = 1e-05
            mark = "¡"
        points [2]:
            number = 2.25
            mark = ""
"""

SHORT = """File type = "ooTextFile short"
"TextGrid"

0
2.5
<exists>
3
"IntervalTier"
"Mary ""M"" ñ"
0
2.5
3
0
0.5
""
0.5
1.25
"ña¹ dijo ""ab\"""
1.25
2.5
"dos
líneas ! no"
"IntervalTier"
"约翰 𐐀"
0
2.5
1
0
2.5
"  "
"TextTier"
"bell"
0
2.5
2
1e-05
"¡"
2.25
""
"""

# The same again as the manual allows it: comments, several things on a line.
CUSTOM = """File type = "ooTextFile"
Object class = "TextGrid"
! 12 "not a text" <exists>
0 +2.50 <exists> 3 tiers
"IntervalTier" "Mary ""M"" ñ" 0 2.5 3 intervals ! 99
0 5e-1 "" from 0.5 to 125e-2 "ña¹ dijo ""ab\"""
1.25 2.5 "dos
líneas ! no"
"IntervalTier" "约翰 𐐀" 0 2.5 1 0 2.5 "  " "TextTier" "bell" 0 2.5 2 0.00001 "¡" 2.25 ""
"""


def binary_text(text):
    if text.isascii():
        return struct.pack(">H", len(text)) + text.encode("ascii")
    return struct.pack(">HH", 0xFFFF, len(text)) + text.encode("utf-16-be")


def binary_class(name):
    return bytes([len(name)]) + name.encode("ascii")


def in_binary():
    seconds = lambda *times: struct.pack(f">{len(times)}d", *times)  # noqa: E731
    count = lambda number: struct.pack(">i", number)  # noqa: E731
    parts = [b"ooBinaryFile", binary_class("TextGrid"), seconds(0, 2.5), b"\x01", count(3)]
    parts += [binary_class("IntervalTier"), binary_text(MARY), seconds(0, 2.5), count(3)]
    parts += [seconds(0, 0.5), binary_text(""), seconds(0.5, 1.25), binary_text('ña¹ dijo "ab"')]
    parts += [seconds(1.25, 2.5), binary_text("dos\nlíneas ! no")]
    parts += [binary_class("IntervalTier"), binary_text(JOHN), seconds(0, 2.5), count(1), seconds(0, 2.5)]
    parts += [binary_text("  "), binary_class("TextTier"), binary_text(BELL), seconds(0, 2.5), count(2)]
    parts += [seconds(1e-5), binary_text("¡"), seconds(2.25), binary_text("")]
    return b"".join(parts)


FORMS = {
    "long": LONG.encode(),
    "long, Windows lines, byte order mark": LONG.replace("\n", "\r\n").encode("utf-8-sig"),
    "long, old Macintosh lines": LONG.replace("\n", "\r").encode(),
    "long, UTF-16 LE": b"\xff\xfe" + LONG.encode("utf-16-le"),
    "long, UTF-16 BE": b"\xfe\xff" + LONG.encode("utf-16-be"),
    "short": SHORT.encode(),
    "short, UTF-16 LE": b"\xff\xfe" + SHORT.replace("\n", "\r\n").encode("utf-16-le"),
    "custom": CUSTOM.encode(),
    "custom, nothing after the last quote": CUSTOM.strip().encode(),
    "binary": in_binary(),
}


def read(folder, data):
    path = folder / "a.TextGrid"
    path.write_bytes(data)
    return read_textgrid(path)


def spans(document):
    return [(t.name, [(a.start_ms, a.end_ms, a.value) for a in t.annotations]) for t in document.tiers]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_file_reads_the_same(form, tmp_path):
    document = read(tmp_path, FORMS[form])
    assert spans(document) == TRUTH
    assert document.path == str(tmp_path / "a.TextGrid")
    assert document.media == ()


def one_tier(text, start="0", end="1"):
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n0 1 <exists> 1'
    return f'{head} "IntervalTier" "t" 0 1 1\n{start} {end} "{text}"\n'


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (one_tier("niña ¿qué?").encode("latin-1"), "niña ¿qué?"),
        (one_tier("“sí” – no").encode("cp1252"), "“sí” – no"),
        (one_tier("a\x81ñ").encode("latin-1"), "a\x81ñ"),  # cp1252 has no 0x81
        (one_tier("x\u2028y\x85z").encode(), "x\u2028y\x85z"),  # line ends to Python, not to Praat
        (one_tier("a" * 200_000).encode(), "a" * 200_000),
    ],
)
def test_text_in_other_encodings(data, text, tmp_path):
    assert [a.value for a in read(tmp_path, data).tiers[0].annotations] == [text]


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("0.0004999", "0.0005001", (0, 1)),
        ("1.2345", "3600.0015", (1234, 3600002)),
        ("-0.25", "+1.5e1", (-250, 15000)),
        ("1e-05", "1E+2", (0, 100_000)),
        ("2.", "03", (2000, 3000)),
    ],
)
def test_times(start, end, span, tmp_path):
    (annotation,) = read(tmp_path, one_tier("a", start, end).encode()).tiers[0].annotations
    assert (annotation.start_ms, annotation.end_ms) == span


def test_annotations_come_in_order_of_time_and_tiers_of_one_name_are_told_apart(tmp_path):
    tiers = '"IntervalTier" "t" 0 9 2 5 6 "b" 1 2 "a" "IntervalTier" "t" 0 9 0'
    document = read(tmp_path, f'"ooTextFile" "TextGrid" 0 9 <exists> 2 {tiers}'.encode())
    assert spans(document) == [("t", [(1000, 2000, "a"), (5000, 6000, "b")]), ("t (2)", [])]


@pytest.mark.parametrize("form", ["long", "short", "custom"])
def test_counts_that_are_too_small_lose_nothing(form, tmp_path):
    fewer = FORMS[form].decode()
    for right, wrong in {
        "size = 3\nitem": "size = 1\nitem", "<exists>\n3": "<exists>\n1", "<exists> 3": "<exists> 0",
        "intervals: size = 3": "intervals: size = 1", "2.5\n3\n0": "2.5\n0\n0", "2.5 3 intervals": "2.5 2 intervals",
        "points: size = 2": "points: size = 0", "2.5\n2\n1e-05": "2.5\n1\n1e-05", "2.5 2 0.00001": "2.5 1 0.00001",
    }.items():  # fmt: skip
        fewer = fewer.replace(right, wrong)
    assert fewer != FORMS[form].decode()
    assert spans(read(tmp_path, fewer.encode())) == TRUTH


def test_many_more_intervals_than_counted(tmp_path):
    rows = " ".join(f'{i} {i + 1} "a"' for i in range(50_000))
    document = read(tmp_path, f'"ooTextFile" "TextGrid" 0 9 <exists> 1 "IntervalTier" "t" 0 9 1 {rows}'.encode())
    assert len(document.tiers[0].annotations) == 50_000


def test_texts_are_as_praat_shows_them_and_names_as_in_the_file(tmp_path):
    data = one_tier(r"sa\ngi tu\gf\:f k\sw \bs \zz").replace('"t"', r'"t\ng"').encode()
    assert spans(read(tmp_path, data)) == [(r"t\ng", [(0, 1000, "saŋi tuɣː kə \\ \\zz")])]


def test_the_domain_is_that_of_the_file(tmp_path):
    assert read(tmp_path, b'"ooTextFile" "TextGrid" 10.5 20 <exists> 0').domain_ms == (10_500, 20_000)


def test_a_textgrid_without_tiers(tmp_path):
    assert read(tmp_path, b'"ooTextFile" "TextGrid" 0 1 <absent>').tiers == ()
    assert read(tmp_path, b'"ooTextFile" "TextGrid" 0 1 <exists> 0').tiers == ()


HEAD = '"ooTextFile"\n"TextGrid"\n0 1 <exists>\n'
BINARY_HEAD = b"ooBinaryFile\x08TextGrid" + struct.pack(">dd", 0, 1) + b"\x01"
BINARY_TIER = BINARY_HEAD + struct.pack(">i", 1) + b"\x0cIntervalTier\x00\x01t" + struct.pack(">dd", 0, 1)
BAD = {
    "0 bytes": (b"", "is empty (0 bytes)"),
    "white space": (b" \n\n", "line 1: is not a TextGrid saved as text file"),
    "binary garbage": (bytes(range(256)) * 9, "is not a text file"),
    "garbage without NUL": (bytes(range(128, 256)) * 9, "line 1: is not a TextGrid saved as text file"),
    "UTF-16 cut in a character": (b"\xff\xfe" + LONG.encode("utf-16-le")[:-1], "is not a text file"),
    "another kind of text": (b"<?xml version='1.0'?>", "line 1: is not a TextGrid saved as text file"),
    "chronological": (b'"Praat chronological TextGrid text file"\n0 1', "line 1: is not a TextGrid saved as text file"),
    "another object": (b'File type = "ooTextFile"\nObject class = "PitchTier"', "line 2: holds a 'PitchTier'"),
    "several objects": (b'File type = "ooTextFile"\nObject class = "Collection"', "holds a 'Collection'"),
    "cut in a number's place": (LONG[: LONG.index("1.25")].encode(), "line 21: the file ends where a time in s"),
    "cut in a quote": (LONG[: LONG.index("líneas")].encode(), "line 26: a text in quotes has no end"),
    "quotes not doubled": (one_tier('dijo "ab" y').encode(), "line 4: a text in quotes has no end; quotes inside"),
    "a time that is none": (
        one_tier("a", "0,5").encode(),
        "line 4: expected a time in seconds, found '0,5'",
    ),
    "a word for a time": (one_tier("a", "--undefined--").encode(), "found '--undefined--'"),
    "a text for a time": (one_tier("a", '"0"').encode(), "found '\"0\"'"),
    "a number for a text": ((HEAD + "1 5").encode(), "line 4: expected a text in quotes, found '5'"),
    "infinite": (one_tier("a", "0", "1e999").encode(), "line 4: inf is not a time"),
    "huge": (one_tier("a", "0", "9" * 300).encode(), "is not a time"),
    "end before start": (one_tier("a", "0.75", "0.5").encode(), "line 4: tier 't': an interval starts at 0.75 s and"),
    "unknown tier": ((HEAD + '1 "PitchTier" "p"').encode(), "line 4: 'PitchTier' is not a kind of tier"),
    "many tiers": ((HEAD + "2000000000").encode(), "line 4: the file ends where a text in quotes should be"),
    "many intervals": ((HEAD + '1 "IntervalTier" "t" 0 1 2000000000').encode(), "line 4: the file ends where a time"),
    "more than can be counted": ((HEAD + "9" * 300).encode(), "line 4: the file ends where"),
    "beyond a float": ((HEAD + "1e999").encode(), "line 4: inf is not a count"),
    "-1 tiers": ((HEAD + "-1").encode(), "line 4: -1.0 is not a count"),
    "half a tier": ((HEAD + "0.5").encode(), "line 4: 0.5 is not a count"),
    "binary, only the word": (b"ooBinaryFile", "byte 12: the file ends too early"),
    "binary, another object": (b"ooBinaryFile\x05Sound", "byte 18: holds a 'Sound'"),
    "binary, many tiers": (BINARY_HEAD + struct.pack(">i", 2**31 - 1), "byte 42: the file ends too early"),
    "binary, -1 tiers": (BINARY_HEAD + struct.pack(">i", -1), "byte 42: -1 is not a count"),
    "binary, many intervals": (BINARY_TIER + struct.pack(">i", 2**31 - 1), "the file ends too early"),
    "binary, no number": (BINARY_TIER + struct.pack(">idd", 1, 0, float("nan")), "nan is not a time"),
    "binary, broken UTF-16": (
        BINARY_TIER + struct.pack(">idd", 1, 0, 1) + b"\xff\xff\x00\x01\xdc\x00",
        "a text is not UTF-16",
    ),
    "binary, cut in a text": (BINARY_TIER + struct.pack(">idd", 1, 0, 1) + b"\x00\x09abc", "ends too early"),
}


@pytest.mark.parametrize("case", BAD)
def test_damage_is_told_in_one_line_with_the_place(case, tmp_path):
    data, message = BAD[case]
    with pytest.raises(U2UError) as caught:
        read(tmp_path, data)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'a.TextGrid'}: ")
    assert message in said
    assert "\n" not in said


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(U2UError, match=r"gone\.TextGrid: there is no such file"):
        read_textgrid(tmp_path / "gone.TextGrid")
    with pytest.raises(U2UError, match="is not a regular file but a folder"):
        read_textgrid(tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_anywhere_is_refused(form, tmp_path):
    """Up to its last needed byte: nothing is read from a part of a file."""
    data = FORMS[form]
    last = len(data) - 1 if form == "binary" else data.rindex(b'"')
    for cut in (*range(0, last, 7), last):
        with pytest.raises(U2UError):
            read(tmp_path, data[:cut])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_whatever_the_bytes_either_a_document_or_one_error(tmp_path_factory, form, data):
    whole = bytearray(FORMS[form])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    tiers, said = (), ""
    try:
        tiers = read(tmp_path_factory.getbasetemp(), bytes(whole)).tiers
    except U2UError as error:
        said = str(error)
    assert not (tiers and said)
    assert "\n" not in said
    assert all(a.start_ms <= a.end_ms for tier in tiers for a in tier.annotations)


# Writing


def test_what_is_written_is_praats_long_format(tmp_path):
    tiers = [Tier('a "b"', (Annotation(250, 1000, 'ñ "x"'), Annotation(1000, 1250, "线"))), Tier("empty", ())]
    write_textgrid(tmp_path / "a.TextGrid", tiers, 1250)
    lines = [line.strip() for line in (tmp_path / "a.TextGrid").read_text(encoding="utf-8").splitlines()]
    assert (
        lines
        == """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0.000000
xmax = 1.250000
tiers? <exists>
size = 2
item []:
item [1]:
class = "IntervalTier"
name = "a ""b\"""
xmin = 0.000000
xmax = 1.250000
intervals: size = 3
intervals [1]:
xmin = 0.000000
xmax = 0.250000
text = ""
intervals [2]:
xmin = 0.250000
xmax = 1.000000
text = "ñ ""x\"""
intervals [3]:
xmin = 1.000000
xmax = 1.250000
text = "线"
item [2]:
class = "IntervalTier"
name = "empty"
xmin = 0.000000
xmax = 1.250000
intervals: size = 1
intervals [1]:
xmin = 0.000000
xmax = 1.250000
text = \"\"""".split("\n")
    )


def test_without_tiers_an_empty_one_is_written(tmp_path):
    write_textgrid(tmp_path / "a.TextGrid", [], 1000)
    assert spans(read_textgrid(tmp_path / "a.TextGrid")) == [("transcript", [])]


def test_the_grid_reaches_to_the_last_annotation(tmp_path):
    write_textgrid(tmp_path / "a.TextGrid", [Tier("t", (Annotation(0, 1003, "a"),)), Tier("u", ())], 1000)
    text = (tmp_path / "a.TextGrid").read_text(encoding="utf-8")
    assert text.count("xmax = 1.003000") == text.count("xmax = ") == 5


def test_what_no_text_file_can_hold_is_marked(tmp_path):
    write_textgrid(tmp_path / "a.TextGrid", [Tier("t\udcf1", (Annotation(0, 9, "a\0b"),))], 9)
    assert spans(read_textgrid(tmp_path / "a.TextGrid")) == [("t\ufffd", [(0, 9, "a\ufffdb")])]


@pytest.mark.parametrize("bad", [[(0, 2), (1, 3)], [(1, 1)], [(2, 1)], [(-1, 1)], [(3, 4), (1, 2)]])
def test_annotations_that_no_tier_can_hold(bad, tmp_path):
    with pytest.raises(ValueError, match="tier 't': Annotation"):
        write_textgrid(tmp_path / "a.TextGrid", [Tier("t", tuple(Annotation(*span, "a") for span in bad))], 9)
    assert not list(tmp_path.iterdir())


labels = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"))


@st.composite
def tiers_of_intervals(draw):
    cuts = sorted(draw(st.sets(st.integers(0, 10**8), max_size=12)))
    pairs = list(itertools.pairwise(cuts))  # touching each other; those left out are gaps
    kept = [pair for pair in pairs if draw(st.booleans())]
    texts = labels.filter(str.strip)
    return Tier(draw(labels), tuple(Annotation(*pair, draw(texts)) for pair in kept))


@settings(max_examples=150, deadline=None)
@given(st.lists(tiers_of_intervals(), min_size=1, max_size=3, unique_by=lambda t: t.name), st.integers(0, 10**8))
def test_what_is_written_is_read_back(tmp_path_factory, tiers, duration_ms):
    path = tmp_path_factory.getbasetemp() / "round.TextGrid"
    write_textgrid(path, tiers, duration_ms)
    assert read_textgrid(path).tiers == tuple(tiers)
