"""What to correct first: the segments of transcripts in the order of what a person's minute of work is worth.

What a minute is worth are the errors that it is expected to fix. The next segment counts less where much of its
recording, its speaker or its kind of sound has been queued already: ten times the same teaches a recogniser little.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from u2u_hf.records import Transcript, U2UError
from u2u_hf.reports.quantities import elan_time

# A segment is heard once to find what is wrong, and once more to check what was typed.
_LISTENS = 2.0
# Of each wrong character: half of finding and pointing at a wrong word (1.35 s + 1.1 s: wrong characters come in words,
# about two in each), and two keys, 0.28 s each. Times of the keystroke-level model (Card, Moran and Newell 1980).
_SECONDS_PER_EDIT = 1.8
_SATED_MINUTES = 10.0  # of work on one recording, speaker or kind of sound, after which its next minute counts half
_KINDS, _SEGMENTS_PER_KIND, _ROUNDS = 12, 10, 20  # of sound: at most, segments for each, rounds to find them
_SHARE = 0.5  # of a recording's expected errors that the segments with a turn hold
# recipes/transcribe.py explains them.
COLUMNS = (
    *("order", "recording", "start", "end", "channel", "tier", "confidence", "errors", "errors_per_minute"),
    *("minutes", "text"),
)


@dataclass(frozen=True)
class Row:
    """A segment with text.

    Attributes:
        segment: fields of `records.Segment`.
        characters: without spaces.
        voice: who speaks, as far as it is known.
    """

    audio: str
    segment: Mapping[str, Any]
    characters: int
    voice: tuple[str, ...]

    @property
    def errors(self) -> float:
        """Return the errors to expect; raw confidence says how many characters are doubtful."""
        expected = self.segment.get("expected_errors")
        return self.characters * (1 - self.segment["confidence"]) if expected is None else expected

    @property
    def minutes(self) -> float:
        return minutes_of_work(self.segment["end_ms"] - self.segment["start_ms"], self.errors)

    @property
    def worth(self) -> float:
        return self.errors / self.minutes


def minutes_of_work(duration_ms: int, edits: float) -> float:
    """Return how long a person works on a segment in which so many characters are changed, in minutes."""
    return (_LISTENS * duration_ms / 1000 + _SECONDS_PER_EDIT * edits) / 60


def correction_queue(transcripts: Iterable[str | Path], by_confidence: bool = False) -> str:
    """Return a table (TSV with a byte order mark, for Excel) of all segments with text, see `COLUMNS`.

    Args:
        transcripts: JSON files, as `u2u_hf.formats.subtitles.as_json` writes them.
        by_confidence: order by confidence alone, lowest first; in aligned transcripts it is the fit.

    Raises:
        U2UError: a file is not a transcript.
    """
    rows = [row for path in transcripts for row in _rows_of_file(path)]
    if by_confidence:
        rows.sort(key=lambda row: row.segment["confidence"])
    else:
        rows = [rows[place] for place in order(rows)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(COLUMNS)
    names = _short({row.audio for row in rows})
    minutes = 0.0
    for number, row in enumerate(rows, 1):
        minutes += row.minutes
        segment = row.segment
        place = (names[row.audio], elan_time(segment["start_ms"]), elan_time(segment["end_ms"]))
        scores = (f"{segment['confidence']:.3f}", f"{row.errors:.1f}", f"{row.worth:.1f}", f"{minutes:.2f}")
        text = " ".join(segment["text"].split())
        writer.writerow((number, *place, segment["channel"] + 1, segment["tier"], *scores, text))
    return "\ufeff" + buffer.getvalue()


def with_turns(transcript: Transcript) -> Transcript:
    """Return the transcript with a `turn` for the segments to correct first, which hold half of its expected errors."""
    fields = [vars(segment) for segment in transcript.segments]
    rows = [(index, row) for index, own in enumerate(fields) for row in rows_of(transcript.audio, [own])]
    left = _SHARE * sum(row.errors for _, row in rows)
    segments = list(transcript.segments)
    for turn, place in enumerate(order([row for _, row in rows]), 1):
        if left <= 0:
            break
        index, row = rows[place]
        segments[index] = dataclasses.replace(segments[index], turn=turn)
        left -= row.errors
    return dataclasses.replace(transcript, segments=tuple(segments))


def order(rows: Sequence[Row]) -> list[int]:
    """Return the places of rows, those to correct first at the beginning.

    Greedy: each time the row whose worth is highest, divided for each of its recording, voice and kind of sound by one
    and the minutes of work queued of it, in units of `_SATED_MINUTES`.
    """
    kinds = kinds_of_sound([row.segment.get("sound") or () for row in rows])
    waiting: dict[tuple, list[int]] = defaultdict(list)  # of the same recording, voice and kind, the best at the end
    for place in sorted(range(len(rows)), key=lambda place: (rows[place].worth, -place)):
        waiting[rows[place].audio, rows[place].voice, kinds[place]].append(place)
    if not waiting:
        return []
    groups = np.array([_numbered(column) for column in zip(*waiting, strict=True)])
    spent = np.zeros((len(groups), int(groups.max()) + 1))
    heads = list(waiting.values())
    worths = np.array([rows[places[-1]].worth for places in heads])
    found = []
    for _ in rows:
        divisors = np.prod([1 + spent[kind, own] / _SATED_MINUTES for kind, own in enumerate(groups)], axis=0)
        chosen = int(np.argmax(worths / divisors))
        place = heads[chosen].pop()
        found.append(place)
        spent[range(len(groups)), groups[:, chosen]] += rows[place].minutes
        worths[chosen] = rows[heads[chosen][-1]].worth if heads[chosen] else -1.0
    return found


def _numbered(values: Iterable[Any]) -> list[int]:
    """Return a number for each value, equal ones for equal values."""
    numbers: dict[Any, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]


def kinds_of_sound(sounds: Sequence[Sequence[float]]) -> list[int]:
    """Return the cluster of each segment by its `sound`; all in one if they are few or lack it.

    k-means by hand, as this module is also used where scikit-learn is not installed. The first centres are far from
    each other (Gonzalez 1985), so that the result needs no seed.
    """
    count = min(_KINDS, len(sounds) // _SEGMENTS_PER_KIND)
    if count < 2 or len({len(sound) for sound in sounds}) != 1 or not len(sounds[0]):
        return [0] * len(sounds)
    points = np.array(sounds, dtype=np.float64)
    centres = points[[int(np.linalg.norm(points - points.mean(0), axis=1).argmin())]]
    while len(centres) < count:
        centres = np.vstack([centres, points[_distances(points, centres).min(1).argmax()]])
    kinds = np.zeros(len(points), dtype=int)
    for _ in range(_ROUNDS):
        kinds = _distances(points, centres).argmin(1)
        centres = np.array(
            [points[kinds == kind].mean(0) if (kinds == kind).any() else centres[kind] for kind in range(count)]
        )
    return kinds.tolist()


def _distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the distance of each point [N, F] from each centre [K, F], float64 [N, K]."""
    return np.stack([np.linalg.norm(points - centre, axis=1) for centre in centres], axis=1)


def _rows_of_file(path: str | Path) -> Iterable[Row]:
    try:
        transcript = json.loads(Path(path).read_text(encoding="utf-8"))
        return list(rows_of(transcript["audio"], transcript["segments"]))
    except (ValueError, KeyError, TypeError) as error:
        raise U2UError(f"{path}: is not a transcript: take it out of that folder, and run this again") from error


def rows_of(audio: str, segments: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield the segments with text of a recording.

    Args:
        segments: fields of `records.Segment`.

    Raises:
        KeyError, TypeError: a field is missing or invalid.
    """
    for segment in segments:
        if characters := len("".join(segment["text"].split())):
            voice = (segment["speaker"],) if segment["speaker"] else (audio, segment["tier"], str(segment["channel"]))
            yield Row(audio, segment, characters, voice)


def _short(paths: Iterable[str]) -> dict[str, str]:
    """Return each path as it is seen from the folder that holds all of them."""
    known = list(paths)
    if not known:
        return {}
    try:
        folder = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in known])
    except ValueError:  # on several drives of Windows
        return {path: path for path in known}
    return {path: Path(os.path.relpath(path, folder)).as_posix() for path in known}
