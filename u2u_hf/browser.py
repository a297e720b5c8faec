"""What the pages of spaces/browser ask of Python, which runs there under Pyodide: JSON in, JSON out.

The browser alone can decode sound and must be waited for, which Python cannot do; so a preparation is asked for
again and again, each time with the answers to what it wanted to hear the time before.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from u2u_hf.corpus.channels import Span
from u2u_hf.corpus.preparation import PreparationSettings, inspect
from u2u_hf.corpus.text_rules import DEFAULT_RULES
from u2u_hf.formats import writers
from u2u_hf.records import Segment, Transcript, U2UError, Utterance, Word
from u2u_hf.reports import report


def transcript_file(argument: str) -> str:
    """A transcript in one format.

    Args:
        argument: JSON of ``transcript`` (the fields of `records.Transcript`; `audio` is a file name) and
            ``format`` (one of `writers.FORMATS`).

    Returns:
        JSON of the file's ``name`` and ``text``.
    """
    asked = json.loads(argument)
    fields = asked["transcript"]
    segments = tuple(_segment(segment) for segment in fields.pop("segments"))
    with tempfile.TemporaryDirectory() as folder:
        # Beside each other, as the visitor will have them: the transcript leads to ./recording.wav.
        audio = Path(folder, fields.pop("audio"))
        files = writers.planned(audio.with_suffix(""), [asked["format"]])
        writers.write(Transcript(str(audio), **fields, segments=segments), files)
        (path,) = files.values()
        return json.dumps({"name": path.name, "text": path.read_text(encoding="utf-8")})


def _segment(fields: dict[str, Any]) -> Segment:
    return Segment(**fields | {"words": tuple(Word(**word) for word in fields["words"])})


class _Answers:
    """What the browser has heard so far, in place of `u2u_hf.data.audio`; `wanted` is what it has yet to hear."""

    def __init__(self, corpus: str, files: dict[str, dict[str, Any]], energies: dict[str, list[float]]):
        self._corpus, self._files, self._energies = corpus, files, energies
        self.wanted: dict[str, dict[str, Any]] = {}

    def audio_info(self, path: str) -> SimpleNamespace:
        file = self._files[path.removeprefix(f"{self._corpus}/")]
        if "problem" in file:
            raise U2UError(f"{path}: {file['problem']}")
        return SimpleNamespace(**file)

    def energy(self, path: str, spans: Sequence[Span]) -> list[float]:
        path = path.removeprefix(f"{self._corpus}/")
        key = json.dumps([path, *spans])
        if key not in self._energies:
            self.wanted[key] = {"path": path, "spans": spans}
            return [1.0] * self._files[path]["channels"]
        return self._energies[key]


def default_rules(argument: str) -> str:
    """JSON of `text.DEFAULT_RULES`, for the visitor to change; there is nothing to ask."""
    return json.dumps(DEFAULT_RULES)


def prepare(argument: str) -> str:
    """Decide a preparation of the annotation files in a folder.

    Args:
        argument: JSON of

            - ``settings``: of `PreparationSettings`; `corpus` is the folder, in which recordings are empty files;
            - ``files``: recording → its ``channels`` and ``duration_ms``, or its ``problem``;
            - ``energies``: of what was ``wanted``, by key: the energy of each channel.

    Returns:
        JSON of ``wanted`` (key → ``path`` and ``spans`` in ms) if there is something to be heard first; else of

            - ``report``, ``html``: see `u2u_hf.reports.report`; ``words``: what `--inspect` prints;
            - ``splits``: split → rows, each with the dataset's columns but `audio` and `duration`, and ``path``;
            - ``config``: YAML (in JSON's style) for ``recipes/prepare.py --config``.

    Raises:
        U2UError: nothing can be prepared with these settings.
    """
    asked = json.loads(argument)
    settings = PreparationSettings(**asked["settings"])
    sound = _Answers(settings.corpus, asked["files"], asked["energies"])
    preparation = inspect(settings, sound)
    if sound.wanted:
        return json.dumps({"wanted": sound.wanted})
    corpus = Path(settings.corpus)
    with tempfile.TemporaryDirectory() as folder:
        words = report.write_inspection(preparation, corpus, Path(folder))
        html = Path(folder, "report.html").read_text(encoding="utf-8")
    splits = {} if preparation.problem else preparation.splits
    found = {
        "report": report.preparation_report(preparation),
        "words": words,
        "html": html,
        "splits": {name: [_row(utterance, corpus) for utterance in rows] for name, rows in splits.items()},
        "config": json.dumps(asked["settings"] | {"corpus": corpus.name}, ensure_ascii=False, indent=1) + "\n",
    }
    return json.dumps(found)


def _row(utterance: Utterance, corpus: Path) -> dict[str, Any]:
    fields = dataclasses.asdict(utterance)
    return {"path": str(Path(fields.pop("audio")).relative_to(corpus)), **fields}
