"""A look at a project's corpus, as ``prepare.py --inspect`` takes it, without making a page wait.

It runs in a thread of its own. What was measured in the recordings is remembered, so that another look with other tiers
or rules reads only the annotations again.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from u2u_hf.corpus.channels import Span
from u2u_hf.corpus.preparation import PreparationSettings, inspect
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError
from u2u_hf.reports.digest import Digest, digest


class RememberedSound:
    """`u2u_hf.data.audio` as a preparation needs it; each file is measured once as long as it does not change."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Any] = {}

    def audio_info(self, path: str) -> Any:
        from u2u_hf.data import audio

        key = (path, *_stamp(path))
        if key not in self._known:
            self._known[key] = audio.audio_info(path)
        return self._known[key]

    def energy(self, path: str, spans: Sequence[Span]) -> Sequence[float]:
        from u2u_hf.data import audio

        key = (path, *_stamp(path), *spans)
        if key not in self._known:
            self._known[key] = audio.energy(path, spans)
        return self._known[key]


def _stamp(path: str) -> tuple[float, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0.0, 0)
    return (found.st_mtime, found.st_size)


class Look:
    """The looks at one project's corpus; the newest settings count.

    Attributes:
        found: the digest of the last look, or None. problem: why there is none, or the empty string.
        busy: whether one is under way.
        number: how many have ended.
    """

    def __init__(self) -> None:
        self.found: Digest | None = None
        self.problem = ""
        self.busy = False
        self.number = 0
        self._sound = RememberedSound()
        self._seen: object = None
        self._wanted: object = None
        self._lock = threading.Lock()

    def request(self, project: Project, *, again: bool = False) -> None:
        """Begin a look if the settings are others than at the last one, or `again`."""
        try:
            wanted = (str(project.corpus), repr(project.settings("prepare")))
        except U2UError as error:
            self.found, self.problem = None, str(error)
            return
        with self._lock:
            if wanted == self._seen and not again:
                return
            self._seen = self._wanted = wanted
            if again:
                self._wanted = object()
            if not self.busy:
                self.busy = True
                threading.Thread(target=self._run, args=(project,), daemon=True).start()

    def _run(self, project: Project) -> None:
        while True:
            with self._lock:
                begun = self._wanted
            try:
                self.found, self.problem = digest(inspect(settings_of(project), self._sound), project.corpus), ""
            except U2UError as error:
                self.found, self.problem = None, str(error)
            except Exception as error:  # the page must not wait for ever
                self.found, self.problem = None, f"{type(error).__name__}: {error}"
            self.number += 1
            with self._lock:
                if self._wanted is begun:
                    self.busy = False
                    return


def settings_of(project: Project) -> PreparationSettings:
    """Return the project's settings for a preparation.

    Raises:
        U2UError: one is unknown, or has a value of the wrong kind.
    """
    own = project.settings("prepare")
    known = {field.name for field in dataclasses.fields(PreparationSettings)}
    if unknown := [name for name in own if name not in known]:
        raise U2UError(f"{project.config('prepare')}: unknown key {unknown[0]}: correct it, or remove the line")
    try:
        return PreparationSettings(**own | {"corpus": str(Path(project.corpus))})
    except (TypeError, ValueError) as error:
        raise U2UError(f"{project.config('prepare')}: {str(error)[:120]}") from error
