"""Neighbouring utterances joined to longer training examples."""

import numpy as np
import pytest
from datasets import Dataset

from u2u_hf.data.audio import flac_bytes
from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.neighbours import Examples, neighbours
from u2u_hf.recognition.model import load_processor

RATE = 16_000


def split(*rows):
    """Rows (speaker, start in s, end in s, text) of one recording, each a tone of its own height."""
    described = []
    for number, (speaker, start, end, text) in enumerate(rows):
        t = np.arange(round((end - start) * RATE)) / RATE
        described.append(
            {
                "audio": {"bytes": flac_bytes(0.5 * np.sin(2 * np.pi * 100 * (number + 1) * t)), "path": "a"},
                "text": text,
                "raw_text": text,
                "speaker": speaker,
                "recording": "r",
                "tier": speaker,
                "channel": 0,
                "start_ms": round(start * 1000),
                "end_ms": round(end * 1000),
                "duration": end - start,
            }
        )
    return Dataset.from_list(described)


# Ana speaks three times, and Juan between; the rows are not in order of time.
TALK = split(
    ("Ana", 5.0, 6.0, "ñuu"),
    ("Ana", 0.0, 1.0, "ya'a"),
    ("Juan", 1.0, 2.0, "aan"),
    ("Ana", 1.2, 2.2, "ka'an"),
)


def test_what_one_speaker_says_is_joined_in_order_of_time_and_never_with_another():
    groups = [neighbours(TALK, 0.5, 20, seed) for seed in range(20)]
    assert {group for found in groups for group in found} == {(1, 3), (1, 3, 0), (3, 0)}
    assert all(len(found) == 2 for found in groups)  # one that begins with each but Ana's last


def test_a_joined_example_has_both_texts_and_the_pause_between_as_it_was():
    examples = Examples(TALK, [(1, 3), (1, 3, 0)])
    assert len(examples) == 6
    assert examples.texts[4:] == ["ya'a ka'an", "ya'a ka'an ñuu"]
    assert examples.durations == pytest.approx([1, 1, 1, 1, 2.2, 3.7])  # of 2.8 s of pause half a second stays
    samples = examples[5]["samples"]
    assert len(samples) == 3.7 * RATE
    apart = [examples[row]["samples"] for row in (1, 3, 0)]
    for begin, part in zip((0, 1.2, 2.7), apart, strict=True):
        assert np.array_equal(samples[round(begin * RATE) : round(begin * RATE) + RATE], part)


def test_the_pause_is_as_loud_as_the_quietest_moment():
    quiet = np.concatenate([np.full(RATE, 0.25), np.random.default_rng(0).normal(0, 0.01, RATE)])
    rows = split(("Ana", 0, 2, "a"), ("Ana", 2.5, 4.5, "b")).to_list()
    rows = [row | {"audio": {"bytes": flac_bytes(quiet), "path": "a"}} for row in rows]
    joined = Examples(Dataset.from_list(rows), [(0, 1)])[2]["samples"]
    pause = joined[2 * RATE : 2 * RATE + RATE // 2]
    assert 0.007 < pause.std() < 0.012


def test_overlapping_utterances_have_no_pause():
    rows = split(("Ana", 0, 2, "a"), ("Ana", 1.9, 3, "b"))
    assert Examples(rows, [(0, 1)]).durations[2] == pytest.approx(3.1)


def test_no_example_is_longer_than_it_may_be():
    long = split(*(("Ana", 6.0 * i, 6.0 * i + 5.5, "a") for i in range(12)))
    for seed in range(10):
        durations = Examples(long, neighbours(long, 0.5, 12, seed)).durations
        assert max(durations) == pytest.approx(11.5)  # two and the pause; three would be 17.5
        durations = Examples(long, neighbours(long, 0.5, 100, seed)).durations
        assert max(durations) <= 20


def test_the_share_is_of_all_examples():
    many = split(*(("Ana", 2.0 * i, 2.0 * i + 1, "a") for i in range(300)))
    groups = neighbours(many, 0.2, 20, 0)
    assert len(groups) == 75  # of 375
    assert len(set(groups)) == 75
    assert neighbours(many, 0.0, 20, 0) == []
    assert groups == neighbours(many, 0.2, 20, 0)
    assert groups != neighbours(many, 0.2, 20, 1)


def test_where_nothing_tells_what_follows_what_nothing_is_joined():
    assert neighbours(TALK.remove_columns(["start_ms", "end_ms"]), 0.5, 20, 0) == []
    assert len(Examples(TALK.remove_columns(["start_ms", "end_ms"]))) == 4


def test_the_collator_takes_examples(random_model):
    examples = Examples(TALK, [(1, 3)])
    batch = CtcCollator(load_processor(str(random_model)))([examples[4], examples[0]])
    assert batch["input_values"].shape == (2, round(2.2 * RATE))
    assert batch["frames"].tolist() == [109, 49]
