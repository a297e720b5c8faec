"""Every annotation read by a recogniser that never saw it. What is read is kept, recording by recording."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets import Dataset

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
from u2u_hf.model_folder import WEIGHTS
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

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

    def read(self, recognizer: Recognizer, wanted: Mapping[str, set[Key]] | None = None) -> None:
        """Read annotations of some recordings; processes share the recordings.

        Args:
            wanted: recording → its annotations to read; None for all of all.
        """
        parts = {self._path(name, chosen): chosen for name, chosen in self._parts(wanted).items()}
        todo = [(path, chosen) for path, chosen in parts.items() if not path.is_file()]
        processes().wait_for_everyone()  # until all have looked
        with processes().split_between_processes(todo) as own:
            total = sum(len(chosen) for _, chosen in own)
            shown = {"disable": not processes().is_main_process or not own}
            with progress_bar(total=total, desc="comparing texts with sound", unit="annotation", **shown) as bar:
                for path, chosen in own:
                    found = []
                    for one in chosen:
                        found.append(measure(recognizer, one))
                        bar.update()
                    write_text(path, as_lines(found))
        processes().wait_for_everyone()

    def found(self, parts: Sequence[Mapping[str, set[Key]] | None]) -> list[Measure]:
        """Return all measures, in order of the candidates.

        Args:
            parts: what `read` was called for.
        """
        measures = {
            one.key: one
            for wanted in parts
            for name, chosen in self._parts(wanted).items()
            for one in read_lines(self._path(name, chosen))
        }
        order = (one.utterance for group in self._of_recording.values() for one in group)
        return [measures[key] for utterance in order if (key := key_of(utterance)) in measures]

    def _parts(self, wanted: Mapping[str, set[Key]] | None) -> dict[str, list[Candidates]]:
        """Return recording → what of it is to be read."""
        if wanted is None:
            return self._of_recording
        return {
            name: [one for one in self._of_recording[name] if key_of(one.utterance) in keys]
            for name, keys in wanted.items()
        }

    def _path(self, name: str, chosen: Sequence[Candidates]) -> Path:
        text = repr((self._conditions, name, chosen))
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
    weights = Path(model, WEIGHTS)  # a model that was trained again under its name reads anew
    is_read = asked.leave_out == NOTHING and weights.is_file()
    when = str(weights.stat().st_mtime_ns) if is_read else ""
    reading = Reading(candidates, output_dir, (model, asked.leave_out, when))
    if asked.leave_out == NOTHING:
        reading.read(Recognizer(model))
        return reading.found([None])
    if len({getattr(one.utterance, asked.leave_out) for one in candidates}) < 2:
        raise U2UError(
            f"all annotations are of one {asked.leave_out}, and no recogniser can learn without it: name a model that "
            f"never saw this corpus, with --leave_out {NOTHING}"
        )
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


def _left_out(rows: Dataset, fold: Fold) -> dict[str, set[Key]]:
    """Return recording → the annotations of it that a fold leaves out."""
    columns = ("recording", "tier", "start_ms", "end_ms")
    found: dict[str, set[Key]] = defaultdict(set)
    for key in zip(*(rows.select(fold.left_out)[column] for column in columns), strict=True):
        found[key[0]].add(key)
    return found
