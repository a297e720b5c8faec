import csv
import io

import numpy as np
import pytest

from u2u_hf.formats.eaf import read_eaf
from u2u_hf.formats.subtitles import as_json
from u2u_hf.formats.writers import planned, write
from u2u_hf.records import QUEUE_TYPE, Segment, Transcript, U2UError
from u2u_hf.transcription.correction_queue import COLUMNS, correction_queue, kinds_of_sound, minutes_of_work, with_turns

# Work: twice the length, and 1.8 s for each expected error.
SEGMENTS = (
    Segment(0, 0, 6000, "abcde fghij", 0.9),  # 1 of 10 characters doubtful: 12 + 1.8 s, 4.35 a minute
    Segment(1, 6000, 9000, "abcde", 0.8, tier="A\tB"),  # 1 of 5: 6 + 1.8 s, 7.69 a minute
    Segment(0, 9000, 69_000, "abcdefghij abcdefghij", 0.6),  # 8 of 20: 120 + 14.4 s, 3.57 a minute
    Segment(0, 70_000, 71_000, " ", 0.0),
    Segment(0, 3_672_345, 3_675_345, "abcde", 0.99, expected_errors=10.0),  # 6 + 18 s: 25 a minute
)


def table(tmp_path, **settings):
    for name, segments in (("a", SEGMENTS[:2]), ("b", SEGMENTS[2:])):
        transcript = Transcript(str(tmp_path / name / "talk.wav"), 9_900_000, 2, segments)
        (tmp_path / f"{name}.json").write_text(as_json(transcript), encoding="utf-8")
    return correction_queue([tmp_path / "a.json", tmp_path / "b.json"], **settings)


def rows(tmp_path, **settings):
    text = table(tmp_path, **settings).removeprefix("\ufeff")
    return [list(row.values()) for row in csv.DictReader(io.StringIO(text, newline=""), dialect="excel-tab")]


def test_what_fixes_most_errors_in_a_minute_of_work_comes_first(tmp_path):
    times = "00:00:06.000", "00:00:09.000"
    assert rows(tmp_path) == [
        ["1", "b/talk.wav", "01:01:12.345", "01:01:15.345", "1", "", "0.990", "10.0", "25.0", "0.40", "abcde"],
        ["2", "a/talk.wav", *times, "2", "A\tB", "0.800", "1.0", "7.7", "0.53", "abcde"],
        ["3", "a/talk.wav", "00:00:00.000", "00:00:06.000", "1", "", "0.900", "1.0", "4.3", "0.76", "abcde fghij"],
        ["4", "b/talk.wav", *("00:00:09.000", "00:01:09.000"), "1", "", "0.600", "8.0", "3.6", "3.00",
         "abcdefghij abcdefghij"],
    ]  # fmt: skip


def test_excel_sees_the_encoding_and_the_columns(tmp_path):
    data = table(tmp_path).encode("utf-8")
    assert data.startswith(b"\xef\xbb\xbforder\trecording\tstart\t")
    assert table(tmp_path).split("\n")[0].removeprefix("\ufeff").split("\t") == list(COLUMNS)


def test_the_worst_fit_comes_first(tmp_path):
    assert [row[6] for row in rows(tmp_path, by_confidence=True)] == ["0.600", "0.800", "0.900", "0.990"]


def minutes_first(tmp_path, segments):
    """Recordings in the order of the queue."""
    paths = []
    for number, (audio, own) in enumerate(segments):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(as_json(Transcript(audio, 9_900_000, 1, tuple(own))), encoding="utf-8")
    text = correction_queue(paths).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), dialect="excel-tab"))


def test_a_recording_of_which_much_is_queued_counts_less(tmp_path):
    # Each segment: 120 s of hearing and 60 · 1.8 s: 3.8 minutes. Of the first recording 60 errors, of the second 40.
    many = [Segment(0, n * 60_000, (n + 1) * 60_000, "a" * 90, 0.5, expected_errors=60.0) for n in range(9)]
    few = [Segment(0, n * 60_000, (n + 1) * 60_000, "a" * 90, 0.5, expected_errors=40.0) for n in range(9)]
    found = [row["recording"] for row in minutes_first(tmp_path, [("/c/one.wav", many), ("/c/two.wav", few)])]
    # Worth 15.8 and 12.5 a minute; after one of the first: 15.8 / 1.38², for its recording and its voice, is 8.3.
    assert found[:3] == ["one.wav", "two.wav", "one.wav"]
    assert sorted(found[:8]) == ["one.wav"] * 4 + ["two.wav"] * 4
    assert len(found) == 18


def test_kinds_of_sound_are_found_and_spread_over(tmp_path):
    random = np.random.default_rng(0)
    centres = ((0.0, -9.0), (-9.0, 0.0))
    sounds = [tuple(random.normal(centres[n % 2], 0.3).tolist()) for n in range(20)]
    kinds = kinds_of_sound(sounds)
    assert len(set(kinds)) == 2
    assert kinds == [kinds[n % 2] for n in range(20)]
    assert kinds_of_sound(sounds[:19]) == [0] * 19  # too few to tell kinds
    assert kinds_of_sound([(), *sounds]) == [0] * 21
    # Kind 0 is expected to have more errors; after its first ones kind 1 has its turn, though it is worth less.
    segments = [
        Segment(0, n * 60_000, (n + 1) * 60_000, "a" * 90, 0.5, expected_errors=60.0 - n % 2 * 10, sound=sounds[n])
        for n in range(20)
    ]
    starts = [row["start"] for row in minutes_first(tmp_path, [("/c/one.wav", segments)])][:6]
    assert {int(start[3:5]) % 2 for start in starts[:2]} == {0, 1}
    assert sum(int(start[3:5]) % 2 for start in starts) >= 2


def test_a_persons_time_by_hand():
    assert minutes_of_work(6000, 10) == pytest.approx((12 + 18) / 60)


def test_the_segments_with_half_of_the_errors_get_a_tier_in_elan(tmp_path, elan_schema):
    segments = (
        Segment(0, 0, 2000, "abc", 0.9, expected_errors=1.0),
        Segment(0, 3000, 5000, "ñ & d", 0.5, expected_errors=4.0),
        Segment(0, 5000, 6000, "", 0.0),
        Segment(0, 6000, 8000, "efg", 0.5, expected_errors=3.0),
        Segment(0, 8000, 8400, "h", 0.5, expected_errors=0.4),
    )
    found = with_turns(Transcript(str(tmp_path / "talk.wav"), 9000, 1, segments))
    # Of 8.4 errors half are 4.2: worth 4 / (4 + 7.2) and 3 / (4 + 5.4).
    assert [segment.turn for segment in found.segments] == [0, 1, 0, 2, 0]
    files = planned(tmp_path / "talk", ["eaf"])
    write(found, files)
    [tier] = [tier for tier in read_eaf(files["eaf"]).tiers if tier.linguistic_type == QUEUE_TYPE]
    assert (tier.name, tier.parent, tier.constraint) == ("transcript queue", "transcript", "Symbolic_Association")
    assert [(a.start_ms, a.value) for a in tier.annotations] == [(3000, "1: 4 errors"), (6000, "2: 3 errors")]
    elan_schema(files["eaf"])


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON", '{"text": ["a person\'s own"]}'])
def test_what_is_no_transcript_is_named(tmp_path, content):
    (tmp_path / "notes.json").write_text(content)
    with pytest.raises(U2UError, match=r"notes\.json: is not a transcript: take it out"):
        correction_queue([tmp_path / "notes.json"])
