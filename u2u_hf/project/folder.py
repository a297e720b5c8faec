"""The folder of a project: where its corpus lies, the settings of each recipe, and what each recipe made.

    PROJECT/project.yaml                    corpus: FOLDER, recordings: [FOLDER, …]
    PROJECT/prepare.yaml, train.yaml, …     settings that a person chose for a recipe, for its --config; each optional
    PROJECT/dataset, model, scores, transcripts, …    the output folders of the recipes

Terminal and page work on the same files: whoever runs the recipes by hand into these folders has the same project.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from u2u_hf.files import write_text
from u2u_hf.records import U2UError

NAME = "project.yaml"
_KEYS = ("corpus", "recordings")


@dataclass(frozen=True)
class Project:
    """A project's folder; the folders in it are made by the recipes that fill them."""

    folder: Path

    @property
    def dataset(self) -> Path:
        """What prepare.py makes."""
        return self.folder / "dataset"

    @property
    def model(self) -> Path:
        """What train.py makes: the recogniser in use."""
        return self.folder / "model"

    @property
    def scores(self) -> Path:
        """What evaluate.py makes."""
        return self.folder / "scores"

    @property
    def transcripts(self) -> Path:
        """What transcribe.py makes, and people correct."""
        return self.folder / "transcripts"

    @property
    def rounds(self) -> Path:
        """One folder for each round of correcting, named 01, 02, …"""
        return self.folder / "rounds"

    @property
    def is_there(self) -> bool:
        return (self.folder / NAME).is_file()

    @property
    def corpus(self) -> Path:
        """The folder with the annotations and recordings.

        Raises:
            U2UError: project.yaml is missing or damaged, or names none.
        """
        corpus = self._own().get("corpus")
        if not isinstance(corpus, str) or not corpus:
            raise U2UError(f"{self.folder / NAME}: names no corpus: write a line 'corpus: FOLDER' into it")
        return self._from_here(corpus)

    @property
    def recordings(self) -> list[Path]:
        """Recordings to transcribe, or folders of them; the corpus, where project.yaml names none.

        Raises:
            U2UError: as `corpus`.
        """
        named = self._own().get("recordings") or []
        named = named if isinstance(named, list) else [named]
        return [self._from_here(str(path)) for path in named] or [self.corpus]

    def set_paths(self, corpus: Path, recordings: list[Path] | None = None) -> None:
        """Write project.yaml, and make the project's folder if there is none.

        What lies in the project's folder is written relative to it: the folder may be moved.

        Raises:
            U2UError: it cannot be written.
        """
        own = {"corpus": self._to_here(corpus)}
        paths = [self._to_here(path) for path in recordings or []]
        _write(self.folder / NAME, own | ({"recordings": paths} if paths else {}))

    def config(self, recipe: str) -> Path:
        """Return the YAML file with the settings for a recipe: ``prepare``, ``train``, …; it may be missing."""
        return self.folder / f"{recipe}.yaml"

    def settings(self, recipe: str) -> dict[str, Any]:
        """Return the settings that a person chose for a recipe, by name.

        Raises:
            U2UError: the file is damaged.
        """
        return _read(self.config(recipe)) if self.config(recipe).is_file() else {}

    def set_settings(self, recipe: str, settings: dict[str, Any]) -> None:
        """Write the settings for a recipe.

        Raises:
            U2UError: the file cannot be written.
        """
        _write(self.config(recipe), settings)

    def _own(self) -> dict[str, Any]:
        path = self.folder / NAME
        if not path.is_file():
            raise U2UError(f"{self.folder}: is no project yet: {NAME} is missing in it")
        found = _read(path)
        if unknown := [key for key in found if key not in _KEYS]:
            raise U2UError(f"{path}: unknown key {unknown[0]}: it holds {' and '.join(_KEYS)}")
        return found

    def _to_here(self, path: Path) -> str:
        path = Path(path).absolute()
        own = self.folder.absolute()
        return path.relative_to(own).as_posix() if own in path.parents else str(path)

    def _from_here(self, path: str) -> Path:
        return self.folder / Path(path).expanduser()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise U2UError(f"{path}: cannot be read ({' '.join(str(error).split())[:100]})") from error
    if not isinstance(found, dict):
        raise U2UError(f"{path}: must hold lines of the form 'name: value'")
    return {str(key): value for key, value in found.items()}


def _write(path: Path, settings: dict[str, Any]) -> None:
    write_text(path, yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
