"""Short trainings on parts of the training data, from which the forecast is read.

Each starts from the same base model and takes the same time, so that only the amount of data differs. The parts are
nested: recording after recording in a random order, twice with another order, and at last all of it.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import DatasetDict

from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.evaluation.metrics import MAIN, METRICS
from u2u_hf.files import write_text
from u2u_hf.growth.forecast import Trial
from u2u_hf.growth.recipes import Recipes
from u2u_hf.model_folder import SETTINGS
from u2u_hf.records import U2UError
from u2u_hf.settings import duration

LEAST_SECONDS = 60  # of each training: a program starts and loads a model in some ten seconds
PARTS = ((0.25, 0), (0.25, 1), (0.5, 0), (0.5, 1), (1.0, 0))  # share of the hours, and the order of the recordings


@dataclass(frozen=True)
class LearningCurve:
    """Where the trainings are, and what they start from.

    Attributes:
        dataset: folder of the whole dataset.
        base: folder or Hub name of the model that each starts from.
        seconds: of each training; None for as many steps as the project's train.yaml says.
        seed: of the orders of the recordings, and of the trainings.
    """

    folder: Path
    dataset: Path
    base: str
    seconds: int | None
    seed: int = 0

    def run(self, recipes: Recipes) -> None:
        """Make the trainings that are not finished, and score each on the test split.

        Raises:
            U2UError: a training fails. Stopped: the user asked to stop.
        """
        for number, (share, order) in enumerate(PARTS, 1):
            here = self.folder / f"part_{number}"
            if (here / "done.json").is_file():
                continue
            print(f"forecast {number}/{len(PARTS)}: a training on {share:.0%} of the training data", flush=True)
            data = here / "dataset"
            hours = _write_part(self.dataset, data, share, self.seed + order)
            _trained_and_scored(recipes, here, data, self.base, self.seconds, self.seed + order)
            write_text(here / "done.json", json.dumps({"hours": hours}) + "\n")
            for folder in (data, here / "model"):
                shutil.rmtree(folder, ignore_errors=True)

    def trials(self) -> tuple[list[Trial], list[str]]:
        """Return the finished trainings, and the recording of each utterance that they were scored on."""
        trials, recordings = [], []
        for number in range(1, len(PARTS) + 1):
            here = self.folder / f"part_{number}"
            if not (here / "done.json").is_file():
                continue
            rows = read_pairs(here / "scores" / "pairs.tsv")
            counts = METRICS[MAIN].counts([r["hypothesis"] for r in rows], [r["reference"] for r in rows])
            hours = json.loads((here / "done.json").read_text(encoding="utf-8"))["hours"]
            trials.append(Trial(hours, counts[:, 0], counts[:, 1]))
            recordings = [row["recording"] for row in rows]
        return trials, recordings


def _trained_and_scored(recipes: Recipes, here: Path, data: Path, base: str, seconds: int | None, seed: int) -> None:
    """Train on a dataset, in ``here/model``, and score on its test split, in ``here/scores``; resume what was begun.

    Raises:
        U2UError: it fails. Stopped: the user asked to stop.
    """
    model = here / "model"
    if not (model / SETTINGS).is_file():
        budget = ["--time_budget", duration(seconds)] if seconds else []
        places: list[str | Path] = ["--dataset", data, "--model", base, "--output_dir", model]
        recipes("train.py", *places, "--resume", "--seed", str(seed), *budget)
    recipes("evaluate.py", "--model", model, "--dataset", data, "--output_dir", here / "scores", "--split", "test")


def _write_part(source: Path, folder: Path, share: float, order: int) -> float:
    """Write a dataset with a part of a dataset's training split, if it is not there; return its hours of training.

    Args:
        share, order: see `part`.
    """
    splits = load_splits(source)
    train = require_split(splits, "train", str(source))
    train = train.select(part(train["recording"][:], train["duration"][:], share, order))
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "data").mkdir(parents=True)
        for name, split in DatasetDict({**splits, "train": train}).items():
            split.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
        (folder / "whole").touch()
    return float(sum(train["duration"]) / 3600)


def part(recordings: Sequence[str], seconds: Sequence[float], share: float, order: int) -> list[int]:
    """Return the rows of a part of a training split, in order.

    Args:
        recordings, seconds: of each row.
        share: of the seconds, above 0 to 1.
        order: seed for the order of the recordings. A smaller share of one order lies in every larger one.
    """
    names = sorted(set(recordings))
    random.Random(order).shuffle(names)
    place = {name: index for index, name in enumerate(names)}
    rows = sorted(range(len(recordings)), key=lambda row: (place[recordings[row]], row))
    before = np.cumsum([0.0, *(seconds[row] for row in rows[:-1])])
    wanted = share * float(sum(seconds))
    return sorted(row for row, begun in zip(rows, before, strict=True) if begun < wanted - 1e-6)


def read_pairs(path: Path) -> list[dict[str, str]]:
    """Read the utterances of a pairs.tsv that evaluate.py wrote.

    Raises:
        U2UError: it is missing or damaged.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, ValueError, csv.Error) as error:
        raise U2UError(f"{path}: is missing or damaged: remove its folder, and run grow.py again") from error
    if rows and "hypothesis" not in rows[0]:
        raise U2UError(f"{path}: has no column hypothesis: remove its folder, and run grow.py again")
    return rows
