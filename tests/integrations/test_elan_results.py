"""Result files, read back as ELAN reads them."""

import pytest

from u2u_hf.integrations.elan.parameters import ALIGN, FIND_SPEECH, TRANSCRIBE
from u2u_hf.integrations.elan.results import curve_document, result_tiers, tiers_document
from u2u_hf.records import Annotation, Segment, Transcript, Word

pytest_plugins = ["support.elan_host"]

WORDS = (Word("ka", 17_492, 17_700, 0.9), Word("ñuu", 17_700, 18_101, 0.5))
UNSURE = Segment(0, 17_492, 18_492, "ka ñuu", 0.7, WORDS)
SURE = Segment(1, 18_000_001, 18_000_999, "ti", 0.99, (Word("ti", 18_000_001, 18_000_999, 0.99),))
STEREO = Transcript("a.wav", 18_100_000, 2, (UNSURE, SURE))


def test_each_channel_has_a_tier_and_what_is_empty_has_none():
    assert result_tiers(TRANSCRIBE, STEREO, 0.95) == {
        "channel_1": (Annotation(17_492, 18_492, "ka ñuu"),),
        "channel_1_words": (Annotation(17_492, 17_700, "ka"), Annotation(17_700, 18_101, "ñuu")),
        "channel_1_unsure": (Annotation(17_492, 18_492, "70%"),),
        "channel_2": (Annotation(18_000_001, 18_000_999, "ti"),),
        "channel_2_words": (Annotation(18_000_001, 18_000_999, "ti"),),
    }


def test_one_channel_and_a_chosen_tier_have_plain_names():
    mono = Transcript("a.wav", 18_100_000, 1, (UNSURE,))
    assert list(result_tiers(TRANSCRIBE, mono, 0.95)) == ["transcript", "transcript_words", "transcript_unsure"]
    chosen = Transcript("a.wav", 18_100_000, 2, (Segment(1, 0, 900, "ti", 0.99, (), "chosen tier"),))
    assert list(result_tiers(TRANSCRIBE, chosen, 0.95)) == ["transcript"]


def test_aligned_words_come_with_the_fit_of_every_transcript():
    first = Segment(0, 0, 1000, "ka", 0.31, (Word("ka", 100, 300, 0.3),), "chosen tier")
    second = Segment(0, 1000, 2000, "ti", 1.0, (Word("ti", 1100, 1300, 1.0),), "chosen tier")
    assert result_tiers(ALIGN, Transcript("a.wav", 9000, 1, (first, second)), 0.95) == {
        "aligned_words": (Annotation(100, 300, "ka"), Annotation(1100, 1300, "ti")),
        "aligned_fit": (Annotation(0, 1000, "31%"), Annotation(1000, 2000, "100%")),
    }


def test_found_speech_is_segments_alone():
    found = Transcript("a.wav", 9000, 2, (Segment(0, 0, 900), Segment(1, 5, 700)))
    assert result_tiers(FIND_SPEECH, found, 0.95) == {
        "speech_channel_1": (Annotation(0, 900, ""),),
        "speech_channel_2": (Annotation(5, 700, ""),),
    }
    assert list(result_tiers(FIND_SPEECH, Transcript("a.wav", 9000, 1, (Segment(0, 0, 900),)), 0.95)) == ["speech"]


def load(new_elan, tmp_path, document, what="tiers"):
    file = tmp_path / "result.xml"
    file.write_text(document, encoding="utf-8")
    return getattr(new_elan(), what)(file)


def test_elan_reads_names_texts_and_times_as_they_are(new_elan, tmp_path):
    texts = ["a & b", "<i>ña</i>", 'said "no"', "]]>", "ʔ̃", "", "\x00\ud800", "x" * 10_000]
    annotations = [Annotation(18_000_000 + 1001 * n, 18_000_000 + 1001 * n + 999, text) for n, text in enumerate(texts)]
    loaded = load(new_elan, tmp_path, tiers_document({"channel_1": annotations, "channel_2": []}))
    assert loaded.errors == []
    texts[6] = "\ufffd\ufffd"
    assert loaded.tiers == {
        "channel_1": [(a.start_ms, a.end_ms, text) for a, text in zip(annotations, texts, strict=True)],
        "channel_2": [],
    }


def test_elan_would_lose_milliseconds_of_seconds(new_elan, tmp_path):
    document = '<TIER columns="a">{}</TIER>'
    spans = "".join(
        f'<span start="{start}" end="{start}"><v>x</v></span>' for start in ("0.251", "18000.001", "18000001")
    )
    assert [start for start, *_ in load(new_elan, tmp_path, document.format(spans)).tiers["a"]] == [
        250,
        18_000_002,
        18_000_001,
    ]


def test_elan_would_split_a_name_at_its_space(new_elan, tmp_path):
    assert list(load(new_elan, tmp_path, tiers_document({"channel 1": []})).tiers) == ["channel", "1"]


@pytest.mark.parametrize(
    ("document", "error"), [("", "Premature end of file."), ("<TIERS/>", "No tiers found in the TIER file")]
)
def test_elan_would_refuse_a_file_without_tiers(new_elan, tmp_path, document, error):
    assert load(new_elan, tmp_path, document).errors == [error]


def test_the_curve_is_level_in_words_and_breaks_between_them(new_elan, tmp_path):
    words = (Word("ka", 0, 100, 0.9), Word("ti", 100, 200, 0.5), Word("ña", 900, 950, 0.25))
    mono = Transcript(
        "a.wav", 9000, 1, (Segment(0, 0, 200, "ka ti", 0.7, words[:2]), Segment(0, 900, 990, "ña", 0.2, words[2:]))
    )
    loaded = load(new_elan, tmp_path, curve_document(mono), "tracks")
    assert loaded.tracks == {
        "confidence": [
            (0, 0.9, False),
            (99, 0.9, False),
            (100, 0.5, False),
            (199, 0.5, False),
            (900, 0.25, True),
            (949, 0.25, False),
        ]
    }


def test_the_curves_of_two_channels_do_not_break_each_other(new_elan, tmp_path):
    left = Segment(0, 0, 1000, "ka", 0.9, (Word("ka", 0, 1000, 0.9),))
    right = Segment(1, 500, 700, "ti", 0.4, (Word("ti", 500, 700, 0.4),))
    loaded = load(new_elan, tmp_path, curve_document(Transcript("a.wav", 9000, 2, (left, right))), "tracks")
    assert {value for _, value, _ in loaded.tracks["confidence_channel_1"]} == {0.9}
    assert not any(begins for *_, begins in loaded.tracks["confidence_channel_1"])
    assert [time for time, *_ in loaded.tracks["confidence_channel_2"]] == [500, 699]


def test_without_words_there_is_no_curve():
    assert curve_document(Transcript("a.wav", 9000, 1, (Segment(0, 0, 900),))) == ""
