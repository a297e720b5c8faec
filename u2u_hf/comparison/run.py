"""A comparison from its first model to its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets import Dataset

from u2u_hf import output_folder
from u2u_hf.command_line.programs import Programs
from u2u_hf.comparison.advice import advice, next_command
from u2u_hf.comparison.bases import Base, fetch
from u2u_hf.comparison.conditions import Conditions, SharedTraining
from u2u_hf.comparison.page import comparison_page
from u2u_hf.comparison.results import Result, as_rows, best_first, result_of
from u2u_hf.comparison.table import terminal_table
from u2u_hf.progress_bar import write_line
from u2u_hf.reports.quantities import length
from u2u_hf.settings import duration


@dataclass(frozen=True)
class Comparison:
    """What is compared, and where.

    Attributes:
        dataset: folder or Hub name. validation: its split.
        recipes: the folder of the recipes.
    """

    bases: Sequence[Base]
    dataset: str
    validation: Dataset
    training: SharedTraining
    conditions: Conditions
    output_dir: Path
    recipes: Path

    @property
    def speech_hours(self) -> float:
        return sum(self.validation["duration"]) / 3600

    def announce(self) -> None:
        """Print how long it will take."""
        left, each = sum(not base.is_trained for base in self.bases), self.conditions.share_seconds
        write_line(
            f"{len(self.bases)} models, {duration(each)} of training each; {left} still to be trained: "
            f"{duration(left * each) or 'no time'}, and what it takes to download them and to recognise "
            f"{length(self.speech_hours)} of validation speech with each"
        )
        if "recording" not in self.validation.column_names or len(set(self.validation["recording"])) < 2:
            write_line("! all validation speech is of one recording: the models will hardly be told apart")

    def run(self) -> dict[str, str] | None:
        """Train and score the models that are not finished; return why models failed, or None if the user stopped it.

        Returns:
            model → reason.
        """
        problems = {base.model: problem for base in self.bases if not base.is_scored and (problem := fetch(base.model))}
        for model, problem in problems.items():
            write_line(f"! {problem if problem.startswith(model) else f'{model}: {problem}'}")
        with Programs() as programs:
            for number, base in enumerate(self.bases, 1):
                if base.model in problems:
                    continue
                write_line("")
                write_line(f"{number}/{len(self.bases)}  {base.model}")
                if base.is_scored:
                    write_line("  was done already")
                elif problem := self._finish(base, programs):
                    problems[base.model] = problem
                if programs.stopped:
                    return None
        return problems

    def _finish(self, base: Base, programs: Programs) -> str:
        """Train and score one model; return why that failed, or the empty string."""
        settings = self.dataset, duration(self.conditions.share_seconds), self.conditions.flags
        problems = (programs.run(command) for command in base.commands(self.recipes, *settings))
        return next((problem for problem in problems if problem), "")

    def conclude(self, problems: Mapping[str, str]) -> str:
        """Write compare.json and compare.html; return the table, the advice and the next command as text.

        Args:
            problems: model → why it is not compared.
        """
        results = best_first([result_of(base) for base in self.bases if base.model not in problems])
        share_hours = self.conditions.share_seconds / 3600
        sentences = advice(results, share_hours, self.speech_hours)
        command = next_command(results[0].model, self.dataset, self.training) if results else ""
        rows = as_rows(results, problems)
        output_folder.write(self.output_dir / "compare.json", json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        page = comparison_page(results, problems, sentences, command, share_hours, self.speech_hours)
        output_folder.write(self.output_dir / "compare.html", page)
        return "\n".join(_closing(results, problems, sentences, command, self.output_dir / "compare.html"))


def _closing(
    results: Sequence[Result], problems: Mapping[str, str], sentences: Sequence[str], command: str, page: Path
) -> list[str]:
    lines = ["", terminal_table(results, problems), "", *sentences, "", f"with a picture: {page}"]
    if command:
        lines += ["", "Next, train it for as long as it needs:", "", f"  {command}", ""]
    return lines
