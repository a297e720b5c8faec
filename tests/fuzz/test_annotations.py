"""Damaged annotation files: by themselves, in the preparation of a corpus, and with tiers added."""

import os
import struct
from pathlib import Path

import pytest
import soundfile
from support.eaf_text import aligned, document, referring, slots, tier

from u2u_hf.corpus.channels import channel_rule
from u2u_hf.corpus.preparation import PreparationSettings, inspect
from u2u_hf.corpus.split_table import read_sides
from u2u_hf.data import audio
from u2u_hf.formats import readers
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.eaf_edit import add_tiers
from u2u_hf.records import Annotation, Tier
from u2u_hf.reports import terminal
from u2u_hf.reports.digest import digest
from u2u_hf.reports.html_report import html_report
from u2u_hf.reports.json_report import json_report

NEW = [Tier("heard", (Annotation(100, 900, "ña"),), linguistic_type="u2u-hf transcript")]
HEADER = (
    '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Ana/a.wav" '
    'MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="./a.wav" TIME_ORIGIN="0"/>'
    '<PROPERTY NAME="lastUsedAnnotationId">9</PROPERTY></HEADER>'
)
EAF = document(
    slots(ts1=0, ts2=500, ts3=1000, ts4=None, ts5=2000, ts6=2500),
    tier("A", aligned("a1", "ts1", "ts2", "ña¹ mi'o"), aligned("a2", "ts3", "ts6", "&lt;unk&gt;"), PARTICIPANT="Ana"),
    tier("words", aligned("a3", "ts3", "ts4", "d"), aligned("a4", "ts4", "ts5", "os"), PARENT_REF="A"),
    tier("gloss", referring("a5", "a1", "one"), referring("a6", "a2", "x"), referring("a7", "a2", "y", "a6")),
    '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" CONSTRAINTS="Time_Subdivision" TIME_ALIGNABLE="true"/>'
    '<CONSTRAINT STEREOTYPE="Time_Subdivision" DESCRIPTION="…"/>',
    header=HEADER,
)
INTERVALS = ((0, 0.5, ""), (0.5, 1.25, 'ña¹ dijo ""ab""'), (1.25, 2.5, "sa\\ngi\nlínea"))
SHORT_TIER = "\n".join(f'{start}\n{end}\n"{text}"' for start, end, text in INTERVALS)
SHORT = (
    f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2.5\n<exists>\n2\n"IntervalTier"\n"A"\n0\n2.5\n3\n'
    f'{SHORT_TIER}\n"TextTier"\n"bell"\n0\n2.5\n1\n1.5\n"!"\n'
)
LONG_TIER = "\n".join(
    f'  intervals [{n}]:\n    xmin = {start}\n    xmax = {end}\n    text = "{text}"'
    for n, (start, end, text) in enumerate(INTERVALS, 1)
)
LONG = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 2.5\ntiers? <exists>\nsize = 1\n'
    'item []:\n item [1]:\n  class = "IntervalTier"\n  name = "A"\n  xmin = 0\n  xmax = 2.5\n  intervals: size = 3\n'
    f"{LONG_TIER}\n"
)


def binary():
    def text(value):
        units = value.encode("utf-16-be")
        return b"\xff\xff" + struct.pack(">H", len(units) // 2) + units

    parts = [b"ooBinaryFile\x08TextGrid", struct.pack(">dd?i", 0, 2.5, True, 1), b"\x0cIntervalTier", text("A")]
    parts.append(struct.pack(">ddi", 0, 2.5, len(INTERVALS)))
    for start, end, value in INTERVALS:
        parts += [struct.pack(">dd", start, end), text(value)]
    return b"".join(parts)


def with_real_files(made):
    """Add the real ELAN files, where they are known."""
    folder = os.environ.get("FIELD_RECORDINGS")
    real = sorted(Path(folder).rglob("*.eaf")) if folder else []
    return made | {f"{path.stem}.eaf": path.read_bytes() for path in real}


FILES = {
    "a.eaf": EAF.encode(),
    "a.EAF": EAF.encode("utf-16"),
    "a.TextGrid": LONG.encode(),
    "b.TextGrid": SHORT.encode(),
    "c.TextGrid": SHORT.encode("utf-16"),
    "d.textgrid": binary(),
    "metadata.csv": 'file_name,transcription,speaker\na.wav,ña mi\'o,Ana\nsub/b.wav,"dos, tres",\n'.encode(),
    "metadata.jsonl": b'{"file_name": "a.wav", "text": "dos", "speaker": "Ana"}\n{"file_name": "b.wav", "text": ""}\n',
    "t.csv": 'audio;start;end;text;speaker\na.wav;0,5;1,25;ña¹;Ana\na.wav;00:00:01.500;1:02;"d""os";Eva\n'.encode(),
    "t.tsv": "audio\tstart\tend\ttext\na.wav\t0.5\t1.25\tña\n".encode(),
}
TABLES = {
    "splits.csv": b"recording,split\na,train\nb,validation\nc,test\n",
    "channels.csv": b"recording,left,right\na,Ana,Eva\nb.wav,AG500,\n",
}
WORDS = (
    *(b"TIME_SLOT_REF1", b"TIME_VALUE=", b"ANNOTATION_REF=", b"PREVIOUS_ANNOTATION=", b"PARENT_REF=", b"TIER_ID="),
    *(b"<TIER>", b"</TIER>", b"<ANNOTATION_VALUE>", b"<TIME_SLOT/>", b'"A"', b'"a1"', b'"a6"', b'"ts4"', b"PAL-frames"),
    *(b'<!DOCTYPE a [<!ENTITY b SYSTEM "secret.wav">]>', b'encoding="utf-7"', b'encoding="x"', b"&amp;", b"%ignore%"),
    *(b"<exists>", b'"IntervalTier"', b'"TextTier"', b"1e308", b"1e-05", b"99999999", b"../a.wav", b"/a.wav", b"C:a"),
    *(b"\\ng", b"<b>", b"[a]", b"b<um>ili", b'"file_name"', b'"text": 5', b"audio", b"speaker", b"a.wav\0"),
)


@pytest.fixture
def recording(tmp_path):
    folder = tmp_path / "beside"
    folder.mkdir()
    soundfile.write(folder / "a.wav", [0.1, -0.1] * 12_000, 8_000)
    return folder


def require_well_formed(document, path):
    assert document.path == str(path)
    names = [tier.name for tier in document.tiers]
    assert len(set(names)) == len(names)
    for one in document.tiers:
        times = [(a.start_ms, a.end_ms) for a in one.annotations]
        assert times == sorted(times)
        assert all(type(time) is int for span in times for time in span)
        "".join((one.name, one.participant, *(a.value for a in one.annotations))).encode()


def prepared(folder):
    """Go the way of recipes/prepare.py up to the reports."""
    found = digest(inspect(PreparationSettings(corpus=str(folder), tiers=["*"]), audio), folder)
    for text in (terminal.inspection(found), terminal.summary(found), html_report(found), json_report(found)):
        text.encode()


def use(folder, name):
    path = folder / name
    reader = readers.reader_of(path)
    assert readers.label(path)
    if reader is None:  # a table that does not look like one
        return
    documents, _ = reader.read(path, lambda audio_path: audio.audio_info(audio_path).duration_ms)
    for one in documents:
        require_well_formed(one, path)
    if path.suffix.lower() == ".eaf":
        target = path.with_name("more.xml")
        add_tiers(path, target, NEW, {})
        before, after = documents[0].tiers, read_eaf(target).tiers
        assert after[: len(before)] == before
        assert [t.annotations for t in after[len(before) :]] == [NEW[0].annotations]
        target.unlink()
    prepared(folder)


def test_a_damaged_annotation_file_is_read_or_named(fuzz, recording):
    fuzz(use, with_real_files(FILES), recording, WORDS, examples=2000)


def use_table(folder, name):
    if name == "splits.csv":
        assert set(read_sides(folder / name, "recording").values()) <= {"train", "validation", "test"}
    else:
        channel_rule([name], folder)


def test_a_damaged_table_of_splits_or_channels_is_read_or_named(fuzz):
    fuzz(use_table, TABLES, words=(b"recording", b"split", b"speaker", b"train", b"test"), examples=300)
