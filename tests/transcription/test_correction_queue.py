import csv
import io

import pytest

from u2u_hf.formats.subtitles import as_json
from u2u_hf.records import Segment, Transcript, U2UError
from u2u_hf.transcription.correction_queue import correction_queue

SEGMENTS = (
    Segment(0, 0, 6000, "abcde fghij", 0.9),  # 10 characters, 1 of them doubtful in 0.1 minutes: 10 a minute
    Segment(1, 6000, 9000, "abcde", 0.8, tier="A\tB"),  # 1 of 5 in 0.05: 20 a minute
    Segment(0, 9000, 69_000, "abcdefghij abcdefghij", 0.6),  # 8 of 20 in 1 minute
    Segment(0, 70_000, 71_000, " ", 0.0),
)


def rows(tmp_path, **settings):
    for name, segments in (("a", SEGMENTS[:2]), ("b", SEGMENTS[2:])):
        transcript = Transcript(f"{name}.wav", 99_000, 2, segments)
        (tmp_path / f"{name}.json").write_text(as_json(transcript), encoding="utf-8")
    table = correction_queue([tmp_path / "a.json", tmp_path / "b.json"], **settings)
    return [list(row.values()) for row in csv.DictReader(io.StringIO(table, newline=""), dialect="excel-tab")]


def test_what_gives_most_for_a_minute_of_listening_comes_first(tmp_path):
    assert rows(tmp_path) == [
        ["a.wav", "6.000", "9.000", "2", "A\tB", "0.800", "20.0", "0.05", "abcde"],
        ["a.wav", "0.000", "6.000", "1", "", "0.900", "10.0", "0.15", "abcde fghij"],
        ["b.wav", "9.000", "69.000", "1", "", "0.600", "8.0", "1.15", "abcdefghij abcdefghij"],
    ]


def test_the_worst_fit_comes_first(tmp_path):
    assert [row[5] for row in rows(tmp_path, by_confidence=True)] == ["0.600", "0.800", "0.900"]


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON", '{"text": ["a person\'s own"]}'])
def test_what_is_no_transcript_is_named(tmp_path, content):
    (tmp_path / "notes.json").write_text(content)
    with pytest.raises(U2UError, match=r"notes\.json: is not a transcript: take it out"):
        correction_queue([tmp_path / "notes.json"])
