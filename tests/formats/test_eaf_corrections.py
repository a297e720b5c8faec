import os
import re

import pytest

from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.eaf_corrections import Correction, correct
from u2u_hf.records import U2UError

# Two speakers, each with a translation below; a comment, single quotes, an entity, a CVE_REF and no final newline.
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR='' DATE="2017-07-06T13:35:46+10:00" FORMAT="3.0" VERSION="3.0">
    <!-- mine > yours -->
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <PROPERTY NAME="lastUsedAnnotationId">7</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID='ts1' TIME_VALUE='1000'/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="3000"/>
        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4000"/>
        <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="4500"/>
        <TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="5000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="tx" PARTICIPANT="Ana" TIER_ID="A">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" CVE_REF="c1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>ka &#233; &lt;b&gt; x > y</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
                <ANNOTATION_VALUE>ni</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="tr" PARENT_REF="A" TIER_ID="A tr">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
                <ANNOTATION_VALUE>eat</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="tx" PARTICIPANT="Eva" TIER_ID="B">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts5" TIME_SLOT_REF2="ts6">
                <ANNOTATION_VALUE/>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="tr" PARENT_REF="B" TIER_ID="B tr"/>
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="tx" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="tr" TIME_ALIGNABLE="false"/>
    <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>
</ANNOTATION_DOCUMENT>"""  # noqa: E501
FIRST = "ka é <b> x > y"
A2 = FILE[
    FILE.index('        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2"') : FILE.index("    </TIER>")
]


@pytest.fixture
def corrected(tmp_path, elan_schema):
    """What a file is after corrections → its text and the reasons of those refused."""

    def corrected(*corrections, text=FILE, encoding="utf-8", newline="\n"):
        source, target = tmp_path / "a.eaf", tmp_path / "b.eaf"
        source.write_bytes(text.replace("\n", newline).encode(encoding))
        before = source.read_bytes()
        refused = correct(source, target, corrections)
        assert source.read_bytes() == before
        elan_schema(str(target))
        read_eaf(target)
        return target.read_bytes().decode(encoding).replace(newline, "\n"), [reason for _, reason in refused]

    return corrected


def test_nothing_to_do_keeps_every_byte(corrected):
    assert corrected() == (FILE, [])


def test_a_text_is_replaced(corrected):
    done, refused = corrected(
        Correction("A", 1000, 2000, FIRST, {"text": "ké & <i>"}), Correction("B", 4500, 5000, "", {"text": "tí"})
    )
    expected = FILE.replace("ka &#233; &lt;b&gt; x > y", "ké &amp; &lt;i&gt;")
    assert done == expected.replace("<ANNOTATION_VALUE/>", "<ANNOTATION_VALUE>tí</ANNOTATION_VALUE>")
    assert refused == []


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8", "\r\n"), ("utf-16", "\n"), ("latin-1", "\n")])
def test_other_encodings_and_line_ends_are_kept(corrected, encoding, newline):
    text = FILE.replace('encoding="UTF-8"', f'encoding="{encoding}"')
    done, _ = corrected(
        Correction("A", 3000, 4000, "ni", {"text": "ŋé"}),
        Correction("A", 0, 500, "", {"add": "ña"}),
        text=text,
        encoding=encoding,
        newline=newline,
    )
    assert "ni<" not in done
    new = "&#331;é" if encoding == "latin-1" else "ŋé"
    assert f"<ANNOTATION_VALUE>{new}</ANNOTATION_VALUE>" in done
    assert 'TIME_SLOT_ID="ts7" TIME_VALUE="0"/>' in done


def test_times_are_changed_in_place_where_the_order_stays(corrected):
    done, _ = corrected(Correction("A", 1000, 2000, FIRST, {"start_ms": 900, "end_ms": 2500}))
    assert done == FILE.replace("TIME_VALUE='1000'", "TIME_VALUE='900'").replace('"2000"', '"2500"')


def test_a_slot_that_passes_others_changes_its_place(corrected):
    done, _ = corrected(Correction("A", 3000, 4000, "ni", {"start_ms": 4100, "end_ms": 4700}))
    order = re.findall(r"""TIME_SLOT_ID=["'](\w+)["'] TIME_VALUE=["'](\d+)""", done)
    assert order == [
        ("ts1", "1000"),
        ("ts2", "2000"),
        ("ts3", "4100"),
        ("ts5", "4500"),
        ("ts4", "4700"),
        ("ts6", "5000"),
    ]
    moved = '        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="{}"/>\n'
    before = FILE.replace('ts3" TIME_VALUE="3000"', 'ts3" TIME_VALUE="4100"').replace(moved.format(4000), "")
    five = '        <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="4500"/>\n'
    assert done == before.replace(five, five + moved.format(4700))


def test_an_annotation_is_deleted_with_its_translation(corrected):
    done, _ = corrected(Correction("A", 1000, 2000, FIRST, {"delete": True}))
    tiers = {tier.name: [a.value for a in tier.annotations] for tier in _read(done)}
    assert tiers == {"A": ["ni"], "A tr": [], "B": [""], "B tr": []}
    assert "a1" not in done
    assert "a3" not in done
    assert A2 in done


def test_an_annotation_moves_to_another_tier_with_its_translation(corrected):
    done, _ = corrected(Correction("A", 1000, 2000, FIRST, {"tier": "B"}))
    tiers = {tier.name: [(a.start_ms, a.value) for a in tier.annotations] for tier in _read(done)}
    assert tiers == {"A": [(3000, "ni")], "A tr": [], "B": [(1000, FIRST), (4500, "")], "B tr": [(1000, "eat")]}
    whole = FILE[FILE.index("        <ANNOTATION>") : FILE.index(A2)]
    assert whole in done
    assert A2 in done


def test_an_annotation_is_added(corrected):
    done, _ = corrected(Correction("A", 2100, 2900, "", {"add": "tla & ko"}))
    assert 'NAME="lastUsedAnnotationId">8<' in done
    assert [(a.start_ms, a.end_ms, a.value) for a in _read(done)[0].annotations] == [
        (1000, 2000, FIRST),
        (2100, 2900, "tla & ko"),
        (3000, 4000, "ni"),
    ]
    kept = re.sub(r'\n        <TIME_SLOT TIME_SLOT_ID="ts[78]" TIME_VALUE="2[19]00"/>', "", done)
    kept = re.sub(
        r'\n        <ANNOTATION>\s*<ALIGNABLE_ANNOTATION ANNOTATION_ID="a8".*?\n        </ANNOTATION>',
        "",
        kept,
        flags=re.S,
    )
    assert kept == FILE.replace(">7<", ">8<")


@pytest.mark.parametrize(
    ("correction", "reason"),
    [
        (("A", 1000, 2000, "other", {"text": "x"}), "the file was changed since"),
        (("A", 1000, 2001, FIRST, {"text": "x"}), "the file was changed since"),
        (("A", 1000, 2000, FIRST, {"start_ms": 1000, "end_ms": 3500}), "another annotation of tier 'A' is there"),
        (("A", 1000, 2000, FIRST, {"start_ms": 2000, "end_ms": 2000}), "the new end is not after the new start"),
        (("A", 1000, 2000, FIRST, {"tier": "A tr"}), "depend on others"),
        (("A", 1000, 2000, FIRST, {"tier": "C"}), "there is no tier 'C'"),
        (("A", 3500, 3600, "", {"add": "x"}), "another annotation of tier 'A' is there"),
        (("A tr", 3500, 3600, "", {"add": "x"}), "depends on another"),
        (("A", 1000, 2000, FIRST, {}), "nothing is said about what to do"),
    ],
)
def test_what_would_break_the_file_is_refused(corrected, correction, reason):
    done, [refused] = corrected(Correction(*correction))
    assert done == FILE
    assert reason in refused


def test_corrections_of_one_annotation_do_not_meet(corrected):
    delete = Correction("A", 1000, 2000, FIRST, {"delete": True})
    text = Correction("A", 1000, 2000, FIRST, {"text": "x"})
    _, refused = corrected(delete, text)
    assert refused == ["another correction has moved or deleted it"]
    done, refused = corrected(text, delete, text)
    assert done == FILE.replace("ka &#233; &lt;b&gt; x > y", "x")
    assert refused == ["another correction of its text was made already"] * 2
    move = Correction("A", 1000, 2000, FIRST, {"start_ms": 1100, "end_ms": 2100})
    done, refused = corrected(text, move)
    assert (refused, "TIME_VALUE='1100'" in done, ">x<" in done) == ([], True, True)
    add = Correction("A", 1500, 2100, "", {"add": "x"})
    _, refused = corrected(move, add)
    assert refused == ["another annotation of tier 'A' is there: correct it in ELAN"]


def test_a_time_that_another_tier_uses_stays(corrected):
    text = FILE.replace('TIME_SLOT_REF1="ts5"', 'TIME_SLOT_REF1="ts4"')
    done, refused = corrected(Correction("A", 3000, 4000, "ni", {"start_ms": 3100, "end_ms": 3900}), text=text)
    assert done == text
    assert refused == ["tier 'B' uses the same time: move it in ELAN"]


def test_what_has_annotations_of_its_own_below_stays(corrected):
    words = """    <TIER LINGUISTIC_TYPE_REF="w" PARENT_REF="A" TIER_ID="A w">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a5" TIME_SLOT_REF1="ts7" TIME_SLOT_REF2="ts8">
                <ANNOTATION_VALUE>n</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
"""
    slots = """        <TIME_SLOT TIME_SLOT_ID="ts7" TIME_VALUE="3100"/>
        <TIME_SLOT TIME_SLOT_ID="ts8" TIME_VALUE="3900"/>
"""
    kind = FILE[FILE.index("    <LINGUISTIC_TYPE CONSTRAINTS") : FILE.index("    <CONSTRAINT ")]
    kind = kind.replace('"tr" TIME_ALIGNABLE="false"', '"w" TIME_ALIGNABLE="true"')
    kind = kind.replace("Symbolic_Association", "Included_In")
    kind += '    <CONSTRAINT DESCRIPTION="within its parent" STEREOTYPE="Included_In"/>\n'
    text = FILE
    for before, new in (
        ('    <TIER LINGUISTIC_TYPE_REF="tx" PARTICIPANT="Eva"', words),
        ('        <TIME_SLOT TIME_SLOT_ID="ts4"', slots),
        ("    <CONSTRAINT ", kind),
    ):
        text = text.replace(before, new + before)
    for edit in ({"delete": True}, {"tier": "B"}, {"start_ms": 3500, "end_ms": 4000}):
        done, [refused] = corrected(Correction("A", 3000, 4000, "ni", edit), text=text)
        assert done == text
        assert "tier 'A w'" in refused or "annotations on tier 'A w'" in refused


def test_frames_of_a_video_and_damage_are_refused(tmp_path):
    (tmp_path / "a.eaf").write_text(FILE.replace('"milliseconds"', '"PAL-frames"'), encoding="utf-8")
    with pytest.raises(U2UError, match="its times are PAL-frames, ours milliseconds: correct it in ELAN"):
        correct(tmp_path / "a.eaf", tmp_path / "b.eaf", [])
    (tmp_path / "a.eaf").write_text(FILE[:900], encoding="utf-8")
    with pytest.raises(U2UError, match="is not XML"):
        correct(tmp_path / "a.eaf", tmp_path / "b.eaf", [])
    assert os.listdir(tmp_path) == ["a.eaf"]


def _read(text):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.eaf")
        path.write_text(text, encoding="utf-8")
        return read_eaf(path).tiers


def slots(text):
    return [int(time) for time in re.findall(r"TIME_VALUE=[\"'](\d+)", text)]


def test_slots_that_cross_are_put_in_order(corrected):
    done, refused = corrected(
        Correction("A", 3000, 4000, "ni", {"start_ms": 4600, "end_ms": 6000}),
        Correction("B", 4500, 5000, "", {"start_ms": 2500, "end_ms": 2900}),
        Correction("A", 2600, 3500, "", {"add": "ña"}),
    )
    assert refused == []
    assert slots(done) == sorted(slots(done))


def test_a_word_does_not_end_before_it_begins(corrected):
    """Words below a1, which share its ends: a boundary beyond the one between them is refused."""
    words = FILE.replace(
        '    <TIER LINGUISTIC_TYPE_REF="tr" PARENT_REF="A" TIER_ID="A tr">',
        """    <TIER LINGUISTIC_TYPE_REF="wd" PARENT_REF="A" TIER_ID="A wd">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a5" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts7">
                <ANNOTATION_VALUE>ka</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a6" TIME_SLOT_REF1="ts7" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>x</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="tr" PARENT_REF="A" TIER_ID="A tr">""",
    )
    words = words.replace(
        '        <TIME_SLOT TIME_SLOT_ID="ts2"',
        '        <TIME_SLOT TIME_SLOT_ID="ts7" TIME_VALUE="1500"/>\n        <TIME_SLOT TIME_SLOT_ID="ts2"',
    )
    words = words.replace(
        '    <CONSTRAINT DESCRIPTION="1-1',
        """    <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="wd" TIME_ALIGNABLE="true"/>
    <CONSTRAINT DESCRIPTION="Time subdivision" STEREOTYPE="Time_Subdivision"/>
    <CONSTRAINT DESCRIPTION="1-1""",  # noqa: E501
    )
    done, refused = corrected(Correction("A", 1000, 2000, FIRST, {"start_ms": 1600, "end_ms": 2600}), text=words)
    assert done == words
    assert "annotations on tier 'A wd' would be outside" in refused[0]
    done, refused = corrected(Correction("A", 1000, 2000, FIRST, {"start_ms": 1100, "end_ms": 2600}), text=words)
    assert refused == []
    assert slots(done) == [1100, 1500, 2600, 3000, 4000, 4500, 5000]
