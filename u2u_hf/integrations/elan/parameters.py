"""The tasks in ELAN's menu and their parameters: what the .cmdi files offer, and what the recogniser reads.

Only the standard library is imported: the recogniser prints its first line before anything heavy is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass

from u2u_hf.records import U2UError

# As strings, because `tasks.Task` is in a module that loads the recogniser; its values.
TRANSCRIBE, ALIGN, FIND_SPEECH = "transcribe", "align", "find_speech"
# Of VadSettings, writers.UNSURE_BELOW and the Gradio page; tests/integrations/test_elan_extension.py holds them equal.
_SENSITIVITY, _LONGEST_S, _UNSURE_BELOW = 0.5, 20.0, 0.95
# Java's Float.MIN_VALUE, which ELAN has where no value was set, is 1.4e-45.
_NOT_SET = 1e-40


@dataclass(frozen=True)
class FileParameter:
    """A recording, tier or time series that ELAN gives to the recogniser, or takes from it.

    Attributes:
        type: ``audio``, ``tier`` or ``timeseries``.
        label: what ELAN shows.
    """

    id: str
    type: str
    label: str
    is_input: bool = True
    optional: bool = False


@dataclass(frozen=True)
class NumberParameter:
    """A number between two others, both included. ELAN shows it in the dialogue of advanced parameters."""

    id: str
    label: str
    least: float
    most: float
    default: float

    def read(self, text: str) -> float:
        """Return the number that ELAN passed; an empty text is the default.

        Raises:
            U2UError: it is no number, or outside the limits.
        """
        try:
            value = float(text) if text.strip() else self.default
        except ValueError:
            value = float("nan")
        if 0 < value < _NOT_SET:
            value = self.default
        value = round(value, 3)  # ELAN's numbers have 32 bits: 0.7 may be 0.69999999
        if not self.least <= value <= self.most:
            raise U2UError(f"{self.label}: {text.strip()[:20]} is not a number from {self.least:g} to {self.most:g}")
        return value


@dataclass(frozen=True)
class ChoiceParameter:
    """One word of several."""

    id: str
    label: str
    choices: tuple[str, ...]
    default: str

    def read(self, text: str) -> str:
        """Return the word that ELAN passed; an empty text is the default.

        Raises:
            U2UError: it is none of the choices.
        """
        value = text.strip() or self.default
        if value not in self.choices:
            raise U2UError(f"{self.label}: {value[:20]!r} is not one of {', '.join(self.choices)}")
        return value


Parameter = FileParameter | NumberParameter | ChoiceParameter


@dataclass(frozen=True)
class MenuItem:
    """A task as ELAN's menu offers it.

    Attributes:
        task: `tasks.Task`'s value.
        does: one sentence for the help page.
    """

    task: str
    name: str
    does: str
    parameters: tuple[Parameter, ...]


RECORDING = FileParameter("source", "audio", "Recording")
SEGMENTS = FileParameter("input_tier", "tier", "Segments to transcribe (none: speech is found)", optional=True)
TRANSCRIPTS = FileParameter("input_tier", "tier", "Tier with the transcripts")
RESULT = FileParameter("output_tiers", "tier", "Result: tiers", is_input=False)
CURVE = FileParameter("output_curve", "timeseries", "Result: curve of confidence", is_input=False, optional=True)
# Basic, because ELAN shows the button for advanced settings only beside basic ones (ParamPanelContainer).
CHANNELS = ChoiceParameter("all_channels", "A tier for each channel", ("yes", "no"), "yes")
SENSITIVITY = NumberParameter("sensitivity", "Sensitivity to speech", 0.1, 0.9, _SENSITIVITY)
LONGEST = NumberParameter("longest_segment", "Longest segment, seconds", 5.0, 20.0, _LONGEST_S)
UNSURE = NumberParameter("unsure_below", "Unsure below this confidence", 0.0, 1.0, _UNSURE_BELOW)

MENU = (
    MenuItem(
        TRANSCRIBE,
        "Transcribe",
        "Writes what is said: speech is found by itself, or the segments of a tier are taken.",
        (RECORDING, SEGMENTS, RESULT, CURVE, CHANNELS, SENSITIVITY, LONGEST, UNSURE),
    ),
    MenuItem(
        ALIGN,
        "Align",
        "Finds the time of each word in a tier's transcripts, and how well each transcript fits the recording.",
        (RECORDING, TRANSCRIPTS, RESULT, CURVE),
    ),
    MenuItem(
        FIND_SPEECH,
        "Find speech",
        "Makes segments where somebody speaks, without text.",
        (RECORDING, RESULT, CHANNELS, SENSITIVITY, LONGEST),
    ),
)


def menu_item(task: str) -> MenuItem:
    """Return the item of a task. Raises StopIteration for one that is not in the menu."""
    return next(item for item in MENU if item.task == task)
