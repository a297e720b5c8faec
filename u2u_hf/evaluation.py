"""How well a recogniser does on a prepared split."""

from __future__ import annotations

import time
from dataclasses import dataclass

from datasets import Dataset
from tqdm.auto import tqdm

from u2u_hf.audio import decode_mono
from u2u_hf.decode import collapse
from u2u_hf.metrics import error_rates
from u2u_hf.recognizer import Recognizer


@dataclass(frozen=True)
class Pair:
    """An utterance as it was transcribed by a person and by the recogniser, and where it is."""

    recording: str
    speaker: str
    start_ms: int
    reference: str
    hypothesis: str


def evaluate_split(recognizer: Recognizer, split: Dataset) -> tuple[dict[str, float], list[Pair]]:
    """Recognise every utterance of a split, one at a time.

    Returns:
        ``wer`` and ``cer`` (0…1 and above), ``utterances``, ``seconds`` of audio and the
        ``real_time_factor`` (seconds of work for a second of audio); and the pairs.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    pairs, seconds, begun = [], 0.0, time.perf_counter()
    for row in tqdm(split, desc="recognising", unit="utterance"):
        samples = decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio")
        hypothesis = collapse(recognizer.log_probs(samples).argmax(1), recognizer.labels)
        seconds += row["duration"]
        where = (row.get("recording") or "", row.get("speaker") or "", row.get("start_ms") or 0)
        pairs.append(Pair(*where, " ".join(row["text"].split()), hypothesis))
    spent = time.perf_counter() - begun
    scores = error_rates([p.hypothesis for p in pairs], [p.reference for p in pairs])
    counts = {"utterances": len(pairs), "seconds": round(seconds, 2), "real_time_factor": round(spent / seconds, 4)}
    return scores | counts, pairs


def as_tsv(pairs: list[Pair]) -> str:
    """The pairs as a table, to look at side by side."""
    header = "recording\tspeaker\tstart_ms\treference\thypothesis\n"
    return header + "".join(f"{p.recording}\t{p.speaker}\t{p.start_ms}\t{p.reference}\t{p.hypothesis}\n" for p in pairs)
