"""The functions that the pages of spaces/browser call in Python, which runs there under Pyodide: JSON in, JSON out.

Only the browser can decode audio, and Python cannot wait for it. So `prepare` is called repeatedly: it returns the
measurements of loudness that it needs, and the page calls it again with them.
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
from u2u_hf.reports.digest import digest
from u2u_hf.reports.html_report import html_report
from u2u_hf.reports.json_report import report_values
from u2u_hf.reports.terminal import inspection


def transcript_file(argument: str) -> str:
    """Write a transcript in one format.

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
        # In one folder, as the visitor will have them: the transcript refers to ./recording.wav.
        audio = Path(folder, fields.pop("audio"))
        files = writers.planned(audio.with_suffix(""), [asked["format"]])
        writers.write(Transcript(str(audio), **fields, segments=segments), files)
        (path,) = files.values()
        return json.dumps({"name": path.name, "text": path.read_text(encoding="utf-8")})


def _segment(fields: dict[str, Any]) -> Segment:
    return Segment(**fields | {"words": tuple(Word(**word) for word in fields["words"])})


class _Answers:
    """The browser's measurements, in place of `u2u_hf.data.audio`; `wanted` are those that are still missing."""

    def __init__(self, corpus: str, files: dict[str, dict[str, Any]], energies: dict[str, list[float]]):
        self._corpus, self._files, self._energies = corpus, files, energies
        self.wanted: dict[str, dict[str, Any]] = {}

    def audio_info(self, path: str) -> SimpleNamespace:
        file = self._files[path.removeprefix(f"{self._corpus}/")]
        if "problem" in file:
            raise U2UError(file["problem"])
        return SimpleNamespace(**file)

    def energy(self, path: str, spans: Sequence[Span]) -> list[float]:
        path = path.removeprefix(f"{self._corpus}/")
        key = json.dumps([path, *spans])
        if key not in self._energies:
            self.wanted[key] = {"path": path, "spans": spans}
            return [1.0] * self._files[path]["channels"]
        return self._energies[key]


def default_rules(argument: str) -> str:
    """Return JSON of `text_rules.DEFAULT_RULES`, for the visitor to change; the argument is not used."""
    return json.dumps(DEFAULT_RULES)


def prepare(argument: str) -> str:
    """Decide a preparation of the annotation files in a folder.

    Args:
        argument: JSON of

            - ``settings``: of `PreparationSettings`; `corpus` is the folder, in which recordings are empty files;
            - ``files``: recording → its ``channels`` and ``duration_ms``, or its ``problem``, which names it;
            - ``energies``: key of ``wanted`` → the energy of each channel.

    Returns:
        JSON of ``wanted`` (key → ``path`` and ``spans`` in ms) if energies are missing; else of

            - ``report``: the values of report.json; ``html``: report.html; ``words``: what `--inspect` prints;
            - ``splits``: split → rows, each with the dataset's columns but `audio` and `duration`, and ``path``;
            - ``config``: YAML (in JSON's style) for ``recipes/prepare.py --config``.

    Raises:
        U2UError: there is no corpus to look at, or a setting is invalid.
    """
    asked = json.loads(argument)
    settings = PreparationSettings(**asked["settings"])
    sound = _Answers(settings.corpus, asked["files"], asked["energies"])
    preparation = inspect(settings, sound)
    if sound.wanted:
        return json.dumps({"wanted": sound.wanted})
    corpus = Path(settings.corpus)
    found = digest(preparation, corpus)
    splits = {} if preparation.problem else preparation.splits
    decided = {
        "report": report_values(found),
        "words": inspection(found),
        "html": html_report(found),
        "splits": {name: [_row(utterance, corpus) for utterance in rows] for name, rows in splits.items()},
        "config": json.dumps(asked["settings"] | {"corpus": corpus.name}, ensure_ascii=False, indent=1) + "\n",
    }
    return json.dumps(decided)


def _row(utterance: Utterance, corpus: Path) -> dict[str, Any]:
    fields = dataclasses.asdict(utterance)
    return {"path": str(Path(fields.pop("audio")).relative_to(corpus)), **fields}
