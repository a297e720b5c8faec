"""compare.html: the comparison as one page without other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from u2u_hf.comparison.results import Result
from u2u_hf.comparison.table import COST_HEADS, costs, reason, score_heads, scores
from u2u_hf.evaluation.metrics import MAIN, METRICS
from u2u_hf.reports.html import Markup, document, element, joined, numbers, table
from u2u_hf.reports.quantities import length
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.svg import LINE_COLOURS, bar, lines

_INTERVALS = (
    "From–to is the 95% confidence interval for recordings like these, and of the difference for the same recordings "
    "under both models; one that contains 0 tells no difference. It does not hold for other speakers, topics or "
    "microphones."
)
_SPLIT = (
    "All models were scored on the validation split, which also chose their checkpoints, so their rates are a little "
    "too low. The test split was not used: it is for the model that you take."
)
_COSTS = (
    "Passes are over the training data, audio s/s are seconds of audio trained in a second, and memory is that of the "
    "GPU, or of the computer without one. A model keeps the licence of the one that it was trained from."
)
_CURVES = "A line that still falls at its end promises more from a longer training."


def comparison_page(
    results: Sequence[Result],
    problems: Mapping[str, str],
    advice: Sequence[str],
    command: str,
    share_hours: float,
    speech_hours: float,
) -> str:
    """Return the whole page as HTML.

    Args:
        results: the best first. problems: model → why it is not among them.
        advice: sentences. command: the next one, or the empty string.
        share_hours: time that each model was trained for. speech_hours: length of the validation split.
    """
    answer = [element("p", sentence) for sentence in advice]
    sections = [("Next", _next(command))] if command else []
    if results:
        amounts = [
            (len(results), "models compared"),
            (length(share_hours), "of training each"),
            (length(speech_hours), "of validation speech"),
            (len(results[0].recordings), "validation recordings"),
        ]
        answer.append(numbers(amounts))
        sections += [
            ("Error rates", _scores(results)),
            ("During training", _curves(results)),
            ("How far and at what cost", _costs(results)),
        ]
    if problems:
        rows = [(model, reason(model, problem)) for model, problem in problems.items()]
        sections.append(("Not compared", table(("model", "why"), rows)))
    return document("Which base model", STYLE, answer, sections)


def _next(command: str) -> Markup:
    return joined(
        element("p", "Train the model for as long as it needs, then score it on the test split with evaluate.py."),
        element("code", command, class_="command"),
    )


def _scores(results: Sequence[Result]) -> Markup:
    ends = [r.rates[MAIN].interval[1] if r.rates[MAIN].interval else 0 for r in results]
    # Of two recordings an interval may reach several times the rates, which would be too small to see.
    most = max(max(r.cer for r in results), min(1.0, max(ends))) or 1.0
    rows = []
    for result in results:
        interval = result.rates[MAIN].interval
        drawn = interval and (max(0.0, interval[0]) / most, min(most, interval[1]) / most)
        rows.append((result.model, bar(result.cer / most, drawn), *scores(result, results[0])))
    heads = ("model", "|", *(f"#{head}" for head in score_heads()))
    return joined(table(heads, rows), element("p", _INTERVALS, class_="soft"), element("p", _SPLIT, class_="soft"))


def _curves(results: Sequence[Result]) -> Markup:
    series = [[(minutes, 100 * rate) for minutes, rate in result.curve] for result in results]
    if not any(series):
        return element("p", "Nothing was measured during training.")
    keys = (
        element("span", result.model, class_=f"key line-{number % LINE_COLOURS + 1}")
        for number, result in enumerate(results)
    )
    top = max(min(100.0, rate) for points in series for _, rate in points)
    plot = lines(series, top, "minutes of training, with loading", f"{METRICS[MAIN].label} on validation, %")
    return joined(
        element("p", *keys),
        element("div", plot, class_="card alone"),
        element("p", _CURVES, class_="soft"),
    )


def _costs(results: Sequence[Result]) -> Markup:
    licence, *heads = COST_HEADS
    rows = [(result.model, *costs(result)) for result in results]
    return joined(table(("model", licence, *(f"#{head}" for head in heads)), rows), element("p", _COSTS, class_="soft"))
