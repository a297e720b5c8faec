import dataclasses
import zipfile

import pytest
from correction_table import WrongCell, corrected, format_time, rows, write_files
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.formats.eaf import read_eaf
from u2u_hf.records import Segment, Transcript, Word

WORDS = (Word("ba", 500, 900, 0.9), Word("ñu", 1000, 1500, 0.5))
FIRST = Segment(0, 400, 1600, "ba ñu", 0.7, WORDS)
SECOND = Segment(1, 62_345, 64_000, "sure", 0.99)
LATER = Segment(0, 70_000, 71_000, "", 0.0)
# By channel, as they are in a transcript; in the table by time.
TRANSCRIPT = Transcript("/somewhere/a b.wav", 3_700_000, 2, (FIRST, LATER, SECOND))
TABLE = [
    ["0:00.400", "0:01.600", "1", "ba ñu", "⚠ 70%"],
    ["1:02.345", "1:04.000", "2", "sure", "99%"],
    ["1:10.000", "1:11.000", "1", "", "⚠ 0%"],
]


def test_a_row_for_each_segment_in_order_of_time():
    assert rows(TRANSCRIPT) == TABLE
    assert format_time(3_600_000 + 62_345) == "1:01:02.345"


def test_what_is_left_as_it_is_stays_what_it_was():
    assert corrected(TRANSCRIPT, TABLE) == TRANSCRIPT
    assert corrected(TRANSCRIPT, [*reversed(TABLE), ["", "", "", "", ""], [None] * 5]) == TRANSCRIPT


def test_what_a_person_wrote_is_sure_and_has_no_words():
    table = [list(row) for row in TABLE]
    table[0][3] = " ba\nnu "
    table[1][0] = "62,5"  # seconds alone, with a comma
    table[2] = ["1:00:10", "1:00:11.5", "1", "late", ""]
    assert corrected(TRANSCRIPT, table).segments == (
        Segment(0, 400, 1600, "ba nu", 1.0),
        Segment(0, 3_610_000, 3_611_500, "late", 1.0),
        Segment(1, 62_500, 64_000, "sure", 1.0),
    )


@pytest.mark.parametrize(
    ("row", "key", "column", "values"),
    [
        (["soon", "0:03", "1", "x", ""], "wrong_time", "start", {"cell": "soon"}),
        (["0:02", "", "1", "x", ""], "wrong_time", "end", {"cell": ""}),
        (["0:02", "9" * 400, "1", "x", ""], "wrong_late", "end", {"cell": "9" * 19 + "…", "last": "1:01:40.000"}),
        (["0:02", "0:03", "1" * 5000, "x", ""], "wrong_channel", "channel", {"cell": "1" * 19 + "…", "most": 2}),
        (["0:03", "0:02", "1", "x", ""], "wrong_order", "end", {"cell": "0:02", "start": "0:03"}),
        (["0:03", "2:00:00", "1", "x", ""], "wrong_late", "end", {"cell": "2:00:00", "last": "1:01:40.000"}),
        (["0:03", "0:04", "3", "x", ""], "wrong_channel", "channel", {"cell": "3", "most": 2}),
        (["0:03", "0:04", "", "x", ""], "wrong_channel", "channel", {"cell": "", "most": 2}),
        (["0:01", "0:04", "1", "x", ""], "wrong_overlap", "start", {"other": 1, "end": "0:01.600"}),
    ],
)
def test_what_elan_could_not_hold_is_named(row, key, column, values):
    with pytest.raises(WrongCell) as error:
        corrected(TRANSCRIPT, [*TABLE, row])
    assert (error.value.key, error.value.values) == (key, {"row": 4, "column": column, **values})


@given(st.integers(0, 10**8))
def test_times_are_read_as_they_are_written(ms):
    transcript = Transcript("a.wav", 10**8 + 1, 1, (Segment(0, ms, ms + 1, "x"),))
    assert corrected(transcript, rows(transcript)) == transcript


def test_the_files_lie_beside_the_recording(tmp_path, elan_schema):
    segments = (dataclasses.replace(FIRST, text="wrong"), LATER, SECOND)
    files = write_files(dataclasses.replace(TRANSCRIPT, segments=segments), tmp_path)
    assert [path.name for path in files] == ["a b.eaf", "a b.TextGrid", "a b.srt", "a b.tsv", "a b.zip"]
    elan_schema(files[0])
    document = read_eaf(files[0])
    assert document.media[0].urls[-1] == "./a b.wav"
    assert [a.value for a in document.tiers[0].annotations] == ["wrong", ""]
    assert "somewhere" not in "".join(path.read_text(encoding="utf-8") for path in files[:4])
    with zipfile.ZipFile(files[4]) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [path.read_bytes() for path in files[:4]]
