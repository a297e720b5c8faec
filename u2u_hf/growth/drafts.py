"""The drafts in a project: written anew by a better recogniser, except where a person worked.

transcribe.py writes into a folder of its own, from which each draft moves to its place, so that the old ones stay until
a new one is whole. Files that stand there in advance keep it from transcribing again what is not to be transcribed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from u2u_hf import written_files
from u2u_hf.corpus.folder import files_below
from u2u_hf.files import replacing, write_text
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
        placed = self._put_back()  # by a run that was killed before it had copied them
        moved = 0
        edited: list[str] = []
        for path in files_below(self.new)[0]:
            within = path.relative_to(self.new)
            if not written_files.wrote(self.new, path):
                continue
            target = self.transcripts / within
            if within.name == QUEUE:
                written_files.put(path, self.transcripts, target)
                continue
            if within.with_suffix("") in (Path(name).with_suffix("") for name in edited):
                continue  # of a draft that a person corrected, nothing is replaced
            text = path.read_bytes()
            is_placed = self._swap(path, target)
            if path.suffix == ".eaf" and (is_placed or target in placed):
                with replacing(snapshot / within) as copy:  # only of what people see
                    copy.write_bytes(text)
            if is_placed:
                moved += path.suffix == ".eaf"
                path.unlink()
            else:
                edited.append(within.as_posix())
        self._put_back()
        return moved, edited

    def _swap(self, new: Path, target: Path) -> bool:
        """Put a new draft in the place of an old one; return False if the old one was edited, and stays."""
        kind = written_files.kinds(self.new).get(new.relative_to(self.new).as_posix(), "")
        written_files.note(self.transcripts, target, new, kind)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = self.new / _ASIDE / target.relative_to(self.transcripts)
            return written_files.exchange(
                new, target, aside, lambda old: written_files.wrote(self.transcripts, target, old)
            )
        except OSError as error:
            raise U2UError(
                f"{target}: cannot be replaced ({error.strerror}): close the programs that use it"
            ) from error

    def _put_back(self) -> set[Path]:
        """Empty the folder of the old drafts; those of a run that was killed go back, unless a new one is there.

        They are looked at once more: a program that had one open may have written into it late.

        Returns:
            the places where a new one is.
        """
        asides = {
            self.transcripts / path.relative_to(self.new / _ASIDE): path
            for path in sorted((self.new / _ASIDE).rglob("*"))
            if path.is_file()
        }
        return {to for to, aside in asides.items() if not written_files.bring_back(self.transcripts, to, aside)}

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
