"""Where people speak in each recording, as a voice detector finds it; kept in a folder, recording by recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.data.audio import audio_info
from u2u_hf.data.processes import processes
from u2u_hf.doctor.annotations import Corpus
from u2u_hf.files import write_text
from u2u_hf.progress_bar import progress_bar
from u2u_hf.records import U2UError
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.voice_detection import VadSettings

_FOLDER = ".speech"
# Pauses within an utterance are short; the padding of transcripts would hide where speech begins.
_DETECTION = VadSettings(min_silence_ms=250, pad_ms=30)
Span = tuple[int, int]


@dataclass(frozen=True)
class Speech:
    """The speech of one audio file: (channel, start, end) in ms, in order of channel, then of time.

    Attributes:
        problem: why it could not be looked for, or the empty string.
    """

    segments: tuple[tuple[int, int, int], ...]
    problem: str = ""

    def on(self, channel: int) -> list[Span]:
        """Return the speech on one channel."""
        return [(start, end) for c, start, end in self.segments if c == channel]


def detected(corpus: Corpus, output_dir: Path) -> dict[str, Speech]:
    """Return the speech of each audio file; processes share the files.

    Raises:
        U2UError: the folder cannot be written to, or what was kept there is damaged.
    """
    paths = {audio: output_dir / _FOLDER / f"{_digest(audio)}.json" for audio in sorted(_audio(corpus))}
    missing = [audio for audio, path in paths.items() if not path.is_file()]
    processes().wait_for_everyone()  # until all have looked
    with processes().split_between_processes(missing) as own:
        shown = {"disable": not processes().is_main_process or not own}
        for audio in progress_bar(own, desc="finding speech", unit="recording", **shown):
            write_text(paths[audio], json.dumps(vars(_speech(audio))) + "\n")
    processes().wait_for_everyone()
    return {audio: _read(path) for audio, path in paths.items()}


def _audio(corpus: Corpus) -> set[str]:
    return {u.audio for u in corpus.utterances} | {corpus.recordings[u.recording].audio for u in corpus.utterances}


def _digest(audio: str) -> str:
    return hashlib.sha256(repr((audio, _DETECTION)).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _speech(audio: str) -> Speech:
    try:
        found = find_speech(audio_info(audio), _DETECTION).segments
    except U2UError as error:
        return Speech((), str(error))
    return Speech(tuple((one.channel, one.start_ms, one.end_ms) for one in found))


def _read(path: Path) -> Speech:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Speech(tuple((c, start, end) for c, start, end in plain["segments"]), plain["problem"])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise U2UError(f"{path}: is damaged: remove it, and run the command again") from error


def shared_ms(span: Span, others: Sequence[Span]) -> int:
    """Return how much of a span lies in others, which do not overlap."""
    return sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in others)
