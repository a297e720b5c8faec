"""The comparison as a table: its columns, and its form in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from u2u_hf.comparison.advice import signed
from u2u_hf.comparison.results import Result
from u2u_hf.evaluation.intervals import Estimate
from u2u_hf.evaluation.metrics import main_first

UNKNOWN = "–"
_NAMES = ("model", "licence")


def score_heads() -> list[str]:
    """Return the headings of the columns of `scores`."""
    main, *others = (metric.label for metric in main_first().values())
    return [main, "from–to", "points above best", "from–to", *others]


def scores(result: Result, best: Result) -> list[str]:
    """Return the error rates of a model, and by how many percentage points its main one is above the best model's."""
    main, *others = (result.rates[name] for name in main_first())
    gap = None if result is best else result.above(best)
    return [
        f"{main.value:.1%}",
        _rate_interval(main),
        "" if gap is None else signed(gap.value),
        "" if gap is None else _interval(gap),
        *(f"{other.value:.1%}" for other in others),
    ]


COST_HEADS = ("licence", "steps", "passes", "audio s/s", "memory", "weights")


def costs(result: Result) -> list[str]:
    """Return how far a model came in its time, and what it needs."""
    millions = result.parameters / 1e6
    return [
        result.licence or UNKNOWN,
        _known(result.steps, "{:,}"),
        _known(result.passes, "{:.1f}"),
        _known(result.speed, "{:.0f}"),
        UNKNOWN if result.peak_bytes is None else f"{result.peak_bytes / 2**30:.1f} GB",
        f"{millions:.0f} M" if millions >= 10 else f"{millions:.2g} M",
    ]


def terminal_table(results: Sequence[Result], problems: Mapping[str, str]) -> str:
    """Return the scores and the costs, with spaces between columns, and a line for each model that failed."""
    blocks = []
    if results:
        rates = [["model", *score_heads()], *([r.model, *scores(r, results[0])] for r in results)]
        needs = [["model", *COST_HEADS], *([r.model, *costs(r)] for r in results)]
        blocks = [_aligned(rates), _aligned(needs)]
    failed = [f"! {model}: {reason(model, problem)}" for model, problem in problems.items()]
    return "\n\n".join([*blocks, *(["\n".join(failed)] if failed else [])])


def reason(model: str, problem: str) -> str:
    """Return a problem without the model's name before it, which stands there already."""
    return problem.removeprefix(f"{model}: ")


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in columns: numbers end at the right, names begin at the left."""
    columns = []
    for head, *column in zip(*lines, strict=True):
        width = max(map(len, [head, *column]))
        columns.append([f"{cell:{'<' if head in _NAMES else '>'}{width}}" for cell in (head, *column)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _rate_interval(rate: Estimate) -> str:
    """Return an interval; no error rate is below 0."""
    return UNKNOWN if rate.interval is None else f"{100 * max(0.0, rate.interval[0]):.1f}–{rate.interval[1]:.1%}"


def _interval(gap: Estimate) -> str:
    return UNKNOWN if gap.interval is None else f"{signed(gap.interval[0])} to {signed(gap.interval[1])}"


def _known(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else form.format(value)
