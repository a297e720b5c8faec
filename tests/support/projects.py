"""Rounds of a project whose programs start fast, and are killed where a test says."""

import json
import time
from pathlib import Path

from support import programs
from u2u_hf.growth.grow import growth_of
from u2u_hf.growth.recipes import Recipes
from u2u_hf.growth.wishes import wishes

# Three steps make nothing better or worse; regularisation off, so that a resumed training is the same.
TRAIN = {
    "max_steps": 3,
    "batch_seconds": 10,
    "learning_rate": 1e-5,
    "head_learning_rate": 1e-5,
    "use_cpu": True,
    "logging_steps": 1,
    "bf16": False,
}
TRAIN |= {"mask_time": 0.0, "mask_feature": 0.0, "dropout": 0.0, "layerdrop": 0.0, "save_steps": 1}
TRAIN |= {"eval_strategy": "no", "load_best_model_at_end": False}


class Killed(BaseException):
    """The round was killed here."""


class Runner:
    """Runs the programs of a round → the reason why one failed.

    Attributes:
        moments: recipe and name of its output folder → seconds after which it and the round are killed, once.
        seconds: of the programs that ended, by the same.
    """

    def __init__(self, moments=None):
        self.moments, self.seconds = {} if moments is None else moments, {}

    def __call__(self, words, log=None):
        _, *rest = words
        if Path(rest[0]).name == "export.py":  # takes longest, and has tests of its own
            return ""
        program = Path(rest[0]).name, Path(rest[rest.index("--output_dir") + 1]).name
        begun = time.monotonic()
        process = programs.start(rest, log or "/dev/null", "/dev/stderr")
        process.join(self.moments.pop(program, None))
        if process.is_alive():
            process.kill()
            process.join()
            raise Killed
        self.seconds[program] = time.monotonic() - begun
        self._make_old_one_worse(rest)
        return f"exit status {process.exitcode}" if process.exitcode else ""

    def _make_old_one_worse(self, words):
        """The few steps of training make nothing better: the score of the one before is made worse by hand."""
        scores = Path(words[words.index("--output_dir") + 1])
        if scores.name == "old":
            metrics = json.loads((scores / "metrics.json").read_text(encoding="utf-8"))
            (scores / "metrics.json").write_text(json.dumps(metrics | {"cer": 2.0}), encoding="utf-8")


def grown(project, runner, **asked):
    """Do a round, or what is left of it → its `Growth`, or None if there is nothing to do."""
    recipes = Recipes(project, runner, project.rounds / "log.txt")
    growth = growth_of(project, recipes, wishes(None, None, **asked))
    if growth:
        growth.run()
    return growth
