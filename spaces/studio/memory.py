"""What Studio remembers from one start to the next: the secret in the browser's cookie, and the projects opened.

With them an open page works again once Studio is started anew, as pages of notebooks do.
"""

import json
import os
import secrets
from pathlib import Path

from u2u_hf.files import replacing
from u2u_hf.records import U2UError

_MOST = 50  # projects


class Memory:
    """A file that nobody else on this computer may read. Where it cannot be written, it holds for this start only."""

    def __init__(self, path: Path | None = None):
        self._path = path or _place()
        known = self._read()
        self.secret = str(known.get("secret") or secrets.token_urlsafe(24))
        if not known:
            self._write([])

    @property
    def projects(self) -> list[Path]:
        """Return the folders of the projects, those opened last at the end; another Studio may have opened some."""
        found = self._read().get("projects")
        return [Path(folder) for folder in found if isinstance(folder, str)] if isinstance(found, list) else []

    def add(self, project: Path) -> None:
        """Remember a project's folder."""
        if project not in (known := self.projects):
            self._write([*known, project])

    def _read(self) -> dict[str, object]:
        try:
            # Who else may read it has the secret: it is not used again.
            if os.name != "nt" and self._path.stat().st_mode & 0o077:
                return {}
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, projects: list[Path]) -> None:
        text = json.dumps({"secret": self.secret, "projects": [str(folder) for folder in projects[-_MOST:]]})
        try:
            with replacing(self._path) as temporary:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with open(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
        except U2UError:
            return


def _place() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(state or Path.home() / ".local" / "state") / "u2u-hf" / "studio.json"
