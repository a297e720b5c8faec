"""Freezing the lower layers of an encoder: less to learn, and less memory."""

from __future__ import annotations

from transformers import PreTrainedModel

from u2u_hf.recognition.families.registry import family_of
from u2u_hf.records import U2UError


def freeze_layers(model: PreTrainedModel, count: int) -> str:
    """Freeze the lowest `count` layers of the encoder and all below them; return a sentence that says so.

    Nothing that is frozen depends on a trained weight, so torch stores none of its activations. Dropout, masks and
    skipped layers stay on in what is frozen, as in fairseq while the encoder is frozen at first: the layers above learn
    from varied inputs.

    Raises:
        U2UError: the encoder has fewer layers, or `count` is negative.
    """
    family = family_of(model)
    layers = family.layers(model)
    if not 0 <= count <= len(layers):
        raise U2UError(f"--freeze_layers {count}: the encoder has {len(layers)} layers: give 0 to {len(layers)}")
    if not count:
        return ""
    kept = {id(p) for module in (*layers[count:], *family.above_layers(model)) for p in module.parameters()}
    for parameter in model.base_model.parameters():
        if id(parameter) not in kept:
            parameter.requires_grad_(False)
    sizes = {trained: sum(p.numel() for p in model.parameters() if p.requires_grad >= trained) for trained in (0, 1)}
    share = sizes[1] / sizes[0]
    return f"the lowest {count} of {len(layers)} layers are frozen, and all below: {share:.0%} of the weights learn"
