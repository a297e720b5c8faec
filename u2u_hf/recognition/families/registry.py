"""The families of models. A new one is a module beside this one and a line in `FAMILIES`."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedModel

from u2u_hf.recognition.families import log_mel, omnilingual, raw
from u2u_hf.recognition.families.family import ModelFamily
from u2u_hf.records import U2UError

FAMILIES: dict[str, ModelFamily] = {
    family.model_type: family for family in (*raw.FAMILIES, log_mel.FAMILY, omnilingual.FAMILY)
}


def family_named(model_type: Any) -> ModelFamily:
    """Return the family of a model by the ``model_type`` of its config.json.

    Raises:
        U2UError: there is none: the message lists those that are, and does not name the model's source.
    """
    if not isinstance(model_type, str) or model_type not in FAMILIES:
        known = (f"{f.name} ({f.examples})" if f.examples else f.name for f in FAMILIES.values())
        kind = f"is a {model_type} model" if isinstance(model_type, str) else "its config.json names no model_type"
        raise U2UError(f"{kind}: take one of {', '.join(known)}")
    return FAMILIES[model_type]


def family_of(model: PreTrainedModel) -> ModelFamily:
    """Return the family of a loaded model."""
    return family_named(model.config.model_type)
