"""Utterances with hypotheses by a recogniser that never saw them, and how sure it was of each character."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset

from u2u_hf.cross_validation.folds import Fold
from u2u_hf.data.audio import decode_mono
from u2u_hf.data.processes import gathered, processes
from u2u_hf.evaluation.calibration_fit import compared
from u2u_hf.evaluation.scoring import Pair
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.confidence_features import margin
from u2u_hf.recognition.decoding import Labels, confidence, greedy_words, runs_of
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError, Word

_DIGITS = 4


@dataclass(frozen=True)
class Character:
    """A character of the most probable path.

    Attributes:
        symbol: ``|`` between words.
        first, last: its frames.
        log_prob: at its peak, natural logarithm.
        margin: how far the next best label lies below it there, natural logarithm.
    """

    symbol: str
    first: int
    last: int
    log_prob: float
    margin: float


@dataclass(frozen=True)
class Unseen:
    """A reference and its hypothesis by a recogniser that learnt from other speakers (or recordings).

    Attributes:
        row: of the dataset with its splits one after the other: train, validation, test.
        fold: number of the recogniser.
        is_new_sentence: whether the recogniser's training part lacked this text, by whomever.
        frames: number of frames; those of no character are blank.
        confidence: of the whole, 0 to 1, see `recognition.decoding`. words: with theirs; times from the utterance's
            start.
        word_features: of each word, see `recognition.confidence_features`.
        sums: see `recognition.confidence_features`, with chances of 1.
    """

    row: int
    fold: int
    pair: Pair
    is_new_sentence: bool
    frames: int
    confidence: float
    words: tuple[Word, ...]
    characters: tuple[Character, ...]
    word_features: tuple[tuple[float, ...], ...] = ()
    sums: tuple[float, ...] = ()


def recognise(recognizer: Recognizer, rows: Dataset, fold: Fold) -> list[Unseen]:
    """Return what is left out of a fold, recognised, in order of rows; processes share the work, and each returns all.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    known = set(rows.select(fold.train)["text"])
    found = []
    with processes().split_between_processes(list(fold.left_out)) as own:
        shown = {"disable": not processes().is_main_process}
        for row in progress_bar(own, desc="recognising", unit="utterance", **shown):
            found.append(_recognised(recognizer, rows[row], row, fold.number, known))
    # Where there are more processes than utterances, accelerate gives some the last one too.
    return [unseen for _, unseen in sorted({unseen.row: unseen for unseen in gathered(found)}.items())]


def _recognised(recognizer: Recognizer, item: dict, row: int, fold: int, known: set[str]) -> Unseen:
    samples = decode_mono(item["audio"]["bytes"], item["audio"]["path"] or "audio")
    log_probs = recognizer.log_probs(samples)
    words = greedy_words(log_probs, recognizer.labels)
    start_ms = item.get("start_ms") or 0
    end_ms = item.get("end_ms") or start_ms + round(1000 * item["duration"])
    place = (item.get(column) or "" for column in ("recording", "tier", "speaker"))
    telling = compared(log_probs, item["text"], recognizer.labels, None)
    reference, hypothesis = " ".join(item["text"].split()), " ".join(word.text for word in words)
    return Unseen(
        row,
        fold,
        Pair(*place, start_ms, end_ms, reference, hypothesis),
        item["text"] not in known,
        len(log_probs),
        round(confidence(words), _DIGITS),
        tuple(Word(w.text, w.start_ms, w.end_ms, round(w.confidence, _DIGITS)) for w in words),
        tuple(characters(log_probs, recognizer.labels)),
        tuple(_rounded(row) for row in telling.features),
        _rounded(telling.sums),
    )


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(value, _DIGITS) for value in values.tolist())


def characters(log_probs: np.ndarray, labels: Labels) -> list[Character]:
    """Return the characters of the most probable path of log-probabilities float32 [T, V]."""
    found = []
    for run in runs_of(log_probs, labels):
        rounded = round(run.log_prob, _DIGITS), round(margin(log_probs, run), _DIGITS)
        found.append(Character(labels.symbols[run.label], run.first, run.last, *rounded))
    return found


def as_lines(found: Iterable[Unseen]) -> str:
    """Return one JSON object a line; its characters are lists in the order of `Character`."""
    return "".join(json.dumps(_plain(unseen), ensure_ascii=False) + "\n" for unseen in found)


def _plain(unseen: Unseen) -> dict:
    rest = {name: value for name, value in asdict(unseen).items() if name not in ("pair", "characters")}
    return {**asdict(unseen.pair), **rest, "characters": [list(asdict(c).values()) for c in unseen.characters]}


def read_lines(path: Path) -> list[Unseen]:
    """Return what `as_lines` wrote into a file; nothing if there is none.

    Raises:
        U2UError: the file is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        return [_unseen(json.loads(line)) for line in lines if line]
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is damaged: remove it, and run the command again") from error


def _unseen(plain: dict) -> Unseen:
    pair = Pair(*(plain.pop(name) for name in Pair.__dataclass_fields__))
    words = tuple(Word(**word) for word in plain.pop("words"))
    characters = tuple(Character(*c) for c in plain.pop("characters"))
    features, sums = tuple(map(tuple, plain.pop("word_features"))), tuple(plain.pop("sums"))
    return Unseen(pair=pair, words=words, characters=characters, word_features=features, sums=sums, **plain)
