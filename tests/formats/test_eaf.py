import errno
import functools
import itertools
import os
import random
import re
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.eaf_text import aligned, document, referring, slots, tier

from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.records import Annotation, Media, Tier, U2UError


@pytest.fixture
def read(tmp_path):
    """Text or bytes of an .eaf → the document."""

    def read(content):
        path = tmp_path / "in.eaf"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_eaf(path)

    return read


def rows(doc, name):
    [found] = [t for t in doc.tiers if t.name == name]
    return [(a.start_ms, a.end_ms, a.value) for a in found.annotations]


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.7", "2.8", "3.0"])
def test_versions(read, version):
    doc = read(
        document(
            slots(ts1=890, ts2=2960),
            tier("Phrase", aligned("a1", "ts1", "ts2", "dining ayoku"), PARTICIPANT=" SL ", ANNOTATOR="DK"),
            '<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>',
            version=version,
        )
    )
    assert doc.tiers == (
        Tier("Phrase", (Annotation(890, 2960, "dining ayoku"),), "default-lt", participant="SL", annotator="DK"),
    )
    assert doc.media == ()


def test_annotations_come_in_order_of_time_and_tiers_in_order_of_the_file(read):
    doc = read(
        document(
            slots(ts1=0, ts2=500, ts3=900),
            tier("z", aligned("a1", "ts2", "ts3", "second"), aligned("a2", "ts1", "ts2", "first")),
            tier("a", aligned("a3", "ts1", "ts3", "both")),
        )
    )
    assert [t.name for t in doc.tiers] == ["z", "a"]
    assert rows(doc, "z") == [(0, 500, "first"), (500, 900, "second")]


def test_symbolic_association_has_the_parents_time_to_any_depth(read):
    doc = read(
        document(
            slots(ts1=1000, ts2=2000, ts3=1100, ts4=1400),
            tier("c", referring("a4", "a3", "gloss"), PARENT_REF="b"),  # before its parents in the file
            tier("b", referring("a3", "a2", "note"), PARENT_REF="word"),
            tier("utterance", aligned("a1", "ts1", "ts2", "u")),
            tier("word", aligned("a2", "ts3", "ts4", "w"), PARENT_REF="utterance"),  # Included_In
        )
    )
    assert rows(doc, "utterance") == [(1000, 2000, "u")]
    assert [rows(doc, name) for name in ("word", "b", "c")] == [
        [(1100, 1400, "w")],
        [(1100, 1400, "note")],
        [(1100, 1400, "gloss")],
    ]
    assert {t.name: t.parent for t in doc.tiers} == {"utterance": "", "word": "utterance", "b": "word", "c": "b"}


def test_symbolic_subdivision_shares_the_parents_time_in_order_of_the_chain(read):
    doc = read(
        document(
            slots(ts1=100, ts2=1100, ts3=2000),
            tier("phrase", aligned("a1", "ts1", "ts2", "p"), aligned("a2", "ts2", "ts3", "q")),
            tier(
                "word",
                referring("a13", "a1", "three", previous="a12"),
                referring("a11", "a1", "one"),
                referring("a12", "a1", "two", previous="a11"),
                referring("a21", "a2", "alone"),
            ),
            tier("morph", referring("a31", "a12", "m"), referring("a32", "a12", "n", previous="a31")),
        )
    )
    # 1000 ms in three: 333 and a third each, rounded down; the second of them in two.
    assert rows(doc, "word") == [(100, 433, "one"), (433, 766, "two"), (766, 1100, "three"), (1100, 2000, "alone")]
    assert rows(doc, "morph") == [(433, 599, "m"), (599, 766, "n")]


@pytest.mark.parametrize("previous", ["nowhere", "a12", "a1"])
def test_a_broken_chain_leaves_the_order_of_the_file(read, previous):
    children = [referring("a11", "a1", "one"), referring("a12", "a1", "two", previous=previous)]
    doc = read(document(slots(ts1=0, ts2=100), tier("t", aligned("a1", "ts1", "ts2")), tier("w", *children)))
    assert rows(doc, "w") == [(0, 50, "one"), (50, 100, "two")]


def test_time_subdivision_puts_untimed_slots_at_equal_shares(read):
    doc = read(
        document(
            slots(ts1=1000, ts2=None, ts3=None, ts4=1600, ts5=None, ts6=2600),
            tier("phrase", aligned("a1", "ts1", "ts6", "p")),
            tier(
                "word",
                aligned("a5", "ts4", "ts5", "d"),
                aligned("a2", "ts1", "ts2", "a"),
                aligned("a3", "ts2", "ts3", "b"),
                aligned("a4", "ts3", "ts4", "c"),
                aligned("a6", "ts5", "ts6", "e"),
                PARENT_REF="phrase",
            ),
        )
    )
    # 600 ms in three, then 1000 ms in two.
    expected = [(1000, 1200, "a"), (1200, 1400, "b"), (1400, 1600, "c"), (1600, 2100, "d"), (2100, 2600, "e")]
    assert rows(doc, "word") == expected


def test_time_subdivision_within_an_untimed_stretch(read):
    doc = read(
        document(
            slots(ts1=0, ts2=None, ts3=None, ts4=None, ts5=900),
            # The lowest tier stands first: its slots can only be known after those of its parents.
            tier("sound", aligned("a8", "ts2", "ts4", "s"), aligned("a9", "ts4", "ts3", "t"), PARENT_REF="syllable"),
            tier("phrase", aligned("a1", "ts1", "ts5", "p")),
            tier(
                "syllable",
                aligned("a2", "ts1", "ts2", "x"),
                aligned("a3", "ts2", "ts3", "y"),
                aligned("a4", "ts3", "ts5", "z"),
                PARENT_REF="phrase",
            ),
            tier("label", referring("a10", "a9", "l"), PARENT_REF="sound"),
        )
    )
    assert rows(doc, "syllable") == [(0, 300, "x"), (300, 600, "y"), (600, 900, "z")]
    assert rows(doc, "sound") == [(300, 450, "s"), (450, 600, "t")]
    assert rows(doc, "label") == [(450, 600, "l")]


def test_media(read):
    header = """<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Ana%20L/v.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./v.mp4"/>
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/a.wav" MIME_TYPE="audio/x-wav" TIME_ORIGIN="1500" EXTRACTED_FROM="x"/>
        <MEDIA_DESCRIPTOR MEDIA_URL="" MIME_TYPE="" RELATIVE_MEDIA_URL="" TIME_ORIGIN="-20"/>
        <LINKED_FILE_DESCRIPTOR LINK_URL="file:///C:/a.txt" MIME_TYPE="text/plain"/>
        <PROPERTY>a property without a name</PROPERTY>
        </HEADER>"""
    assert read(document(slots(), header=header)).media == (
        Media(("file:///C:/Ana%20L/v.mp4", "./v.mp4")),
        Media(("file:///C:/a.wav",), 1500),
        Media((), -20),
    )


@pytest.mark.parametrize(("written", "origin_ms"), [("", 0), ("  ", 0), ("\t12 ", 12)])
def test_an_origin_of_blanks(read, written, origin_ms):
    header = f'<HEADER><MEDIA_DESCRIPTOR MEDIA_URL="a.wav" TIME_ORIGIN="{written}"/></HEADER>'
    assert read(document(slots(), header=header)).media == (Media(("a.wav",), origin_ms),)


@pytest.mark.parametrize(
    ("units", "span"),
    [
        ("milliseconds", (25, 300)),
        (" Milliseconds", (25, 300)),
        ("", (25, 300)),
        ("PAL-frames", (1000, 12_000)),
        ("NTSC-frames", (834, 10_010)),  # 29.97 a second
    ],
)
def test_times_in_frames_of_a_video(read, units, span):
    text = document(slots(ts1=25, ts2=300), ONE, header=f'<HEADER TIME_UNITS="{units}"/>')
    [annotation] = read(text).tiers[0].annotations
    assert (annotation.start_ms, annotation.end_ms) == span


@pytest.mark.parametrize("names", [("begin", "end"), ("x1", "x-1"), ("1", "2"), ("ts٣", "ß"), ("a1", "a2")])
def test_ids_of_any_form(read, names):
    first, second = names
    parent, child = "A_final", "Z"
    doc = read(
        document(
            f'<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="{first}" TIME_VALUE="5"/>'
            f'<TIME_SLOT TIME_SLOT_ID="{second}" TIME_VALUE="7"/></TIME_ORDER>',
            tier("t", aligned(parent, first, second, "x")),
            tier("u", referring(child, parent, "y")),
        )
    )
    assert rows(doc, "t") == [(5, 7, "x")]
    assert rows(doc, "u") == [(5, 7, "y")]


def test_what_is_no_matter_to_us_does_not_disturb(read):
    value = "<DESCRIPTION>d</DESCRIPTION><ANNOTATION_VALUE>v</ANNOTATION_VALUE>"
    doc = read(
        document(
            "<LICENSE>without a URL</LICENSE>",
            slots(ts1=0, ts2=10, ts3=20),
            "<!-- a comment --><?pi x?>",
            tier(
                "t",
                '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2" '
                f'CVE_REF="cveid0" EXT_REF="er1" LANG_REF="yol" SVG_REF="s">{value}</ALIGNABLE_ANNOTATION>'
                "</ANNOTATION>",
                aligned("a2", "ts2", "ts3", more=' CVE_REF="cveid1"'),
                LANG_REF="yol",
                EXT_REF="er1",
                DEFAULT_LOCALE="es",
            ),
            '<LANGUAGE LANG_DEF="http://cdb.iso.org/lg/CDB-00138502-001" LANG_ID="yol" LANG_LABEL="Yol"/>',
            '<CONTROLLED_VOCABULARY CV_ID="cv"><DESCRIPTION LANG_REF="yol"/><CV_ENTRY_ML CVE_ID="cveid0">'
            '<CVE_VALUE LANG_REF="yol">v</CVE_VALUE></CV_ENTRY_ML></CONTROLLED_VOCABULARY>',
            '<CONTROLLED_VOCABULARY CV_ID="old" DESCRIPTION="of 2.7"><CV_ENTRY DESCRIPTION="">v</CV_ENTRY>'
            "</CONTROLLED_VOCABULARY><CV_ENTRY/><LOCALE/><CONSTRAINT/><LINGUISTIC_TYPE/>",
            '<REF_LINK_SET LINK_SET_ID="r"><CROSS_REF_LINK REF1="a1" REF2="a2" REF_LINK_ID="rl"/></REF_LINK_SET>',
            '<EXTERNAL_REF EXT_REF_ID="er1" TYPE="iso12620" VALUE="x"/>',
        )
    )
    assert rows(doc, "t") == [(0, 10, "v"), (10, 20, "")]
    assert doc.tiers[0].language == "yol"


def test_no_header_and_no_schema_location(read):
    content = document(slots(ts1=0, ts2=9), tier("t", aligned("a1", "ts1", "ts2", "x")), schema=False, header="")
    assert rows(read(content), "t") == [(0, 9, "x")]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", ""),
        ("<![CDATA[a < b & c]]>", "a < b & c"),
        ("a &lt;i&gt;b&lt;/i&gt; &#233;&#x1F426;", "a <i>b</i> é🐦"),
        ("a <i>b</i> c", "a b c"),  # markup that somebody forgot to escape
        ("  a\n b\t", "  a\n b\t"),
        ("a&#13;\nb&#13;c&#10;d", "a\nb\nc\nd"),  # as Java writes line ends of Windows
        ("e\u0301 é ¹²³⁴ ꞌ", "e\u0301 é ¹²³⁴ ꞌ"),  # as it stands: no normalisation
    ],
)
def test_values(read, written, value):
    doc = read(document(slots(ts1=0, ts2=9), tier("t", aligned("a1", "ts1", "ts2", written))))
    assert rows(doc, "t") == [(0, 9, value)]


def test_an_annotation_without_a_value_is_empty(read):
    bare = (
        '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"/></ANNOTATION>'
    )
    assert rows(read(document(slots(ts1=0, ts2=9), tier("t", bare, "<ANNOTATION/>"))), "t") == [(0, 9, "")]


# --- bad files --------------------------------------------------------------------------------------------------

ONE = tier("t", aligned("a1", "ts1", "ts2", "ñuu"))
TIMES = slots(ts1=0, ts2=9)
GOOD = document(TIMES, ONE)
MEND = "open it in ELAN and save it, or take it out of the folder"
ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 20 if i else "x" * 50}">' for i in range(12))


def with_doctype(declarations, value):
    prolog, rest = document(TIMES, tier("t", aligned("a1", "ts1", "ts2", value))).split("\n")
    return f"{prolog}<!DOCTYPE ANNOTATION_DOCUMENT [{declarations}]>{rest}"


SENSIBLE = {
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), [(0, 9, "ñuu")]),
    "UTF-16": (GOOD.replace("UTF-8", "UTF-16").encode("utf-16"), [(0, 9, "ñuu")]),
    "Latin-1 that says so": (GOOD.replace("UTF-8", "ISO-8859-1").encode("latin-1"), [(0, 9, "ñuu")]),
    "Windows-1252 that says so": (GOOD.replace("UTF-8", "windows-1252").encode("cp1252"), [(0, 9, "ñuu")]),
    "no tiers": (document(TIMES, tier("t")), []),
    "no times, no tier with annotations": (document(tier("t")), []),
    "an end before its start": (document(slots(ts1=9, ts2=2), ONE), [(9, 2, "ñuu")]),
    "no length": (document(slots(ts1=9, ts2=9), ONE), [(9, 9, "ñuu")]),
    "spaces around a number": (document(slots(ts1=" 0 ", ts2="9\n"), ONE), [(0, 9, "ñuu")]),
    "a parent tier that is not there": (
        document(TIMES, ONE.replace(" TIER_ID", ' PARENT_REF="x" TIER_ID')),
        [(0, 9, "ñuu")],
    ),
    "slots nobody needs": (document(slots(ts1=0, ts2=9, ts3=None, x=4), ONE), [(0, 9, "ñuu")]),
    "annotations without ids": (
        document(TIMES, tier("t", *[aligned("", "ts1", "ts2", "a").replace(' ANNOTATION_ID=""', "")] * 2)),
        [(0, 9, "a"), (0, 9, "a")],
    ),
    "an unknown element": (document(TIMES, "<NEW><TIER/></NEW>", ONE), [(0, 9, "ñuu")]),
    "very deep foreign markup": (document(TIMES, "<x>" * 20_000, "</x>" * 20_000, ONE), [(0, 9, "ñuu")]),
    "very deep markup in a value": (
        document(TIMES, tier("t", aligned("a1", "ts1", "ts2", "<b>" * 20_000 + "n" + "</b>" * 20_000))),
        [(0, 9, "n")],
    ),
}  # fmt: skip

BROKEN = {
    "0 bytes": (b"", "is empty: restore it from a copy, or take it out of the folder"),
    "blank": (b" \n", "is empty"),
    "cut off": (GOOD.encode()[:-30], "is not XML (unclosed token"),
    "cut off in a letter": (GOOD.encode()[: GOOD.encode().index("ñ".encode()) + 1], "is not XML ("),
    "zeros, as after a crash": (b"\0" * 4096, "is not XML ("),
    "a wave file": (b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0", "is not XML ("),
    "plain text": (b"hello", "is not XML ("),
    "Latin-1 that says UTF-8": (GOOD.encode("latin-1"), "is not XML (not well-formed (invalid token)"),
    "UTF-16 that says UTF-8": (GOOD.encode("utf-16"), "is not XML ("),
    "an unknown encoding": (GOOD.replace("UTF-8", "martian").encode(), "is not XML ("),
    "an encoding of several bytes": (GOOD.replace("UTF-8", "gb18030").encode("gb18030"), "is not XML ("),
    "a null character": (GOOD.replace("ñuu", "\0"), "is not XML (not well-formed"),
    "a control character": (GOOD.replace("ñuu", "\x07"), "is not XML (not well-formed"),
    "a reference to a null character": (GOOD.replace("ñuu", "&#0;"), "is not XML (reference to invalid character"),
    "a merge conflict": (f"<<<<<<< HEAD\n{GOOD}", "is not XML ("),
    "web page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is not XML (it has a document type declaration"),
    "web page, XHTML": (b"<html><body/></html>", "is XML but not an ELAN file (it begins with <html>)"),
    "a Praat file": (b'File type = "ooTextFile"\n', "is not XML ("),
    "entity bomb": (with_doctype(ENTITIES, "&e11;"), "is not XML (it has a document type declaration"),
    "entity bomb in UTF-16": (
        with_doctype(ENTITIES, "&e11;").replace("UTF-8", "UTF-16").encode("utf-16"),
        "is not XML (it has a document type declaration",
    ),
    "external entity": (
        with_doctype('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        "is not XML (it has a document type declaration)",
    ),
    "external document type": (
        GOOD.replace("\n", '<!DOCTYPE ANNOTATION_DOCUMENT SYSTEM "file:///etc/passwd">'),
        "is not XML (it has a document type declaration",
    ),
    "an entity nobody declared": (GOOD.replace("ñuu", "&nbsp;"), "is not XML (undefined entity"),
    "a slot that is not there": (
        document(slots(ts1=0), ONE),
        f"tier 't': annotation 'a1': its TIME_SLOT_REF2 'ts2' is nowhere in the file: {MEND}",
    ),
    "no slot named": (
        document(TIMES, ONE.replace(' TIME_SLOT_REF1="ts1"', "")),
        "tier 't': annotation 'a1': has no TIME_SLOT_REF1",
    ),
    "a parent that is not there": (
        document(TIMES, ONE, tier("u", referring("a2", "a9"))),
        "tier 'u': annotation 'a2': its ANNOTATION_REF 'a9' is nowhere in the file",
    ),
    "parents in a circle": (
        document(TIMES, ONE, tier("u", referring("a2", "a3")), tier("v", referring("a3", "a2"))),
        f"tier 'u': annotations refer to each other in a circle: {MEND}",
    ),
    "its own parent": (
        document(TIMES, ONE, tier("u", referring("a2", "a2"))),
        "tier 'u': annotations refer to each other in a circle",
    ),
    "tiers in a circle": (
        document(tier("t", PARENT_REF="u"), tier("u", PARENT_REF="t"), tier("v")),
        f"tiers are each other's parents: 't', 'u': {MEND}",
    ),
    "the same slot twice": (
        document(TIMES.replace("'ts2'", "'ts1'"), ONE),
        f"two elements have the TIME_SLOT_ID 'ts1': {MEND}",
    ),
    "the same annotation id twice": (
        document(TIMES, ONE, tier("u", aligned("a1", "ts1", "ts2"))),
        "two elements have the ANNOTATION_ID 'a1'",
    ),
    "the same tier twice": (document(TIMES, ONE, ONE.replace("a1", "a2")), "two elements have the TIER_ID 't'"),
    "a tier without id": (document(TIMES, ONE.replace(' TIER_ID="t"', "")), f"a tier has no TIER_ID: {MEND}"),
    "a negative time": (
        document(slots(ts1=-5, ts2=9), ONE),
        f"TIME_VALUE '-5' is not a whole number of milliseconds: {MEND}",
    ),
    "half a millisecond": (document(slots(ts1=0, ts2=9.5), ONE), "TIME_VALUE '9.5' is not a whole number"),
    "a clock time": (document(slots(ts1=0, ts2="00:00:09.000"), ONE), "TIME_VALUE '00:00:09.000' is not a whole"),
    "an empty time": (document(slots(ts1=0, ts2=""), ONE), "TIME_VALUE '' is not a whole number"),
    "digits Python would take": (document(slots(ts1=0, ts2="1_0"), ONE), "TIME_VALUE '1_0' is not a whole number"),
    "Arabic digits": (document(slots(ts1=0, ts2="٩"), ONE), "TIME_VALUE '٩' is not a whole number"),
    "more digits than int() takes": (document(slots(ts1=0, ts2="9" * 5000), ONE), "TIME_VALUE '99999"),
    "unknown units": (
        document(slots(ts1=0, ts2=9), ONE, header='<HEADER TIME_UNITS="samples"/>'),
        "TIME_UNITS 'samples' is none of milliseconds, PAL-frames, NTSC-frames",
    ),
    "an origin that is no number": (
        document(ONE, header='<HEADER><MEDIA_DESCRIPTOR TIME_ORIGIN="1.5 s"/></HEADER>'),
        "TIME_ORIGIN '1.5 s' is not a whole number of milliseconds",
    ),
    "a whole tier without times": (
        document(slots(ts1=None, ts2=None), ONE),
        f"tier 't': an annotation has no time, nor have those beside it: {MEND}",
    ),
    "no time at the end": (document(slots(ts1=4, ts2=None), ONE), "tier 't': an annotation has no time"),
    "no time at the start": (document(slots(ts1=None, ts2=4), ONE), "tier 't': an annotation has no time"),
    "untimed slots in a circle": (
        document(
            slots(ts1=0, x=None, y=None),
            tier("t", aligned("a1", "ts1", "x"), aligned("a2", "x", "y"), aligned("a3", "y", "x")),
        ),
        "tier 't': an annotation has no time",
    ),
}


@pytest.mark.parametrize("case", SENSIBLE)
def test_unusual_files_are_read(read, case):
    content, expected = SENSIBLE[case]
    assert rows(read(content), "t") == expected


def refused(path):
    with pytest.raises(U2UError) as error:
        read_eaf(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("case", BROKEN)
def test_bad_files_are_refused_in_one_line(tmp_path, case):
    content, reason = BROKEN[case]
    path = tmp_path / "spoilt ñ.eaf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(path).startswith(reason)


def test_what_is_no_file_is_refused(tmp_path):
    folder = tmp_path / "folder.eaf"
    folder.mkdir()
    assert refused(folder) == "is not a file: take it out of the folder or rename it"
    assert refused(tmp_path / "none.eaf") == "cannot be read (No such file or directory)"
    assert refused(tmp_path / "a\0b.eaf").startswith("cannot be read (embedded null")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.eaf")
    assert refused(tmp_path / "pipe.eaf").startswith("is not a file")


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    (tmp_path / "a.eaf").write_text(GOOD)
    monkeypatch.setattr(Path, "read_bytes", denied)  # chmod does not stop root, who runs tests in containers
    assert refused(tmp_path / "a.eaf") == "cannot be read (Permission denied)"


@given(st.binary(max_size=300), st.integers(0, len(GOOD)))
@settings(max_examples=150, deadline=None)
def test_any_damage_is_read_or_refused(tmp_path_factory, damage, at):
    path = tmp_path_factory.mktemp("damaged") / "x.eaf"
    path.write_bytes(GOOD.encode()[:at] + damage + GOOD.encode()[at + len(damage) :])
    message = f"{path}: "
    try:
        read_eaf(path)
    except U2UError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")


# --- size: each of these takes seconds, or for ever if an algorithm is quadratic ----------------------------------


def in_seconds(seconds, action):
    """Run `action`, and fail rather than hang the test run."""
    done = []
    thread = threading.Thread(target=lambda: done.append(action()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, f"not done in {seconds} s, or failed"
    return done[0]


def test_many_annotations_of_each_kind(read):
    n = 25_000
    ends = ["first", *(f"u{i}" for i in range(1, n)), "last"]
    order = list(range(1, n))
    random.Random(0).shuffle(order)
    content = document(
        slots(first=0, last=n * 10, **{f"u{i}": None for i in range(1, n)}, **{f"t{i}": i * 3 for i in range(n + 1)}),
        tier("top", aligned("top", "first", "last")),
        tier("timed", *[aligned(f"x{i}", f"t{i}", f"t{i + 1}") for i in range(n)]),
        tier("untimed", *[aligned(f"d{i}", *ends[i : i + 2]) for i in range(n)]),
        tier("chained", *[referring(f"c{i}", "top", str(i), f"c{i - 1}") for i in order], referring("c0", "top", "0")),
    )
    doc = in_seconds(120, lambda: read(content))
    assert rows(doc, "timed")[-1] == (3 * n - 3, 3 * n, "")
    assert rows(doc, "untimed")[n // 2] == (5 * n, 5 * n + 10, "")
    assert rows(doc, "chained") == [(10 * i, 10 * i + 10, str(i)) for i in range(n)]


def test_a_chain_of_three_thousand_tiers(read):
    deep = 3000
    tiers = [tier(f"t{i}", referring(f"a{i}", f"a{i - 1}", str(i)), PARENT_REF=f"t{i - 1}") for i in range(1, deep)]
    content = document(TIMES, *reversed(tiers), tier("t0", aligned("a0", "ts1", "ts2")))
    assert rows(in_seconds(60, lambda: read(content)), f"t{deep - 1}") == [(0, 9, str(deep - 1))]


# --- writing ----------------------------------------------------------------------------------------------------


def check_rules(path):
    """The rules of ELAN's schema that we rely on: order, required attributes, references that resolve."""
    root = ET.parse(path).getroot()
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert {"AUTHOR", "DATE", "VERSION", "FORMAT"} <= set(root.attrib)
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    tags = [child.tag for child in root]
    assert tags == sorted(tags, key=order.index)
    assert tags[:2] == order[:2]
    for media in root.iterfind("HEADER/MEDIA_DESCRIPTOR"):
        assert {"MEDIA_URL", "MIME_TYPE"} <= set(media.attrib)
    times = [(slot.get("TIME_SLOT_ID"), int(slot.get("TIME_VALUE"))) for slot in root.find("TIME_ORDER")]
    assert [time for _, time in times] == sorted(time for _, time in times)
    assert all(0 <= time < 2**32 for _, time in times)
    names = [t.get("TIER_ID") for t in root.iterfind("TIER")]
    types = {t.get("LINGUISTIC_TYPE_ID"): t for t in root.iterfind("LINGUISTIC_TYPE")}
    stereotypes = [c.get("STEREOTYPE") for c in root.iterfind("CONSTRAINT")]
    annotations = [a for t in root.iterfind("TIER") for holder in t for a in holder]
    ids = [a.get("ANNOTATION_ID") for a in annotations]
    unique = [key for key, _ in times] + ids + stereotypes  # all of XML's one space of IDs
    assert len(set(unique)) == len(unique)
    assert len(set(names)) == len(names)
    for t in root.iterfind("TIER"):
        kind = types[t.get("LINGUISTIC_TYPE_REF")]
        assert (t.get("PARENT_REF") is None) == (kind.get("CONSTRAINTS") is None)
        assert t.get("PARENT_REF") in (None, *names)
        assert kind.get("CONSTRAINTS") in (None, *stereotypes)
        for holder in t:
            [annotation] = holder
            [value] = annotation
            assert (holder.tag, value.tag) == ("ANNOTATION", "ANNOTATION_VALUE")
            if kind.get("TIME_ALIGNABLE") == "true":
                assert annotation.tag == "ALIGNABLE_ANNOTATION"
                assert {annotation.get("TIME_SLOT_REF1"), annotation.get("TIME_SLOT_REF2")} <= set(dict(times))
            else:
                assert annotation.tag == "REF_ANNOTATION"
                assert annotation.get("ANNOTATION_REF") in ids
    [last] = [p.text for p in root.iterfind("HEADER/PROPERTY") if p.get("NAME") == "lastUsedAnnotationId"]
    assert last == str(len(ids))
    if os.environ.get("EAF_XSD"):
        elan_schema(os.environ["EAF_XSD"]).validate(path)


@functools.cache
def elan_schema(path):
    import xmlschema

    return xmlschema.XMLSchema(path)


TIERS = (
    Tier("transcript", (Annotation(0, 900, "in cihuatl"), Annotation(900, 1500, "")), "segment", annotator="me"),
    Tier("words", (Annotation(10, 300, "in"), Annotation(300, 900, "cihuatl")), "word", parent="transcript"),
    Tier("translation", (Annotation(0, 900, "the woman"),), "translation", participant="AR", parent="transcript"),
)
CONSTRAINTS = {"word": "Included_In", "translation": "Symbolic_Association"}


def test_written_tiers_are_valid_and_read_back_equal(tmp_path):
    path = tmp_path / "new" / "ñ a.eaf"
    write_eaf(path, TIERS, [tmp_path / "a.wav"], CONSTRAINTS, author="me & <you>")
    check_rules(path)
    assert read_eaf(path).tiers == TIERS
    root = ET.parse(path).getroot()
    assert root.get("AUTHOR") == "me & <you>"
    # By hand: transcript a1 a2, words a3 a4, translation a5 of a1.
    assert root.find("TIER[@TIER_ID='translation']/ANNOTATION/REF_ANNOTATION").get("ANNOTATION_REF") == "a1"
    assert [slot.get("TIME_VALUE") for slot in root.find("TIME_ORDER")] == [
        *("0", "10", "300", "300"),
        *("900", "900", "900", "1500"),
    ]


def test_nothing_to_write_is_a_valid_file(tmp_path):
    write_eaf(tmp_path / "a.eaf", [], [])
    check_rules(tmp_path / "a.eaf")
    assert read_eaf(tmp_path / "a.eaf").tiers == ()


def test_media_stand_as_elan_writes_them(tmp_path):
    names = ["a.wav", "../Grabación de campo/ñ 100%20 #1?.MP3", "b.mp4", "[x].flac", "c&<d>.xyz"]
    path = tmp_path / "elan" / "x.eaf"
    write_eaf(path, [], [tmp_path / "elan" / name for name in names[:1]] + [tmp_path / "elan" / n for n in names[1:]])
    check_rules(path)
    written = [dict(m.attrib) for m in ET.parse(path).getroot().iterfind("HEADER/MEDIA_DESCRIPTOR")]
    assert [m["RELATIVE_MEDIA_URL"] for m in written] == [
        "./a.wav",
        "../Grabación de campo/ñ 100%20 #1?.MP3",
        "./b.mp4",
        "./[x].flac",
        "./c&<d>.xyz",
    ]
    types = ["audio/x-wav", "audio/mpeg", "video/mp4", "audio/flac", "audio/x-wav"]
    assert [m["MIME_TYPE"] for m in written] == types
    assert written[0]["MEDIA_URL"] == f"file://{(tmp_path / 'elan' / 'a.wav').as_posix()}"
    assert written[1]["MEDIA_URL"].endswith("/Grabación de campo/ñ 100%20 #1?.MP3")


def test_a_media_name_that_is_not_unicode(tmp_path):
    write_eaf(tmp_path / "a.eaf", [], [tmp_path / "caf\udce9.wav"])
    check_rules(tmp_path / "a.eaf")


def in_xml(text):
    """By the letter of XML 1.0, production 2 (Char) and section 2.11 (line ends)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    ranges = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    return "".join(c if c in "\t\n" or any(a <= ord(c) <= b for a, b in ranges) else "\ufffd" for c in text)


any_text = st.one_of(
    st.text(st.characters(), max_size=20),  # with control characters and lone surrogates
    st.text(st.sampled_from("\0\t\n\r\x0b\x1f\x7f\x85\u2028\ufffe\uffff\ud800👍🏽e\u0301¹ꞌ<>&\"' ]"), max_size=12),
)


@st.composite
def any_tiers(draw):
    """A few tiers with any text at any times that do not overlap, and children of both kinds."""
    tiers = []
    for index, name in enumerate(draw(st.lists(any_text, max_size=3, unique_by=in_xml))):
        times = sorted(draw(st.sets(st.integers(0, 2**32 - 1), max_size=12)))
        spans = [pair for pair in itertools.pairwise(times) if draw(st.booleans())]
        top = Tier(name, tuple(Annotation(*s, draw(any_text)) for s in spans), "top", draw(any_text).strip())
        tiers.append(top)
        picked = tuple(Annotation(*s, draw(any_text)) for s in spans if draw(st.booleans()))
        tiers.append(Tier(f"{name} same {index}", picked, "same", annotator=draw(any_text), parent=name))
        within = tuple(Annotation((s + e) // 2, e, draw(any_text)) for s, e in spans if draw(st.booleans()))
        tiers.append(Tier(f"{name} within {index}", within, "within", parent=name))
    return [t for t in tiers if t.name and (t.linguistic_type == "top" or t.parent)]


@given(any_tiers())
@settings(max_examples=120, deadline=None)
def test_any_text_at_any_time_is_read_back_equal(tmp_path_factory, tiers):
    path = tmp_path_factory.mktemp("any") / "x.eaf"
    write_eaf(path, tiers, ["a.wav"], {"same": "Symbolic_Association", "within": "Included_In"})
    check_rules(path)
    expected = tuple(
        Tier(
            in_xml(t.name),
            tuple(Annotation(a.start_ms, a.end_ms, in_xml(a.value)) for a in t.annotations),
            t.linguistic_type,
            in_xml(t.participant).strip(),
            in_xml(t.annotator),
            parent=in_xml(t.parent),
        )
        for t in tiers
    )
    assert read_eaf(path).tiers == expected


def test_linguistic_types_of_any_text(tmp_path):
    tiers = (Tier("t", (Annotation(0, 1, "x"),), "tipo \x01 <ñ>"),)
    write_eaf(tmp_path / "a.eaf", tiers, [])
    check_rules(tmp_path / "a.eaf")
    assert read_eaf(tmp_path / "a.eaf").tiers[0].linguistic_type == "tipo \ufffd <ñ>"


TOP = Tier("top", (Annotation(0, 100, "a"), Annotation(200, 300, "b")))


def child(*annotations, kind="Included_In", parent="top", name="child"):
    return Tier(name, annotations, kind, parent=parent), {"Included_In": "Included_In", "same": "Symbolic_Association"}


@pytest.mark.parametrize(
    ("tier", "constraints", "reason"),
    [
        (Tier("x", (Annotation(0, 10, ""), Annotation(5, 15, ""))), {}, "tier 'x': Annotation(start_ms=5"),
        (Tier("x", (Annotation(10, 20, ""), Annotation(0, 5, ""))), {}, "tier 'x': Annotation(start_ms=0"),
        (Tier("x", (Annotation(10, 10, ""),)), {}, "overlaps the one before or has no length"),
        (Tier("x", (Annotation(-10, 10, ""),)), {}, "overlaps the one before or has no length"),
        (TOP, {}, "tier 'top': there are two of this name"),
        (*child(Annotation(0, 50, ""), parent="none"), "its parent 'none' is not written before it"),
        (*child(Annotation(50, 150, "")), "is not within one of 'top'"),
        (*child(Annotation(120, 150, "")), "is not within one of 'top'"),
        (*child(Annotation(250, 301, "")), "is not within one of 'top'"),
        (*child(Annotation(0, 300, "")), "is not within one of 'top'"),
        (*child(Annotation(0, 99, ""), kind="same"), "has not the times of one of 'top'"),
        (*child(Annotation(0, 100, ""), kind="other"), "has a parent or a constraint, but not both"),
        (*child(Annotation(0, 100, ""), parent=""), "has a parent or a constraint, but not both"),
        (Tier("x", (), "s", parent="top"), {"s": "Symbolic_Subdivision"}, "Symbolic_Subdivision tiers are not written"),
    ],
)
def test_what_elan_could_not_hold_is_not_written(tmp_path, tier, constraints, reason):
    path = tmp_path / "a.eaf"
    path.write_text("the user's own")
    with pytest.raises(ValueError) as error:  # noqa: PT011 the reason is looked at
        write_eaf(path, [TOP, tier], [], constraints)
    assert reason in str(error.value)
    assert path.read_text() == "the user's own"
    assert os.listdir(tmp_path) == ["a.eaf"]


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.eaf"
    path.write_text("the user's own")

    def full(tree, file, **_):
        Path(file).write_text("<ANNOT")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ET.ElementTree, "write", full)
    with pytest.raises(U2UError) as error:
        write_eaf(path, TIERS, [], CONSTRAINTS)
    wrong, disk, advice = re.split("disk of | is full", str(error.value))
    assert wrong + advice == f"{path}: cannot be written (the : make room)"
    assert os.path.ismount(disk)
    assert path.read_text() == "the user's own"
    assert os.listdir(tmp_path) == ["a.eaf"]


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(U2UError, match=r"a\.eaf: cannot be written \("):
        write_eaf(tmp_path / "out" / "a.eaf", TIERS, [], CONSTRAINTS)


def test_many_written_annotations(tmp_path):
    n = 20_000
    top = Tier("top", tuple(Annotation(i * 10, i * 10 + 10, "x") for i in range(n)), "top")
    same = Tier("same", top.annotations, "same", parent="top")
    within = Tier("within", tuple(Annotation(i * 10 + 2, i * 10 + 5, "x") for i in range(n)), "within", parent="top")
    constraints = {"same": "Symbolic_Association", "within": "Included_In"}
    path = tmp_path / "a.eaf"
    in_seconds(60, lambda: write_eaf(path, [top, same, within], [], constraints) or "written")
    assert read_eaf(path).tiers == (top, same, within)
