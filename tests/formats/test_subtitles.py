import csv
import html
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.files import write_text
from u2u_hf.formats.subtitles import as_json, srt, tsv, txt, vtt
from u2u_hf.records import Segment, Transcript, Word

HOUR = 3_600_000
TRANSCRIPT = Transcript(
    "sonido ñ.wav",
    124 * HOUR,
    2,
    (
        Segment(0, 123 * HOUR + 45 * 60_000 + 6_007, 124 * HOUR, "after 99 hours", 0.5),
        Segment(1, 500, 3000, 'ña¹ --> <b> & "c"\td', 0.8765, (Word("ña¹", 500, 900, 0.9),)),
        Segment(0, 1000, 2000, "dos\r\n\r\nlíneas\u2028tres ", 0.5),  # within the one on channel 1
        Segment(0, 4000, 5000, "", 0.0),
        Segment(1, 5000, 6000, " \n", 0.0),
    ),
)

SRT = """1
00:00:00,500 --> 00:00:03,000
ña¹ → <b> & "c" d

2
00:00:01,000 --> 00:00:02,000
dos líneas tres

3
123:45:06,007 --> 124:00:00,000
after 99 hours
"""

VTT = """WEBVTT

00:00:00.500 --> 00:00:03.000
<v 2>ña¹ --&gt; &lt;b&gt; &amp; "c" d

00:00:01.000 --> 00:00:02.000
<v 1>dos líneas tres

123:45:06.007 --> 124:00:00.000
<v 1>after 99 hours
"""

TSV = """start\tend\tchannel\ttier\tconfidence\ttext
0.500\t3.000\t2\t\t0.876\t"ña¹ --> <b> & ""c"" d"
1.000\t2.000\t1\t\t0.500\tdos líneas tres
4.000\t5.000\t1\t\t0.000\t
5.000\t6.000\t2\t\t0.000\t
445506.007\t446400.000\t1\t\t0.500\tafter 99 hours
"""

TXT = """ña¹ --> <b> & "c" d
dos líneas tres
after 99 hours
"""


@pytest.mark.parametrize(("render", "expected"), [(srt, SRT), (vtt, VTT), (tsv, TSV), (txt, TXT)])
def test_cues_are_in_order_of_time_on_one_line_and_escaped(render, expected):
    assert render(TRANSCRIPT) == expected


@pytest.mark.parametrize(
    ("render", "expected"),
    [(srt, ""), (vtt, "WEBVTT\n"), (tsv, "start\tend\tchannel\ttier\tconfidence\ttext\n"), (txt, "")],
)
def test_a_transcript_without_speech(render, expected):
    assert render(Transcript("a.wav", 1000, 1, ())) == expected


def test_json_holds_everything_as_it_is():
    held = json.loads(as_json(TRANSCRIPT))
    assert [s["text"] for s in held["segments"]] == [s.text for s in TRANSCRIPT.segments]
    assert held["segments"][1] == {
        "channel": 1,
        "start_ms": 500,
        "end_ms": 3000,
        "text": 'ña¹ --> <b> & "c"\td',
        "confidence": 0.8765,
        "words": [{"text": "ña¹", "start_ms": 500, "end_ms": 900, "confidence": 0.9}],
        "tier": "",
        "speaker": "",
        "expected_errors": None,
        "sound": [],
        "turn": 0,
    }
    assert (held["audio"], held["duration_ms"], held["channels"], held["note"]) == ("sonido ñ.wav", 124 * HOUR, 2, "")


def test_a_file_name_that_is_not_utf_8_goes_into_json_and_back(tmp_path):
    name = b"se\xf1or \xe2\x82\xac.wav".decode("utf-8", "surrogateescape")
    text = as_json(Transcript(name, 1000, 1, ()))
    write_text(tmp_path / "a.json", text)
    assert json.loads((tmp_path / "a.json").read_bytes())["audio"] == name
    assert "€" in text


texts = st.text(st.characters(blacklist_categories=["Cs"]))
transcripts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4 * 10**8), st.integers(1, 10**6), texts)).map(
    lambda rows: Transcript("a.wav", 10**9, 3, tuple(Segment(c, t, t + d, text, 0.5) for c, t, d, text in rows))
)


def ms(clock):
    hours, minutes, seconds, rest = map(int, re.split("[:,.]", clock))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def spoken(transcript):
    heard = [(s.start_ms, s.end_ms, s.channel, " ".join(s.text.split())) for s in transcript.segments if s.text.strip()]
    return sorted(heard, key=lambda row: (row[0], row[2]))


@given(transcripts)
def test_whatever_the_text_subtitles_keep_their_form(transcript):
    """Read by the rules of the formats: blocks between blank lines, of which the second holds the times."""
    expected = spoken(transcript)
    cues = [block.splitlines() for block in srt(transcript).split("\n\n") if block]
    assert [cue[0] for cue in cues] == [str(n + 1) for n in range(len(expected))]
    found = [(*map(ms, cue[1].split(" --> ")), "\n".join(cue[2:])) for cue in cues]
    assert found == [(start, end, text.replace("-->", "→")) for start, end, _, text in expected]

    first, *cues = vtt(transcript).removesuffix("\n").split("\n\n")
    assert first == "WEBVTT"
    found = []
    for cue in cues:
        times, voiced = cue.split("\n")
        voice, text = re.fullmatch("<v ([0-9]+)>([^<>]*)", voiced).groups()
        found.append((*map(ms, times.split(" --> ")), int(voice) - 1, html.unescape(text)))
    assert found == [(*row[:3], row[3]) for row in expected]


@given(transcripts)
def test_whatever_the_text_the_table_has_a_line_for_each_segment(transcript):
    text = tsv(transcript)
    assert text.count("\n") == len(transcript.segments) + 1
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))[1:]
    assert sorted(row[5] for row in rows) == sorted(" ".join(s.text.split()) for s in transcript.segments)
    assert [float(row[0]) for row in rows] == sorted(s.start_ms / 1000 for s in transcript.segments)
