"""The character error rate that a model's card tells, for those who use the model."""

from __future__ import annotations

from u2u_hf.evaluation.verdict import is_rate
from u2u_hf.hub.model_files import optional_file
from u2u_hf.model_folder import CARD


def card_score(source: str) -> tuple[float, str] | None:
    """Return a model's character error rate (0…1 and above) and what it was measured on, or None if its card has none.

    A card that somebody's edit has damaged tells nothing.

    Args:
        source: folder or Hub name of the model.
    """
    try:
        if (path := optional_file(source, CARD)) is None:
            return None
        from huggingface_hub import ModelCard  # takes half a second, and not every model has a card

        results = ModelCard.load(path).data.eval_results
    except Exception:  # of several libraries; a card is not needed for recognition
        return None
    return chosen_score(results)


def chosen_score(results: object) -> tuple[float, str] | None:
    """Return the character error rate of a card's results that says most, of the test split if there is one."""
    rates = [r for r in results if _is_cer(r)] if isinstance(results, list) else []
    if not rates:
        return None
    best = next((r for r in reversed(rates) if r.dataset_split == "test"), rates[0])
    return best.metric_value, str(best.dataset_split or best.dataset_name)


def _is_cer(result: object) -> bool:
    from huggingface_hub import EvalResult

    return isinstance(result, EvalResult) and result.metric_type == "cer" and is_rate(result.metric_value)
