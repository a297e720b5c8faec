"""TextGrids that do not begin at 0, beside a part of the recording and beside all of it."""

from pathlib import Path

import pytest
from support.corpus_folder import make_corpus

from u2u_hf.corpus.reader import read_corpus, utterances
from u2u_hf.corpus.text_rules import TextRules
from u2u_hf.corpus.time_domain import domain_origin_ms
from u2u_hf.records import U2UError


@pytest.mark.parametrize(
    ("domain_ms", "length_ms", "origin_ms"),
    [
        ((10_000, 20_000), 10_000, -10_000),
        ((10_000, 20_000), 10_013, -10_000),  # an MP3 is a little longer
        ((10_000, 20_000), 20_000, 0),
        ((10_000, 20_000), 95_000, 0),
        ((-5_000, 10_000), 15_000, 5_000),
        ((-5_000, 10_000), 10_000, 0),
        ((0, 10_000), 7_000, 0),
        ((0, 0), 7_000, 0),
    ],
)
def test_the_length_tells_whose_time_it_is(domain_ms, length_ms, origin_ms):
    assert domain_origin_ms(domain_ms, Path("a.wav"), lambda path: length_ms) == origin_ms


def test_without_a_length_the_times_are_the_recordings():
    def broken(path):
        raise U2UError(f"{path}: is broken")

    assert domain_origin_ms((10_000, 20_000), Path("a.wav"), broken) == 0
    assert domain_origin_ms((10_000, 20_000), Path("a.wav"), None) == 0


def test_an_extracted_part_is_read_in_its_sounds_time(tmp_path):
    root = make_corpus(tmp_path / "corpus", "part.wav")
    grid = '"ooTextFile" "TextGrid" 10 20 <exists> 1 "IntervalTier" "t" 10 20 1 12.5 20 "ka"'
    (root / "part.TextGrid").write_text(grid, encoding="utf-8")
    [recording], _ = read_corpus(root, lambda path: 10_000)
    [found] = utterances([recording], {"part": list(recording.document.tiers)}, TextRules())
    assert (found.start_ms, found.end_ms) == (2500, 10_000)
    assert recording.origin_ms == -10_000  # reports show the time as Praat does
