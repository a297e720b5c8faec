import json

import pytest
from corrections import corrected, received

from u2u_hf.records import Segment, Transcript, U2UError, Word

WORDS = (Word("ba", 500, 900, 0.9), Word("ñu", 1000, 1500, 0.5))
FIRST = Segment(0, 400, 1600, "ba ñu", 0.7, WORDS, expected_errors=1.5)
LATER = Segment(0, 7000, 7100, "", 0.0)
SECOND = Segment(1, 1000, 3000, "sure", 0.99)
TRANSCRIPT = Transcript("a.wav", 10_000, 2, (FIRST, LATER, SECOND))
WORD = {"text": "ba", "start_ms": 500, "end_ms": 900, "confidence": 0.9}
FIELDS = {"channel": 0, "start_ms": 400, "end_ms": 1600, "text": "ba", "confidence": 0.7, "words": [WORD]}


def test_what_was_not_corrected_stays_what_it_was():
    assert corrected(TRANSCRIPT, [0, 1, 2]) == TRANSCRIPT
    assert corrected(TRANSCRIPT, [2, 0]).segments == (FIRST, SECOND)


def test_corrected_segments_replace_recognised_ones():
    moved = FIELDS | {"channel": 1, "start_ms": 9990, "end_ms": 10_000, "text": " ñuu\n\x00\ud800 ", "words": []}
    assert corrected(TRANSCRIPT, [moved, 1, FIELDS]).segments == (
        Segment(0, 400, 1600, "ba", 0.7, (Word("ba", 500, 900, 0.9),)),
        LATER,
        Segment(1, 9990, 10_000, "ñuu \ufffd\ufffd", 0.7),
    )
    assert corrected(TRANSCRIPT, []).segments == ()


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (3, "segment 1: must be a whole number from 0 to 2"),
        (-1, "segment 1: must be a whole number from 0 to 2"),
        (True, "segment 1: must be a whole number from 0 to 2"),
        ("0", "segment 1: must be a whole number from 0 to 2"),
        (None, "segment 1: must be a whole number from 0 to 2"),
        ({}, "segment 1, channel: must be"),
        (FIELDS | {"channel": 2}, "segment 1, channel: must be a whole number from 0 to 1"),
        (FIELDS | {"start_ms": -1}, "segment 1, start: must be"),
        (FIELDS | {"start_ms": 400.5}, "segment 1, start: must be"),
        (FIELDS | {"end_ms": 400}, "segment 1, end: must be a whole number from 401 to 10000"),
        (FIELDS | {"end_ms": 10_001}, "segment 1, end: must be"),
        (FIELDS | {"text": 5}, "segment 1, text: must be a text of at most 10000 characters"),
        (FIELDS | {"text": "a" * 10_001}, "segment 1, text: must be"),
        (FIELDS | {"confidence": 1.1}, "segment 1, confidence: must be a number from 0 to 1"),
        (FIELDS | {"confidence": float("nan")}, "segment 1, confidence: must be"),
        (FIELDS | {"confidence": True}, "segment 1, confidence: must be"),
        (FIELDS | {"words": {}}, "segment 1: the words are no list"),
        (FIELDS | {"words": [5]}, "segment 1: a word has no fields"),
        (FIELDS | {"words": [WORD | {"end_ms": 1601}]}, "segment 1, word 1, end: must be"),
        (FIELDS | {"words": [WORD, WORD]}, "segment 1, word 2, start: must be a whole number from 900 to 1599"),
        (FIELDS | {"words": [WORD | {"text": None}]}, "segment 1, text: must be"),
    ],
)
def test_what_no_editor_sends_is_refused(item, problem):
    with pytest.raises(U2UError) as error:
        corrected(TRANSCRIPT, [item])
    assert str(error.value).startswith(problem)


def test_segments_of_a_channel_may_not_overlap():
    touching = FIELDS | {"start_ms": 1600, "end_ms": 1700, "words": []}
    assert len(corrected(TRANSCRIPT, [touching, 0]).segments) == 2
    with pytest.raises(U2UError, match="segments of channel 1 overlap at 1599 ms"):
        corrected(TRANSCRIPT, [0, touching | {"start_ms": 1599}])
    with pytest.raises(U2UError, match="overlap"):
        corrected(TRANSCRIPT, [2, 2])


def test_no_more_than_a_person_could_correct_is_taken(monkeypatch):
    monkeypatch.setattr("corrections._MOST_SEGMENTS", 2)
    with pytest.raises(U2UError, match="there are 3 segments; the limit is 2"):
        corrected(TRANSCRIPT, [0, 1, 2])


def test_a_message_is_an_id_and_segments(monkeypatch):
    assert received(json.dumps({"id": "ab", "segments": [0]})) == ("ab", [0])
    wrong = [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"id": "ab"}',
        '{"id": 1, "segments": []}',
        '{"id": "ab", "segments": {}}',
        7,
    ]
    for sent in wrong:
        with pytest.raises(U2UError, match="not what the editor sends"):
            received(sent)
    monkeypatch.setattr("corrections._MOST_SENT", 10)
    with pytest.raises(U2UError, match="not what the editor sends"):
        received('{"id": "ab", "segments": []}')
