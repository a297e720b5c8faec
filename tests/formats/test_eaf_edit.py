import os
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.formats.eaf_edit import add_tiers
from u2u_hf.records import Annotation, Tier, U2UError

SEGMENTS = Tier("channel 1", (Annotation(500, 1500, "ña¹ <b>"), Annotation(2000, 2500, "两\nlines")), "machine")
WORDS = Tier("channel 1 words", (Annotation(500, 900, "ña¹"),), "machine word", parent="channel 1")
NEW, CONSTRAINTS = [SEGMENTS, WORDS], {"machine word": "Included_In"}

# A file with what pympi and ElementTree lose or change: comments, CVE_REF, single quotes, a time slot without a
# time, ids of other kinds, entities, and no final newline.
PERSONS = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR='' DATE="2017-07-06T13:35:46+10:00" FORMAT="3.0" VERSION="3.0">
    <!-- mine -->
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <PROPERTY NAME="URN">urn:nl-mpi-tools-elan-eaf:1</PROPERTY>
        <PROPERTY NAME="lastUsedAnnotationId">7</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts9"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="A">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts9" CVE_REF="cve1">
            <ANNOTATION_VALUE>d&#233;j&agrave;</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts9" TIME_SLOT_REF2="ts3">
            <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
    <CONSTRAINT DESCRIPTION="mine" STEREOTYPE="Included_In"/>
    <CONTROLLED_VOCABULARY CV_ID="cv"/>
</ANNOTATION_DOCUMENT>""".replace("&agrave;", "à")

EXPECTED = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR='' DATE="2017-07-06T13:35:46+10:00" FORMAT="3.0" VERSION="3.0">
    <!-- mine -->
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <PROPERTY NAME="URN">urn:nl-mpi-tools-elan-eaf:1</PROPERTY>
        <PROPERTY NAME="lastUsedAnnotationId">10</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts10" TIME_VALUE="500" />
        <TIME_SLOT TIME_SLOT_ID="ts11" TIME_VALUE="500" />
        <TIME_SLOT TIME_SLOT_ID="ts12" TIME_VALUE="900" />
        <TIME_SLOT TIME_SLOT_ID="ts9"/>
        <TIME_SLOT TIME_SLOT_ID="ts13" TIME_VALUE="1500" />
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
        <TIME_SLOT TIME_SLOT_ID="ts14" TIME_VALUE="2000" />
        <TIME_SLOT TIME_SLOT_ID="ts15" TIME_VALUE="2500" />
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="A">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts9" CVE_REF="cve1">
            <ANNOTATION_VALUE>d&#233;j&agrave;</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts9" TIME_SLOT_REF2="ts3">
            <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="machine" TIER_ID="channel 1">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a8" TIME_SLOT_REF1="ts10" TIME_SLOT_REF2="ts13">
                <ANNOTATION_VALUE>ña¹ &lt;b&gt;</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a9" TIME_SLOT_REF1="ts14" TIME_SLOT_REF2="ts15">
                <ANNOTATION_VALUE>两
lines</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="machine word" TIER_ID="channel 1 words" PARENT_REF="channel 1">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a10" TIME_SLOT_REF1="ts11" TIME_SLOT_REF2="ts12">
                <ANNOTATION_VALUE>ña¹</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="machine" GRAPHIC_REFERENCES="false" TIME_ALIGNABLE="true" />
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="machine word" GRAPHIC_REFERENCES="false" TIME_ALIGNABLE="true" \
CONSTRAINTS="Included_In" />
    <CONSTRAINT DESCRIPTION="mine" STEREOTYPE="Included_In"/>
    <CONSTRAINT STEREOTYPE="Time_Subdivision" DESCRIPTION="Time subdivision of parent annotation's time interval, \
no time gaps allowed within this interval" />
    <CONSTRAINT STEREOTYPE="Symbolic_Subdivision" DESCRIPTION="Symbolic subdivision of a parent annotation. \
Annotations refering to the same parent are ordered" />
    <CONSTRAINT STEREOTYPE="Symbolic_Association" DESCRIPTION="1-1 association with a parent annotation" />
    <CONTROLLED_VOCABULARY CV_ID="cv"/>
</ANNOTATION_DOCUMENT>""".replace("&agrave;", "à")


def edited(folder, data, tiers=NEW, constraints=CONSTRAINTS):
    source = folder / "theirs.eaf"
    source.write_bytes(data)
    add_tiers(source, folder / "out.eaf", tiers, constraints)
    assert source.read_bytes() == data
    return (folder / "out.eaf").read_bytes()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "iso-8859-1", "cp1252"])
def test_all_that_a_person_made_stays_byte_for_byte(tmp_path, encoding, newline):
    def encoded(text):
        mark = "\ufeff" if encoding == "utf-16-be" else ""
        declared = text.replace("UTF-8", {"utf-8-sig": "UTF-8", "utf-16-be": "UTF-16"}.get(encoding, encoding))
        if encoding in ("iso-8859-1", "cp1252"):  # what these lack is written as ELAN would
            declared = declared.replace("两", "&#20004;")
        return (mark + declared.replace("\n", newline)).encode(encoding)

    assert edited(tmp_path, encoded(PERSONS)) == encoded(EXPECTED)
    assert read_eaf(tmp_path / "out.eaf").tiers[1:] == tuple(NEW)


def test_empty_elements_are_opened_and_missing_ones_made(tmp_path):
    for inner in ("", "<HEADER/><TIME_ORDER/>", "<HEADER></HEADER><TIME_ORDER></TIME_ORDER>", "<TIER TIER_ID='B'/>"):
        data = f'<ANNOTATION_DOCUMENT x="/>">{inner}</ANNOTATION_DOCUMENT>'.encode()
        result = edited(tmp_path, data)
        assert read_eaf(tmp_path / "out.eaf").tiers[-2:] == tuple(NEW)
        assert (b">3</PROPERTY>" in result) == (b"HEADER" in data)
    assert read_eaf(tmp_path / "out.eaf").tiers[0].name == "B"


def test_names_that_are_taken_get_a_number_and_types_are_used_again(tmp_path):
    data = edited(tmp_path, PERSONS.encode())
    again = edited(tmp_path, data)
    assert [(t.name, t.parent) for t in read_eaf(tmp_path / "out.eaf").tiers] == [
        ("A", ""),
        ("channel 1", ""),
        ("channel 1 words", "channel 1"),
        ("channel 1 (2)", ""),
        ("channel 1 words (2)", "channel 1 (2)"),
    ]
    assert again.count(b"<LINGUISTIC_TYPE ") == data.count(b"<LINGUISTIC_TYPE ") == 3
    assert again.count(b"<CONSTRAINT ") == 4
    assert b'Id">13</PROPERTY>' in again


def test_a_type_of_our_name_and_another_kind_is_refused(tmp_path):
    data = PERSONS.replace('"default-lt" TIME', '"machine" CONSTRAINTS="Included_In" TIME').encode()
    with pytest.raises(U2UError, match=r"theirs\.eaf: its linguistic type 'machine' has another constraint: rename it"):
        edited(tmp_path, data)
    assert not (tmp_path / "out.eaf").exists()


def test_a_bad_file_is_refused_and_nothing_is_written(tmp_path):
    refused = {b"": "is empty", b"no": "is not XML", b"<html/>": "but not an ELAN file"}
    refused[b"<ANNOTATION_DOCUMENT/>"] = "with nothing in it"
    for data, reason in refused.items():
        with pytest.raises(U2UError, match=reason):
            edited(tmp_path, data)
    assert [p.name for p in tmp_path.iterdir()] == ["theirs.eaf"]


def test_in_place(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_text(PERSONS, encoding="utf-8", newline="\n")
    add_tiers(path, path, NEW, CONSTRAINTS)
    assert path.read_text(encoding="utf-8") == EXPECTED


@st.composite
def tier_lists(draw, name):
    times = sorted(draw(st.lists(st.integers(0, 5000), unique=True, max_size=12)))
    values = st.text("aé两😀 <&\n", max_size=4)
    annotations = tuple(Annotation(a, b, draw(values)) for a, b in zip(times[::2], times[1::2], strict=False))
    parent = Tier(name, annotations, f"{name} type", participant="P")
    return [parent, Tier(f"{name} child", annotations[::2], f"{name} child type", parent=name)]


@settings(max_examples=60, deadline=None)
@given(tier_lists("theirs"), tier_lists("ours"), st.sampled_from(["Included_In", "Symbolic_Association"]))
def test_any_tiers_are_added_to_any_file(tmp_path_factory, theirs, ours, constraint):
    folder = tmp_path_factory.mktemp("any")
    write_eaf(folder / "a.eaf", theirs, [], {"theirs child type": constraint})
    add_tiers(folder / "a.eaf", folder / "b.eaf", ours, {"ours child type": constraint})
    assert read_eaf(folder / "b.eaf").tiers == (*theirs, *ours)
    before, after = ((folder / name).read_text(encoding="utf-8").splitlines() for name in ("a.eaf", "b.eaf"))
    stays = [line for line in before if "lastUsedAnnotationId" not in line and "<TIME_ORDER />" not in line]
    rest = iter(after)
    assert all(line in rest for line in stays)  # each is looked for after the one before it


@pytest.mark.parametrize("version", ["2.8", "3.0"])
def test_the_schema_of_the_file_is_kept(field_recordings, elan_schema, tmp_path, version):
    schema = Path(os.environ["EAF_XSD"]).with_name(f"EAFv{version}.xsd")
    for path in sorted((field_recordings / "transcribed").glob("*.eaf")):
        theirs = path.read_bytes().replace(b'"3.0"', f'"{version}"'.encode()).replace(b"v3.0", f"v{version}".encode())
        edited(tmp_path, theirs)
        xmlschema.validate(str(tmp_path / "out.eaf"), str(schema))
        document = read_eaf(tmp_path / "out.eaf")
        assert document.tiers == (*read_eaf(path).tiers, *NEW)


def test_tiers_in_milliseconds_are_not_added_to_frames(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_text(PERSONS.replace('TIME_UNITS="milliseconds"', 'TIME_UNITS="PAL-frames"'), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(U2UError, match=r"a\.eaf: its times are PAL-frames, ours milliseconds: transcribe without"):
        add_tiers(path, path, NEW, CONSTRAINTS)
    assert path.read_bytes() == before
