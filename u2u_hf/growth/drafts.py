"""The drafts in a project: written anew by a better recogniser, except where a person worked.

transcribe.py writes into a folder of its own, from which each draft moves to its place, so that the old ones stay until
a new one is whole. Files that stand there in advance keep it from transcribing again what is not to be transcribed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from u2u_hf import output_folder
from u2u_hf.corpus.folder import files_below
from u2u_hf.files import write_text
from u2u_hf.formats import writers
from u2u_hf.growth.corrections import Span
from u2u_hf.records import U2UError

QUEUE = "queue.tsv"
_ROUND, _WHOLE = ".round", ".whole"
_ASIDE = ".replaced"  # in the folder of the new drafts: old ones, for the moment in which a new one takes their place


@dataclass(frozen=True)
class Drafts:
    """Where drafts are written, and where they go.

    Attributes:
        new: beside `transcripts`, so that relative paths to recordings are the same from both.
        formats: of transcribe.py.
    """

    transcripts: Path
    new: Path
    formats: Sequence[str]

    def begin(self, number: int) -> None:
        """Make the folder of the new drafts for a round; what another round left there is removed."""
        of_round = self.new / _ROUND
        if not of_round.is_file() or of_round.read_text(encoding="utf-8") != str(number):
            self._put_back()
            self.clean()
            write_text(of_round, str(number))

    @property
    def are_whole(self) -> bool:
        """Whether transcribe.py has written all of them."""
        return (self.new / _WHOLE).is_file()

    def note_whole(self) -> None:
        """Note that transcribe.py has written all of them."""
        (self.new / _WHOLE).touch()

    def skip(self, names: Collection[str], open_segments: Mapping[str, Sequence[Span]], kept: Collection[str]) -> None:
        """Keep transcribe.py from transcribing recordings.

        Args:
            names: of their transcripts. The queue has nothing of them,
            open_segments: except these spans of these names,
            kept: and all of the drafts of these names, which stay as they are.
        """
        for name in {*names, *kept}:
            for form, path in writers.planned(self.new / name, self.formats).items():
                if path.exists():
                    continue
                old = self.transcripts / path.relative_to(self.new)
                if form == "json":
                    write_text(path, _transcript(old, None if name in kept else open_segments.get(name, ())))
                elif old.is_file():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(old, path)
                else:
                    write_text(path, "")

    def take(self, snapshot: Path) -> tuple[int, list[str]]:
        """Move the new drafts to their places; return how many, and the files that a person edited in the meantime.

        Args:
            snapshot: folder for copies of the drafts, by which the next round sees what people changed.

        Raises:
            U2UError: a file cannot be moved.
        """
        self._put_back()
        moved = 0
        edited: list[str] = []
        for path in files_below(self.new)[0]:
            within = path.relative_to(self.new)
            if not output_folder.wrote(self.new, path):
                continue
            target = self.transcripts / within
            if within.name == QUEUE:
                output_folder.keep_edited(self.transcripts, target, path.read_bytes())
                output_folder.move_in(path, self.transcripts, target)
                continue
            if path.suffix == ".eaf":
                copy = snapshot / within
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            if within.with_suffix("") in (Path(name).with_suffix("") for name in edited):
                continue  # of a draft that a person corrected, nothing is replaced
            if not self._swap(path, target):
                edited.append(within.as_posix())
            elif path.suffix == ".eaf":
                moved += 1
        return moved, edited

    def _swap(self, new: Path, target: Path) -> bool:
        """Put a new draft in the place of an old one; return False if the old one was edited, and stays.

        The old one is moved aside before it is looked at, so that what a person saves in this moment is not lost.
        """
        aside = self.new / _ASIDE / target.relative_to(self.transcripts)
        try:
            if target.exists():
                aside.parent.mkdir(parents=True, exist_ok=True)
                os.replace(target, aside)
            if aside.exists() and not output_folder.wrote_as(self.transcripts, target, aside):
                if not target.exists():
                    os.replace(aside, target)
                return False
        except OSError as error:
            raise U2UError(
                f"{target}: cannot be replaced ({error.strerror}): close the programs that use it"
            ) from error
        if target.exists():  # a person saved it in between
            return False
        output_folder.move_in(new, self.transcripts, target)
        aside.unlink(missing_ok=True)
        return True

    def _put_back(self) -> None:
        """Put back old drafts that were aside when a run was killed, unless the new ones are in their places."""
        for aside in sorted((self.new / _ASIDE).rglob("*")):
            target = self.transcripts / aside.relative_to(self.new / _ASIDE)
            if aside.is_file() and not target.exists():
                os.replace(aside, target)

    def clean(self) -> None:
        """Remove the folder of the new drafts."""
        shutil.rmtree(self.new, ignore_errors=True)


def _transcript(path: Path, spans: Sequence[Span] | None) -> str:
    """Return a transcript as JSON with those segments only whose times are given; with None, with all."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        segments = values["segments"]
        if spans is not None:
            times = {(start, end) for _, start, end in spans}
            segments = [s for s in segments if (s["start_ms"], s["end_ms"]) in times]
    except (OSError, ValueError, TypeError, LookupError):
        values, segments = {"audio": str(path)}, []
    return json.dumps(values | {"segments": segments}, ensure_ascii=True) + "\n"
