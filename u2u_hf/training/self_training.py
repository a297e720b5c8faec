"""Self-training: a recogniser transcribes speech, and what it is sure of becomes training data.

Texts are decoded with the language model of the training texts, so that they can teach what the recogniser alone does
not write. How sure it must be is read off the validation split, whose texts are known: the score of a segment is the
recogniser's confidence times the agreement of what it writes alone with what the language model makes of it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.batching import first_rows
from u2u_hf.data.processes import gathered, processes
from u2u_hf.evaluation.metrics import CHARACTERS, error_counts, rate
from u2u_hf.files import write_text
from u2u_hf.frames import frame_count, frames_needed
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition import language_model
from u2u_hf.recognition.beam_search import beam_search
from u2u_hf.recognition.decoding import confidence, greedy_words
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer

_RATIO = 2.0  # hours of recognised speech for each hour of transcribed, at most
_HEARD = 3.0  # hours that are recognised for each hour that may be kept, at most
# CER of what is kept, as validation has it: as a share of that of all that the recogniser writes alone, and at most.
_BETTER, _POOREST = 0.95, 0.75
_ENOUGH = 5  # utterances of validation that tell such a CER
# Of speech like validation's nine tenths score above the tenth of validation that scores lowest; of noise next to none,
# and of other languages few if the recogniser is good. New speakers score lower too, and must not be refused.
_LOWEST, _STRANGE = 0.1, 0.2
_LOOKED_AT = 40  # segments, by which that is told


@dataclass(frozen=True)
class Recognised:
    """A segment as a recogniser writes it.

    Attributes:
        text: with the language model.
        alone: without it.
        score: how sure it is, 0…1.
    """

    text: str
    alone: str
    score: float


@dataclass(frozen=True)
class PseudoLabels:
    """What self-training adds to the transcribed utterances.

    Attributes:
        texts: row of the speech → its text.
        refused: why there is nothing to add; else the empty string.
        account: what was found, for people to read.
    """

    texts: Mapping[int, str]
    refused: str
    account: str


def recognise(model: Path, rows: Dataset, order: Sequence[int], texts: Sequence[str], title: str) -> list[Recognised]:
    """Return the recogniser's texts of rows, in this order, divided over the launcher's processes.

    Args:
        model: folder of the recogniser.
        texts: of the training utterances.
    """
    recognizer, prefers = Recognizer(model), language_model.learn(texts)
    state = processes()
    with state.split_between_processes(list(order)) as own:
        show = progress_bar(own, desc=title, unit="segment", disable=not state.is_main_process)
        found = [_recognised(recognizer, rows[row], prefers) for row in show]
    return gathered(found)


@dataclass(frozen=True)
class Known:
    """What a recogniser makes of validation.

    Attributes:
        items: of each row.
        seconds: time that this took, by the process that took longest.
    """

    items: Sequence[Recognised]
    seconds: float


def recognised_validation(model: Path, splits: Mapping[str, Dataset], cache: Path) -> Known:
    """Return what a recogniser makes of validation. Found once, and kept in a file.

    Args:
        model: folder of the recogniser.
        splits: the transcribed dataset.
        cache: file (.json) that holds what this recogniser makes of it, or will.
    """
    if not cache.is_file():
        begun, validation = time.perf_counter(), splits["validation"]
        texts = list(splits["train"]["text"])
        items = recognise(model, validation, range(len(validation)), texts, "recognising validation")
        found = Known(items, max(gathered([time.perf_counter() - begun])))
        if processes().is_main_process:
            write_text(cache, json.dumps(dataclasses.asdict(found), indent=1, ensure_ascii=False) + "\n")
        processes().wait_for_everyone()
    kept = json.loads(cache.read_text(encoding="utf-8"))
    return Known([Recognised(**item) for item in kept["items"]], kept["seconds"])


def _recognised(recognizer: Recognizer, row: Mapping, prefers: LanguageModel) -> Recognised:
    samples = decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio")
    log_probs = recognizer.log_probs(samples)
    words = greedy_words(log_probs, recognizer.labels)
    text = " ".join(word.text for word in words)
    if not text or frame_count(len(samples)) < frames_needed(text):
        return Recognised("", text, 0.0)
    preferred = beam_search(log_probs, recognizer.labels, prefers)
    differing = float(rate(error_counts([text], [preferred], CHARACTERS)[0]))
    return Recognised(preferred, text, confidence(words) * max(0.0, 1 - differing))


def strangeness(speech: Sequence[Recognised], validation: Sequence[Recognised]) -> str:
    """Return why speech is taken for something else than validation's language, or the empty string."""
    lowest = float(np.quantile([item.score for item in validation], _LOWEST))
    surer = float(np.mean([item.score >= lowest for item in speech]))
    if surer >= _STRANGE:
        return ""
    return (
        f"the recogniser is less sure of {1 - surer:.0%} of it than of nine tenths of validation: another language, "
        "music or noise?"
    )


def threshold(recognised: Sequence[Recognised], references: Sequence[str]) -> tuple[float, float, float]:
    """Return the lowest score above which validation's texts are good enough to learn from.

    Returns:
        the score, infinity if there is none; the CER of the texts above it, or of the surest ones; and the highest
        that is good enough.
    """
    order = np.argsort([-item.score for item in recognised], kind="stable")
    alone = error_counts([item.alone for item in recognised], references, CHARACTERS).sum(0)
    most = min(_BETTER * float(rate(alone)), _POOREST)
    counts = error_counts([recognised[i].text for i in order], [references[i] for i in order], CHARACTERS)
    rates = rate(counts.cumsum(0))
    fewest = min(_ENOUGH, len(rates))
    good = [number for number in range(fewest, len(rates) + 1) if rates[number - 1] <= most]
    if not good:
        return float("inf"), float(rates[fewest - 1]), most
    return recognised[order[good[-1] - 1]].score, float(rates[good[-1] - 1]), most


@dataclass(frozen=True)
class FirstLook:
    """What a recogniser makes of a few segments.

    Attributes:
        strange: why the speech is taken for something else than the language of the dataset, or the empty string.
        weak: why the recogniser is not good enough for self-training, or the empty string.
    """

    strange: str
    weak: str


def look(model: Path, speech: Dataset, splits: Mapping[str, Dataset], seed: int, known: Path) -> FirstLook:
    """Return what a recogniser makes of a few segments of speech, before more time is spent on it.

    Args:
        model: folder of the recogniser.
        speech: rows with ``audio``.
        splits: the transcribed dataset.
        seed: random seed of the choice of segments.
        known: file (.json) that holds what this recogniser makes of validation, or will.
    """
    validation = recognised_validation(model, splits, known).items
    few = np.random.default_rng(seed).permutation(len(speech))[:_LOOKED_AT].tolist()
    first = recognise(model, speech, few, list(splits["train"]["text"]), "recognising a few segments")
    weak = _weakness(threshold(validation, list(splits["validation"]["text"])))
    return FirstLook(strangeness(first, validation), weak)


def _weakness(found: tuple[float, float, float]) -> str:
    limit, cer, most = found
    if limit < float("inf"):
        return ""
    return f"of what it is surest of in validation {cer:.0%} is wrong, more than the {most:.0%} to learn from"


def pseudo_labels(
    model: Path,
    speech: Dataset,
    splits: Mapping[str, Dataset],
    seed: int,
    known: Path,
    cache: Path,
    seconds: float | None = None,
) -> PseudoLabels:
    """Return the texts of speech that a recogniser is sure of. Found once, and kept in a file.

    Args:
        model: folder of the recogniser.
        speech: rows with ``audio`` and ``duration``.
        splits: the transcribed dataset.
        seed: random seed of the order in which speech is recognised.
        known: file (.json) that holds what this recogniser makes of validation, or will.
        cache: file (.json) that holds what was found, or will.
        seconds: time that recognition may take, or None; how much speech that is enough for, validation tells.
    """
    if not cache.is_file():
        found = _found(model, speech, splits, seed, known, seconds)
        if processes().is_main_process:
            write_text(cache, json.dumps(dataclasses.asdict(found), indent=1, ensure_ascii=False) + "\n")
        processes().wait_for_everyone()
    kept = json.loads(cache.read_text(encoding="utf-8"))
    return PseudoLabels({int(row): text for row, text in kept["texts"].items()}, kept["refused"], kept["account"])


def _found(
    model: Path, speech: Dataset, splits: Mapping[str, Dataset], seed: int, known: Path, seconds: float | None
) -> PseudoLabels:
    train, validation, durations = splits["train"], splits["validation"], speech["duration"][:]
    begun = time.perf_counter()
    of_validation = recognised_validation(model, splits, known)
    limit, cer, most = threshold(of_validation.items, list(validation["text"]))
    if weak := _weakness((limit, cer, most)):
        return PseudoLabels({}, weak, "")
    wanted = _RATIO * sum(train["duration"])
    heard = _HEARD * wanted
    if seconds is not None:
        taken = max(gathered([time.perf_counter() - begun]))  # processes must agree on the segments
        heard = min(heard, (seconds - taken) * sum(validation["duration"]) / of_validation.seconds)
    order = first_rows(np.random.default_rng(seed).permutation(len(speech)).tolist(), durations, heard)
    if not order:
        return PseudoLabels({}, "too little time is left to recognise speech", "")
    items = dict(zip(order, recognise(model, speech, order, list(train["text"]), "recognising speech"), strict=True))
    sure = sorted(
        (row for row in order if items[row].text and items[row].score >= limit), key=lambda row: -items[row].score
    )
    kept = first_rows(sure, durations, wanted)
    heard_minutes, kept_minutes = (sum(durations[row] for row in rows) / 60 for rows in (order, kept))
    account = (
        f"{kept_minutes:.1f} of {heard_minutes:.1f} minutes kept, with a score of {limit:.2f} or more: "
        f"validation's utterances of such scores have a CER of {cer:.1%}"
    )
    return PseudoLabels(
        {row: items[row].text for row in sorted(kept)}, "" if kept else "no segment is sure enough", account
    )


def with_pseudo_labels(train: Dataset, speech: Dataset, texts: Mapping[int, str]) -> Dataset:
    """Return the transcribed utterances and then the recognised segments, which have no neighbours."""
    rows = sorted(texts)
    found = speech.select(rows).select_columns(["audio", "duration"])
    values = {name: [None] * len(rows) for name in train.column_names if name not in found.column_names}
    values |= {name: [texts[row] for row in rows] for name in ("text", "raw_text") if name in values}
    values |= {name: [f"untranscribed {row}" for row in rows] for name in ("recording",) if name in values}
    for name, column in values.items():
        found = found.add_column(name, column, feature=train.features[name])
    return concatenate_datasets([train, found.select_columns(train.column_names).cast(train.features)])
