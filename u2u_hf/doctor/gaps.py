"""Speech that nobody annotated, in recordings that are annotated otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from u2u_hf.data.audio import AudioInfo, audio_info, read_audio
from u2u_hf.data.processes import processes
from u2u_hf.doctor.examined import Examined
from u2u_hf.doctor.findings import UNANNOTATED, Finding
from u2u_hf.files import write_text
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.decoding import confidence, greedy_words
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError, Utterance
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.voice_detection import VadSettings

_NEAR_MS = 300  # of an annotation: the speech that it is about may go on for as long
_LEAST_COVERED = 0.5  # of a recording's speech: else it is annotated in part only, on purpose
_FEWEST_LETTERS = 3
_SHARE_OF_SHORTEST = 0.5  # of what the shortest annotations last
_FOLDER = ".speech"
Span = tuple[int, int]


@dataclass(frozen=True)
class Gap:
    """Speech without annotation: `heard` is what the recogniser writes there. Times are those of the audio."""

    channel: int
    start_ms: int
    end_ms: int
    heard: str
    confidence: float


@dataclass(frozen=True)
class Speech:
    """The speech of one recording: how many ms of it were found, how many lie in annotations, and the gaps.

    Attributes:
        problem: why its speech could not be looked for, or the empty string.
    """

    found_ms: int
    covered_ms: int
    gaps: tuple[Gap, ...]
    problem: str = ""

    @property
    def is_annotated(self) -> bool:
        return self.covered_ms >= _LEAST_COVERED * self.found_ms


def find_gaps(examined: Examined, model: str, output_dir: Path) -> dict[str, Speech]:
    """Return the speech of each recording by name; it is kept in a folder, recording by recording.

    Args:
        model: folder or Hub name: it writes what it hears in the gaps, which no recogniser has learnt from.
    """
    shortest_ms = _shortest_ms(examined.corpus.utterances)
    todo = []
    for name in {u.recording: None for u in examined.corpus.utterances}:
        annotated = _annotated(examined, name)
        text = repr((model, name, annotated, shortest_ms))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        todo.append((name, annotated, output_dir / _FOLDER / f"{digest}.json"))
    missing = [one for one in todo if not one[2].is_file()]
    processes().wait_for_everyone()
    if missing:
        with processes().split_between_processes(missing) as own:
            recognizer = Recognizer(model) if own else None
            shown = {"disable": not processes().is_main_process}
            for name, annotated, path in progress_bar(own, desc="finding speech", unit="recording", **shown):
                assert recognizer
                speech = _speech(examined.corpus.recordings[name].audio, annotated, shortest_ms, recognizer)
                write_text(path, _as_json(speech))
    processes().wait_for_everyone()
    return {name: _from_json(path) for name, _, path in todo}


def unannotated(examined: Examined, speech: dict[str, Speech], others: Sequence[Finding]) -> list[Finding]:
    """Return the gaps of recordings that are annotated, in which the recogniser is as sure as in annotations.

    Args:
        others: the other findings: speech beside shifted boundaries is no gap.
    """
    moved = [(one.recording, one.edit) for one in others if one.edit and "start_ms" in one.edit]
    found = []
    for name, one in speech.items():
        if not one.is_annotated:
            continue
        for gap in one.gaps:
            letters = sum(c != " " for c in gap.heard)
            if letters < _FEWEST_LETTERS or gap.confidence < examined.usual.confidence:
                continue
            if any(
                name == where and edit["start_ms"] < gap.end_ms and gap.start_ms < edit["end_ms"]
                for where, edit in moved
            ):
                continue
            tier = _tier(examined, name, gap)
            score = 0.5 + 0.5 * gap.confidence
            found.append(
                Finding(
                    UNANNOTATED,
                    name,
                    tier,
                    gap.start_ms,
                    gap.end_ms,
                    round(score, 3),
                    f"heard: {gap.heard}",
                    edit={"add": gap.heard} if tier else None,
                    letters=float(letters),
                    heard=gap.heard,
                    audio=examined.corpus.recordings[name].audio,
                    channel=gap.channel,
                )
            )
    return found


def _meet(edit: Mapping[str, int], gap: Gap) -> bool:
    return edit["start_ms"] < gap.end_ms and gap.start_ms < edit["end_ms"]


def _shortest_ms(utterances: Sequence[Utterance]) -> int:
    lengths = [u.end_ms - u.start_ms for u in utterances]
    return round(_SHARE_OF_SHORTEST * float(np.quantile(lengths, 0.05)))


def _annotated(examined: Examined, name: str) -> list[Span]:
    """Return where a recording has any text, on whatever tier, in the time of its main audio file."""
    recording = examined.corpus.recordings[name]
    return sorted(
        (a.start_ms + recording.origin_ms, a.end_ms + recording.origin_ms)
        for tier in recording.document.tiers
        for a in tier.annotations
        if a.value.strip()
    )


def _speech(audio: str, annotated: Sequence[Span], shortest_ms: int, recognizer: Recognizer) -> Speech:
    try:
        info = audio_info(audio)
        segments = find_speech(info, VadSettings()).segments
        near = [(start - _NEAR_MS, end + _NEAR_MS) for start, end in annotated]
        first, last = (annotated[0][0], max(end for _, end in annotated)) if annotated else (0, 0)
        gaps, found_ms, covered_ms = [], 0, 0
        for segment in segments:
            if segment.end_ms <= first or segment.start_ms >= last:
                continue  # people begin and end where they like
            left = _without((segment.start_ms, segment.end_ms), near)
            found_ms += segment.end_ms - segment.start_ms
            covered_ms += segment.end_ms - segment.start_ms - sum(end - start for start, end in left)
            long = (span for span in left if span[1] - span[0] >= shortest_ms)
            gaps += [_heard(info, segment.channel, span, recognizer) for span in long]
    except U2UError as error:
        return Speech(0, 0, (), str(error))
    return Speech(found_ms, covered_ms, tuple(gaps))


def _without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """Return what is left of a span; `covered` is in order of starts."""
    left, at = [], span[0]
    for start, end in covered:
        if end <= at:
            continue
        if start >= span[1]:
            break
        if start > at:
            left.append((at, start))
        at = end
    return [*left, (at, span[1])] if at < span[1] else left


def _heard(info: AudioInfo, channel: int, span: Span, recognizer: Recognizer) -> Gap:
    log_probs = recognizer.log_probs(read_audio(info, *span, [channel])[0])
    words = greedy_words(log_probs, recognizer.labels, span[0])
    return Gap(channel, *span, " ".join(word.text for word in words), round(confidence(words), 3))


def _tier(examined: Examined, recording: str, gap: Gap) -> str:
    """Return the tier whose speaker is on the gap's channel: of several, the one with the nearest annotation."""
    near: list[tuple[int, str]] = []
    for (name, tier), row in examined.tiers.items():
        if name == recording:
            near += [
                (min(abs(u.start_ms - gap.end_ms), abs(gap.start_ms - u.end_ms)), tier)
                for u in row
                if u.channel == gap.channel
            ]
    return min(near, default=(0, ""))[1]


def _as_json(speech: Speech) -> str:
    gaps = [vars(gap) for gap in speech.gaps]
    return json.dumps({**vars(speech), "gaps": gaps}, ensure_ascii=False, indent=1) + "\n"


def _from_json(path: Path) -> Speech:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Speech(**{**plain, "gaps": tuple(Gap(**gap) for gap in plain["gaps"])})
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is damaged: remove it, and run the command again") from error
