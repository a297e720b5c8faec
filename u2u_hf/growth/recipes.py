"""The recipes that a round runs, as a user would run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.project.commands import started
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError

# Runs a program to its end, and adds what it writes to stdout to a file, if one is given; returns why it failed in one
# line, or the empty string.
Run = Callable[[Sequence[str], Path | None], str]


class Stopped(Exception):
    """The user asked to stop; the same command resumes."""


@dataclass(frozen=True)
class Recipes:
    """Runs recipes as a user would.

    Attributes:
        run: see `Run`.
        log: file for what recipes say. Shown is what they warn of, and what a training says: the next steps that they
            name are not those of a round.
        is_stopped: whether the user has asked to stop.
    """

    project: Project
    run: Run
    log: Path
    is_stopped: Callable[[], bool] = lambda: False

    def __call__(self, recipe: str, *words: str | Path, config: Path | None = None) -> None:
        """Run a recipe with the project's settings for it.

        Args:
            config: settings in place of the project's.

        Raises:
            U2UError: it failed. Stopped: the user asked to stop.
        """
        said = self.log.stat().st_size if self.log.is_file() else 0
        command = [*started(self.project, recipe.removesuffix(".py"), config), *map(str, words)]
        problem = self.run(command, None if recipe == "train.py" else self.log)
        for line in _lines(self.log, said):
            if line.startswith("! "):
                print(line)
        if self.is_stopped():
            raise Stopped
        if problem:
            raise U2UError(f"{recipe}: {problem}")


def _lines(log: Path, begin: int) -> list[str]:
    """Return what was written to a log since it had `begin` bytes."""
    if not log.is_file():
        return []
    with open(log, "rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", "replace").splitlines()
