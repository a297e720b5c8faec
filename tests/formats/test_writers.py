import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.formats.textgrid import read_textgrid
from u2u_hf.records import Annotation, Segment, Tier, Transcript, U2UError, Word

TRANSCRIPT = Transcript(
    "a.wav",
    10_000,
    2,
    (
        Segment(0, 500, 2500, "ña¹ ab", 0.8, (Word("ña¹", 480, 900, 0.9), Word("ab", 1000, 2510, 0.7))),
        Segment(0, 4000, 5000, "", 0.0),
        Segment(1, 2000, 3250, "<b> & c", 0.5, (Word("<b>", 2000, 2000, 0.5), Word("&", 2100, 2200, 0.5))),
    ),
)


def spans(tier):
    return [(a.start_ms, a.end_ms, a.value) for a in tier.annotations]


def test_the_eaf_has_tiers_of_segments_words_and_what_to_check_for_each_channel(tmp_path, elan_schema):
    audio = tmp_path / "sonido ñ" / "a.wav"
    path = tmp_path / "out" / "a.eaf"
    writers.write(replace(TRANSCRIPT, audio=str(audio)), {"eaf": path}, unsure_below=0.7)
    elan_schema(str(path))
    document = read_eaf(path)
    assert [(t.name, t.linguistic_type, t.parent) for t in document.tiers] == [
        ("channel 1", "u2u-hf transcript", ""),
        ("channel 1 words", "u2u-hf word", "channel 1"),
        ("channel 1 unsure", "u2u-hf unsure", "channel 1"),
        ("channel 2", "u2u-hf transcript", ""),
        ("channel 2 words", "u2u-hf word", "channel 2"),
        ("channel 2 unsure", "u2u-hf unsure", "channel 2"),
    ]
    assert list(map(spans, document.tiers)) == [
        [(500, 2500, "ña¹ ab"), (4000, 5000, "")],
        [(500, 900, "ña¹"), (1000, 2500, "ab")],  # words are kept inside their segment
        [(4000, 5000, "0%")],
        [(2000, 3250, "<b> & c")],
        [(2100, 2200, "&")],
        [(2000, 3250, "50%")],
    ]
    assert document.media[0].urls == (f"file://{audio}", "../sonido ñ/a.wav")  # as ELAN writes them: nothing encoded


@pytest.mark.parametrize("theirs", [None, "t", "corrected transcript"])
def test_a_type_for_corrected_tiers_stands_ready_once(tmp_path, elan_schema, theirs):
    own = tmp_path / "mine.eaf"
    if theirs:
        write_eaf(own, [Tier("mine", (Annotation(0, 1000, "x"),), theirs)], [])
    transcript = replace(TRANSCRIPT, annotations=str(own) if theirs else "")
    writers.write(transcript, writers.planned(tmp_path / "a", ["eaf"]))
    elan_schema(tmp_path / "a.eaf")
    types = ET.parse(tmp_path / "a.eaf").findall("LINGUISTIC_TYPE")
    ready = [dict(t.attrib) for t in types if t.get("LINGUISTIC_TYPE_ID") == "corrected transcript"]
    assert [(t["TIME_ALIGNABLE"], t.get("CONSTRAINTS")) for t in ready] == [("true", None)]


def test_segments_of_a_persons_tiers_get_tiers_named_by_these(tmp_path):
    own = [Segment(1, 0, 900, "a", 1.0, tier=tier, speaker=speaker) for tier, speaker in (("A", "Ana"), ("B", ""))]
    tiers = writers.tiers_of(replace(TRANSCRIPT, segments=tuple(own)), 0.5)
    assert [(t.name, t.participant) for t in tiers[::3]] == [("A transcript", "Ana"), ("B transcript", "")]


def test_tiers_are_added_to_a_persons_file_in_its_own_time(tmp_path):
    write_eaf(tmp_path / "mine.eaf", [Tier("mine", (Annotation(0, 1000, "x"),), "t")], [])
    before = (tmp_path / "mine.eaf").read_bytes()
    transcript = replace(TRANSCRIPT, annotations=str(tmp_path / "mine.eaf"), origin_ms=1000)
    writers.write(transcript, writers.planned(tmp_path / "out" / "a", ["eaf", "textgrid"]))
    assert (tmp_path / "mine.eaf").read_bytes() == before
    tiers = {t.name: spans(t) for t in read_eaf(tmp_path / "out" / "a.eaf").tiers}
    assert tiers["mine"] == [(0, 1000, "x")]
    assert tiers["channel 1"] == [(0, 1500, "ña¹ ab"), (3000, 4000, "")]
    assert tiers["channel 1 words"] == [(0, 1500, "ab")]  # the first word is before the annotations' time 0
    grid = {t.name: spans(t) for t in read_textgrid(tmp_path / "out" / "a.TextGrid").tiers}
    assert grid["channel 1"] == [(500, 2500, "ña¹ ab")]
    assert "mine" not in grid


def test_every_format_is_written(tmp_path):
    files = writers.planned(tmp_path / "a.b", list(writers.FORMATS))
    writers.write(TRANSCRIPT, files)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"a.b.{suffix}" for suffix in ("eaf", "TextGrid", "srt", "vtt", "tsv", "json", "txt")
    )
    assert json.loads(files["json"].read_text(encoding="utf-8"))["segments"][0]["words"][0]["text"] == "ña¹"


def test_formats_that_are_none_are_named():
    assert writers.parse_formats("eaf, SRT") == ["eaf", "srt"]
    with pytest.raises(U2UError, match="'doc' is not one of eaf,textgrid"):
        writers.parse_formats("eaf,doc")
    with pytest.raises(U2UError, match="--formats: name one of eaf,textgrid"):
        writers.parse_formats(" ,")
