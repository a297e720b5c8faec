"""The rounds of a project: a folder for each, and what of it is done.

PROJECT/rounds/NN/state.json      the steps that are done, and what each found
PROJECT/rounds/NN/drafts/         the drafts that people correct after this round, as the recogniser wrote them
PROJECT/rounds/NN/corpus.json     the corpus, and
PROJECT/rounds/NN/corrected.json  the corrected transcripts, as they were when the round began
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from u2u_hf.files import write_text
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError

LAST_STEP = "report"


@dataclass
class Round:
    """One round of correcting.

    Attributes:
        number: from 1.
        facts: step → what it found; a step that is in it is done.
    """

    folder: Path
    number: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        return LAST_STEP in self.facts

    @property
    def drafts(self) -> Path:
        return self.folder / "drafts"

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus.json"

    @property
    def corrected(self) -> Path:
        return self.folder / "corrected.json"

    @property
    def splits(self) -> Path:
        """Which recording is in which split, those of earlier rounds included that are not there any more."""
        return self.folder / "splits.csv"

    @property
    def model(self) -> Path:
        """What this round trains; a better one moves from here into the project."""
        return self.folder / "model"

    @property
    def earlier_model(self) -> Path:
        """The model that a better one replaced."""
        return self.folder / "earlier_model"

    def scores(self, name: str) -> Path:
        return self.folder / "scores" / name

    def finish(self, step: str, found: Any = None) -> None:
        """Note that a step is done, whole or not at all.

        Raises:
            U2UError: state.json cannot be written.
        """
        self.facts[step] = json.loads(json.dumps(found))  # as a run that resumes will read it
        self._save()

    def reopen(self, *steps: str) -> None:
        """Note that steps are to be done again."""
        self.facts = {step: found for step, found in self.facts.items() if step not in steps}
        self._save()

    def _save(self) -> None:
        write_text(self.folder / "state.json", json.dumps(self.facts, ensure_ascii=True, indent=1) + "\n")


def rounds_of(project: Project) -> list[Round]:
    """Return the rounds that were begun, the first one first.

    Raises:
        U2UError: a state.json is damaged.
    """
    folders = sorted(
        (path for path in project.rounds.glob("*") if path.name.isdigit() and (path / "state.json").is_file()),
        key=lambda path: int(path.name),
    )
    return [Round(folder, int(folder.name), _facts(folder / "state.json")) for folder in folders]


def new_round(project: Project, number: int) -> Round:
    """Return a round of which nothing is done yet; its folder is made."""
    found = Round(project.rounds / f"{number:02d}", number)
    try:
        found.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise U2UError(f"{found.folder}: cannot be made ({error.strerror})") from error
    return found


def _facts(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise U2UError(f"{path}: is damaged: remove its folder, and the round is done again") from error
    if not isinstance(found, dict):
        raise U2UError(f"{path}: is damaged: remove its folder, and the round is done again")
    return found
