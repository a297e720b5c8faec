"""The projects that this Studio has opened, each with the looks at its corpus."""

import hashlib
import threading
from pathlib import Path

from memory import Memory

from u2u_hf.project.folder import Project
from u2u_hf.project.look import Look


class Projects:
    """Only these are read and written: those opened now, and those that the user opened in an earlier Studio."""

    def __init__(self, first: Path | None = None, memory: Memory | None = None):
        self._opened: list[Path] = []
        self._seen: set[Path] = set()
        self._looks: dict[Path, Look] = {}
        self._lock = threading.Lock()
        self._last: Project | None = None
        self._memory = memory
        if first:
            self.open(first)

    def open(self, folder: Path) -> Project:
        """Return the project of a folder, from now on open."""
        folder = Path(folder).expanduser().absolute()
        self._last = Project(folder)
        self._add(self._last)
        return self._last

    def _add(self, project: Project) -> None:
        with self._lock:
            if project.folder not in self._opened:
                self._opened.append(project.folder)
                self._looks[project.folder] = Look()
        if self._memory and project.is_there:
            self._memory.add(project.folder)

    def opened(self, folder: str) -> Project | None:
        """Return a project that was opened before, or None."""
        project = Project(Path(folder))
        if project.folder not in self._opened:
            if not self._memory or project.folder not in self._memory.projects or not project.is_there:
                return None
            self._add(project)
        if project.is_there:
            self._seen.add(project.folder)
        return project

    def is_gone(self, project: Project) -> bool:
        """Return whether a project is no longer where it was while it was open here."""
        return project.folder in self._seen and not project.is_there

    @property
    def last(self) -> Project | None:
        """Return the project that was opened last, which a new tab shows."""
        return self._last

    def key(self, project: Project) -> str:
        """Return a project's name in addresses of its files: 16 hex digits, the same for every start of Studio."""
        return hashlib.sha256(str(project.folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def of_key(self, key: str) -> Project | None:
        """Return the project of a key, or None."""
        folders = [*self._opened, *(self._memory.projects if self._memory else ())]
        found = next((folder for folder in folders if self.key(Project(folder)) == key), None)
        return self.opened(str(found)) if found else None

    def look(self, project: Project) -> Look:
        return self._looks[project.folder]
