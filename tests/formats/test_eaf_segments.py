import dataclasses
import difflib
import re

import pytest

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.formats.eaf_segments import correct_tiers
from u2u_hf.records import (
    CORRECTED_TYPE,
    SEGMENT_TYPE,
    UNSURE_TYPE,
    WORD_TYPE,
    Annotation,
    Segment,
    Tier,
    U2UError,
    Word,
)

TRANSCRIPT = Tier(
    "channel 1",
    (Annotation(500, 1500, "ña ku"), Annotation(2000, 2500, "wa & yi"), Annotation(3000, 4000, "ko")),
    SEGMENT_TYPE,
)
CHILDREN = [
    Tier("w", (Annotation(500, 900, "ña"), Annotation(1000, 1400, "ku"), Annotation(3000, 3900, "ko")), WORD_TYPE),
    Tier("u", (Annotation(500, 1500, "42%"), Annotation(3000, 4000, "50%")), UNSURE_TYPE),
]

# A person's own: a comment, single quotes, an attribute on a line of its own, entities, and no final newline.
PERSONS = """<?xml version="1.0" encoding="UTF-16"?>
<ANNOTATION_DOCUMENT AUTHOR='' DATE="2017-07-06T13:35:46+10:00" FORMAT="3.0" VERSION="3.0">
    <!-- mine -->
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts9" TIME_VALUE="1000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF='default-lt' TIER_ID="A">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
            TIME_SLOT_REF2='ts9' CVE_REF="cve1">
            <ANNOTATION_VALUE>d&#233;jà</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts9" TIME_SLOT_REF2="ts3">
            <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="it's" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>"""


@pytest.fixture
def transcript(tmp_path):
    children = [dataclasses.replace(tier, parent="channel 1") for tier in CHILDREN]
    path = tmp_path / "a.eaf"
    write_eaf(path, [TRANSCRIPT, *children], [tmp_path / "a.wav"], writers.CONSTRAINTS, spare_types=[CORRECTED_TYPE])
    return path


def same():
    return [Segment(0, a.start_ms, a.end_ms, a.value) for a in TRANSCRIPT.annotations]


def values(path):
    return {tier.name: [(a.start_ms, a.end_ms, a.value) for a in tier.annotations] for tier in read_eaf(path).tiers}


def lines_changed(path, before):
    """The lines that are gone, and those that are new."""
    changes = difflib.ndiff(before.splitlines(), path.read_text(encoding="utf-8").splitlines())
    found = [line for line in changes if line[0] in "+-"]
    return [line[2:].strip() for line in found if line[0] == "-"], [
        line[2:].strip() for line in found if line[0] == "+"
    ]


def test_what_was_not_corrected_is_not_written(transcript):
    before = transcript.read_bytes()
    assert not correct_tiers(transcript, {"channel 1": same()}, {})
    assert transcript.read_bytes() == before


def test_white_space_that_an_editor_tidies_is_no_correction(transcript):
    text = transcript.read_text(encoding="utf-8")
    spaced = text.replace(">ña ku<", "> ña  ku\n<")
    assert spaced != text
    transcript.write_text(spaced, encoding="utf-8")
    assert not correct_tiers(transcript, {"channel 1": same()}, {})
    segments = [dataclasses.replace(same()[0], end_ms=1450), *same()[1:]]
    assert correct_tiers(transcript, {"channel 1": segments}, {})
    assert "> ña  ku\n<" in transcript.read_text(encoding="utf-8")
    assert values(transcript)["w"] == [(500, 900, "ña"), (1000, 1400, "ku"), (3000, 3900, "ko")]


def test_a_corrected_text_changes_one_line_and_what_depends_on_it(transcript, elan_schema):
    before = transcript.read_text(encoding="utf-8")
    segments = same()
    segments[1] = dataclasses.replace(segments[1], text="wa <yi>")
    assert correct_tiers(transcript, {"channel 1": segments}, {})
    gone, new = lines_changed(transcript, before)
    assert gone == ["<ANNOTATION_VALUE>wa &amp; yi</ANNOTATION_VALUE>"]
    assert new == ["<ANNOTATION_VALUE>wa &lt;yi&gt;</ANNOTATION_VALUE>"]
    segments[0] = dataclasses.replace(segments[0], text="ña")
    correct_tiers(transcript, {"channel 1": segments}, {"channel 1": CORRECTED_TYPE})
    elan_schema(transcript)
    assert values(transcript) == {
        "channel 1": [(500, 1500, "ña"), (2000, 2500, "wa <yi>"), (3000, 4000, "ko")],
        "w": [(3000, 3900, "ko")],
        "u": [(3000, 4000, "50%")],
    }
    assert read_eaf(transcript).tiers[0].linguistic_type == CORRECTED_TYPE


def test_a_corrected_text_leaves_a_persons_own_child_tiers(tmp_path, elan_schema):
    path = tmp_path / "a.eaf"
    noises = Tier("n", (Annotation(500, 700, "cough"), Annotation(1200, 1500, "dog")), "noise", parent="channel 1")
    words = dataclasses.replace(CHILDREN[0], parent="channel 1")
    constraints = {**writers.CONSTRAINTS, "noise": "Included_In"}
    write_eaf(path, [TRANSCRIPT, words, noises], [tmp_path / "a.wav"], constraints)
    segments = same()
    segments[0] = dataclasses.replace(segments[0], text="ña yi", words=(Word("yi", 800, 900, 1.0),))
    correct_tiers(path, {"channel 1": segments}, {})
    elan_schema(path)
    assert values(path)["n"] == [(500, 700, "cough"), (1200, 1500, "dog")]
    assert sorted(values(path)["w"]) == [(800, 900, "yi"), (3000, 3900, "ko")]
    segments[0] = dataclasses.replace(segments[0], end_ms=1300, text="ña", words=())
    correct_tiers(path, {"channel 1": segments}, {})
    assert values(path)["n"] == [(500, 700, "cough")]  # of the dog, a part is outside now
    assert values(path)["w"] == [(3000, 3900, "ko")]
    correct_tiers(path, {"channel 1": segments[1:]}, {})
    elan_schema(path)
    assert values(path)["n"] == []


def test_borders_splits_joins_and_deletions_are_written(transcript, elan_schema):
    first = Segment(0, 500, 950, "ña", words=(Word("ña", 500, 900, 1.0),))
    second = Segment(0, 950, 1600, "ku", words=(Word("ku", 1000, 1400, 1.0),))
    moved = Segment(0, 3100, 4000, "ko")
    correct_tiers(transcript, {"channel 1": [first, second, moved, Segment(0, 5000, 6000, "new")]}, {})
    elan_schema(transcript)
    after = values(transcript)
    assert sorted(after["channel 1"]) == [(500, 950, "ña"), (950, 1600, "ku"), (3100, 4000, "ko"), (5000, 6000, "new")]
    assert sorted(after["w"]) == [(500, 900, "ña"), (1000, 1400, "ku")]  # of ko's word, a part is outside now
    assert after["u"] == [(3100, 4000, "50%")]
    text = transcript.read_text(encoding="utf-8")
    ids = re.findall(r'ANNOTATION_ID="a(\d+)"', text)
    assert len(ids) == len(set(ids))
    assert int(re.search(r"lastUsedAnnotationId\">(\d+)<", text)[1]) == max(map(int, ids))
    correct_tiers(transcript, {"channel 1": []}, {})
    elan_schema(transcript)
    assert set(map(len, values(transcript).values())) == {0}


def test_a_persons_file_keeps_its_other_bytes(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_bytes(PERSONS.replace("\n", "\r\n").encode("utf-16"))
    before = path.read_bytes()
    segments = [Segment(0, 0, 1000, "déjà"), Segment(0, 1000, 2000, "")]
    with pytest.raises(U2UError, match="has no tier 'B'"):
        correct_tiers(path, {"B": segments}, {})
    with pytest.raises(U2UError, match="has no linguistic type 'other'"):
        correct_tiers(path, {}, {"A": "other"})
    assert not correct_tiers(path, {"A": segments}, {})
    assert path.read_bytes() == before
    segments = [Segment(0, 0, 900, "déjà"), Segment(0, 1000, 2000, "vu")]
    assert correct_tiers(path, {"A": segments}, {"A": "it's"})
    wanted = PERSONS.replace("TIME_SLOT_REF2='ts9'", "TIME_SLOT_REF2='ts10'").replace(
        "<ANNOTATION_VALUE/>", "<ANNOTATION_VALUE>vu</ANNOTATION_VALUE>"
    )
    wanted = wanted.replace("LINGUISTIC_TYPE_REF='default-lt'", "LINGUISTIC_TYPE_REF='it&apos;s'")
    slot = '<TIME_SLOT TIME_SLOT_ID="ts10" TIME_VALUE="900" />\n        '
    wanted = wanted.replace('<TIME_SLOT TIME_SLOT_ID="ts9"', f'{slot}<TIME_SLOT TIME_SLOT_ID="ts9"')
    assert path.read_bytes().decode("utf-16") == wanted.replace("\n", "\r\n")


def test_annotations_without_times_of_their_own_are_left_to_elan(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_bytes(PERSONS.replace(' TIME_VALUE="1000"', "").encode("utf-16"))
    with pytest.raises(U2UError, match="an annotation has no times of its own"):
        correct_tiers(path, {"A": []}, {})
