"""Every annotation read by a recogniser that never saw it. What is read is kept, recording by recording."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from u2u_hf.cross_validation.folds import Fold
from u2u_hf.cross_validation.run import CrossValidation, cross_validation
from u2u_hf.data.dataset import load_splits
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.data.processes import processes
from u2u_hf.doctor.annotations import Key, key_of
from u2u_hf.doctor.candidates import Candidates
from u2u_hf.doctor.measures import AROUND_MS, Measure, as_lines, measure, read_lines
from u2u_hf.doctor.settings import NOTHING, Recognisers
from u2u_hf.files import write_text
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.recognizer import Recognizer

_DATASET, _FOLDS, _READ = "dataset", "trainings", ".read"  # folders in the output folder


class Reading:
    """Reads the annotations of a corpus, and keeps what it has read in a folder.

    Args:
        candidates: one for each annotation.
        conditions: what must be the same for what was read before to hold: the model, what is left out.
    """

    def __init__(self, candidates: Sequence[Candidates], output_dir: Path, conditions: Sequence[str]):
        self._folder = output_dir / _READ
        self._of_recording: dict[str, list[Candidates]] = defaultdict(list)
        for one in candidates:
            self._of_recording[one.utterance.recording].append(one)
        self._conditions = tuple(conditions)

    @property
    def recordings(self) -> list[str]:
        return list(self._of_recording)

    def read(self, recognizer: Recognizer, wanted: Mapping[str, set[Key]] | None = None) -> None:
        """Read annotations of some recordings; processes share the recordings.

        Args:
            wanted: recording → its annotations to read; None for all of all.
        """
        names = [name for name in self._of_recording if wanted is None or name in wanted]
        todo = [name for name in names if not self._path(name, wanted and wanted[name]).is_file()]
        processes().wait_for_everyone()  # until all have looked
        with processes().split_between_processes(todo) as own:
            rows = [(name, one) for name in own for one in self._chosen(name, wanted and wanted[name])]
            found: dict[str, list[Measure]] = defaultdict(list)
            left = {name: len(self._chosen(name, wanted and wanted[name])) for name in own}
            shown = {"disable": not processes().is_main_process or not rows}
            for name, one in progress_bar(rows, desc="comparing texts with sound", unit="annotation", **shown):
                found[name].append(measure(recognizer, one))
                if len(found[name]) == left[name]:
                    write_text(self._path(name, wanted and wanted[name]), as_lines(found.pop(name)))
        processes().wait_for_everyone()

    def found(self, parts: Sequence[Mapping[str, set[Key]] | None]) -> list[Measure]:
        """Return all measures, in order of the candidates.

        Args:
            parts: what `read` was called for.
        """
        measures = {
            one.key: one
            for wanted in parts
            for name in (self._of_recording if wanted is None else wanted)
            for one in read_lines(self._path(name, wanted and wanted[name]))
        }
        order = (one.utterance for group in self._of_recording.values() for one in group)
        return [measures[key] for utterance in order if (key := key_of(utterance)) in measures]

    def _chosen(self, name: str, keys: set[Key] | None) -> list[Candidates]:
        every = self._of_recording[name]
        if keys is None:
            return every
        return [one for one in every if key_of(one.utterance) in keys]

    def _path(self, name: str, keys: set[Key] | None) -> Path:
        text = repr((self._conditions, self._chosen(name, keys)))
        return self._folder / f"{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.jsonl"


def read_unseen(
    candidates: Sequence[Candidates], model: str, asked: Recognisers, output_dir: Path
) -> list[Measure] | None:
    """Return how each annotation was heard by a recogniser that never saw it; None if the user stopped a training.

    An annotation whose channel is silent has no measure.

    Args:
        candidates: one for each annotation. model: folder or Hub name.

    Raises:
        U2UError: nothing can be left out, the model's base is unknown, or a training fails.
    """
    reading = Reading(candidates, output_dir, (model, asked.leave_out))
    if asked.leave_out == NOTHING:
        reading.read(Recognizer(model))
        return reading.found([None])
    write_dataset({"train": [one.utterance for one in candidates]}, output_dir / _DATASET)
    todo = _cross_validation(reading, candidates, model, asked, output_dir)
    todo.announce()
    if todo.run() is None:
        return None
    return reading.found([_left_out(todo.rows, fold) for fold in todo.folds])


def _cross_validation(
    reading: Reading, candidates: Sequence[Candidates], model: str, asked: Recognisers, output_dir: Path
) -> CrossValidation:
    splits = load_splits(output_dir / _DATASET)
    rows = splits["train"]
    around_s = sum(one.utterance.duration + 2 * AROUND_MS / 1000 for one in candidates)

    def visit(recognizer: Recognizer, fold: Fold) -> None:
        reading.read(recognizer, _left_out(rows, fold))

    folder = output_dir / _FOLDS
    folder.mkdir(parents=True, exist_ok=True)
    return cross_validation(splits, "the corpus", model, asked.cross_validation(), folder, visit, around_s)


def _left_out(rows, fold: Fold) -> dict[str, set[Key]]:
    """Return recording → the annotations of it that a fold leaves out."""
    columns = ("recording", "tier", "start_ms", "end_ms")
    found: dict[str, set[Key]] = defaultdict(set)
    for key in zip(*(rows.select(fold.left_out)[column] for column in columns), strict=True):
        found[key[0]].add(key)
    return found
