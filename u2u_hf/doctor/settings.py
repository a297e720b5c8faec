"""The settings of an examination: who recognises the annotations."""

from __future__ import annotations

from dataclasses import dataclass

from u2u_hf.cross_validation.settings import WHAT, LeaveOut
from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of, setting

NOTHING = "nothing"


@dataclass
class Recognisers:
    """Which recognisers read the annotations."""

    leave_out: str = setting(
        "recording",
        help="what each recogniser is trained without, and then reads: recording or speaker; nothing: --model reads "
        "all, and must never have seen this corpus",
        choices=[*WHAT, NOTHING],
    )
    folds: int = setting(5, help="most recognisers that are trained; more take longer and learn from more each")
    time_budget: str = setting("", help="time of all trainings, such as 1h (default: each as long as --model's)")
    base_model: str = setting("", help="base model of the trainings (default: the one --model was trained from)")

    def __post_init__(self):
        if self.time_budget:
            seconds_of(self.time_budget)
        if self.leave_out != NOTHING:
            self.cross_validation()
        elif self.time_budget or self.base_model:
            flag = "time_budget" if self.time_budget else "base_model"
            raise U2UError(f"--{flag}: with --leave_out {NOTHING} nothing is trained: leave one of the two out")

    def cross_validation(self) -> LeaveOut:
        """Return the settings of the cross-validation.

        Raises:
            U2UError: a setting is invalid.
        """
        return LeaveOut(
            leave_out=self.leave_out, folds=self.folds, time_budget=self.time_budget, base_model=self.base_model
        )
