"""The projects that this Studio has opened, each with the looks at its corpus."""

import threading
from pathlib import Path

from u2u_hf.project.folder import Project
from u2u_hf.project.look import Look


class Projects:
    """Only these are read and written; `number` is a project's in addresses of its files."""

    def __init__(self, first: Path | None = None):
        self._opened: list[Path] = []
        self._looks: dict[Path, Look] = {}
        self._lock = threading.Lock()
        self._last: Project | None = None
        if first:
            self.open(first)

    def open(self, folder: Path) -> Project:
        """Return the project of a folder, from now on open."""
        folder = Path(folder).expanduser().absolute()
        with self._lock:
            if folder not in self._opened:
                self._opened.append(folder)
                self._looks[folder] = Look()
        self._last = Project(folder)
        return self._last

    def opened(self, folder: str) -> Project | None:
        """Return a project that was opened before, or None."""
        return Project(Path(folder)) if Path(folder) in self._opened else None

    @property
    def last(self) -> Project | None:
        """Return the project that was opened last, which a new tab shows."""
        return self._last

    def number(self, project: Project) -> int:
        return self._opened.index(project.folder)

    def at(self, number: int) -> Project | None:
        return Project(self._opened[number]) if 0 <= number < len(self._opened) else None

    def look(self, project: Project) -> Look:
        return self._looks[project.folder]
