"""Continued pre-training: an encoder learns from speech alone to predict the clusters of frames that it does not see.

Masked prediction as HuBERT is pre-trained (Hsu et al. 2021): spans of frames are masked, and a linear layer, which is
thrown away afterwards, names the cluster of each. The targets of an utterance are written as a text of one character a
frame, so that batches, steps, checkpoints, memory and time are those of fine-tuning.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel, ProcessorMixin, set_seed

from u2u_hf.data.augmentation import AUGMENTATIONS
from u2u_hf.data.collator import CtcCollator
from u2u_hf.files import replacing
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.recognition.model import start_from
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.clusters import cluster_targets
from u2u_hf.training.freezing import freeze_layers
from u2u_hf.training.regularisation import Regularisation
from u2u_hf.training.trainer import CtcTrainer

CLUSTERS = 100
_FIRST_CHARACTER = 0x4E00  # of a block of 20,000 that tokenizers treat alike
_BEGINS, _SPAN = 0.08, 10  # share of frames where a masked span begins, and its frames, as in HuBERT
_EMBEDDING = "masked_frame"
# Learning rates, as a share of those of fine-tuning. At the same rates the tiny base forgets what it knew: CER of
# Mboshi's validation 77 % after it and 66 % without (one run, 150 steps of fine-tuning each).
_RATES = 1 / 3
_NO_REGULARISATION = Regularisation(mask_time=0.0, mask_feature=0.0, dropout=0.0, layerdrop=0.0)


def build_pretrainer(
    model_source: str,
    speech: Dataset,
    args: CtcTrainingArguments,
    targets: Path,
    seconds: float | None = None,
) -> MaskedTrainer | None:
    """Return a trainer that continues the pre-training of a model's encoder on speech; None if no time is left for it.

    Args:
        model_source: folder or Hub name of a model of one of the `FAMILIES`.
        speech: rows with ``audio`` and ``duration``.
        args: of the fine-tuning, with the folder and the length of this training.
        targets: file (.npz) that holds the targets of the speech, or will.
        seconds: time that finding the targets may take, or None. The encoder learns from the rows that have any.

    Raises:
        U2UError: the model is missing or cannot be trained, or an audio cannot be decoded.
    """
    set_seed(args.seed)  # for the new layer's weights
    alphabet = "".join(map(_character, range(CLUSTERS)))
    model, processor = start_from(model_source, [alphabet], _NO_REGULARISATION.config(), fresh_head=True)
    found = cluster_targets(model, processor, speech, CLUSTERS, args.seed, targets, seconds)
    if not found:
        return None
    texts = ["".join(map(_character, row.tolist())) for row in found.values()]
    speech = speech.select(list(found)).select_columns(["audio", "duration"]).add_column("text", texts)
    mask = FrameMask(model)
    freeze_layers(model, args.freeze_layers)
    return MaskedTrainer(model=model, args=_settings(args), speech=speech, processor=processor, mask=mask)


def _settings(args: CtcTrainingArguments) -> CtcTrainingArguments:
    """Return the settings of fine-tuning without what needs texts, or would move frames away from their targets."""
    args = copy.copy(args)
    args.eval_strategy, args.load_best_model_at_end = "no", False
    args.joined, args.hold_encoder = 0.0, 0.0
    args.learning_rate, args.head_learning_rate = (_RATES * r for r in (args.learning_rate, args.head_learning_rate))
    for name, kind in AUGMENTATIONS.items():
        setattr(args, name, kind.OFF)
    return args


def _character(cluster: int) -> str:
    return chr(_FIRST_CHARACTER + cluster)


class FrameMask:
    """Replaces spans of frames by a vector that is learnt, before the transformer sees them.

    By a hook and not by transformers' own masking, which not all families have, and which does not tell its choice.

    Attributes:
        frames: int64 [B], of the next batch without padding, or None: nothing is masked.
        chosen: bool [B, T], the frames that were masked last.
    """

    def __init__(self, model: PreTrainedModel):
        family = family_of(model)
        self.frames: torch.Tensor | None = None
        self.chosen = torch.zeros(0, dtype=torch.bool)
        below, width = family.below_layers(model), getattr(model, family.head).in_features
        below.register_parameter(_EMBEDDING, torch.nn.Parameter(torch.empty(width).uniform_(-0.1, 0.1)))
        below.register_forward_hook(self._masked)

    def _masked(self, module, arguments, output):
        if self.frames is None:
            return output
        features, *others = output if isinstance(output, tuple) else (output,)
        self.chosen = masked_spans(self.frames, features.shape[1]).to(features.device)
        vector = getattr(module, _EMBEDDING).to(features.dtype)
        features = torch.where(self.chosen[..., None], vector, features)
        return (features, *others) if isinstance(output, tuple) else features


def masked_spans(frames: torch.Tensor, length: int) -> torch.Tensor:
    """Return which frames are masked, with torch's random numbers of the CPU: bool [B, length], on the CPU.

    Args:
        frames: int64 [B], those of each utterance without padding: none of the others is masked.
    """
    begins = (torch.rand(len(frames), length) < _BEGINS).float()
    covered = torch.nn.functional.max_pool1d(torch.nn.functional.pad(begins, (_SPAN - 1, 0)), _SPAN, stride=1) > 0
    return covered & (torch.arange(length) < frames.cpu()[:, None])


class MaskedTrainer(CtcTrainer):
    """A trainer whose loss is the cross entropy of the clusters of masked frames, over all targets of a step."""

    def __init__(
        self,
        model: PreTrainedModel,
        args: CtcTrainingArguments,
        speech: Dataset,
        processor: ProcessorMixin,
        mask: FrameMask,
    ):
        super().__init__(
            model=model,
            args=args,
            data_collator=CtcCollator(processor),
            train_dataset=speech,
            processing_class=processor,
        )
        self._mask = mask

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Return the loss of a batch whose labels are targets, int64 [B, L], of at most as many frames."""
        targets, self._mask.frames = inputs["labels"], inputs["frames"]
        try:
            with self._autocast():
                outputs = model(**{key: value for key, value in inputs.items() if key not in ("labels", "frames")})
        finally:
            self._mask.frames = None
        logits = outputs.logits.float()
        length = min(targets.shape[1], logits.shape[1])
        counted = self._mask.chosen[:, :length] & (targets[:, :length] >= 0)
        loss = torch.nn.functional.cross_entropy(
            logits[:, :length][counted], targets[:, :length][counted], reduction="sum"
        )
        loss = loss + 0.0 * logits.sum()  # a batch without a masked frame has a loss too
        share = 1 - (1 - _BEGINS) ** _SPAN
        if self.model.training and num_items_in_batch is not None:
            # As in fine-tuning: over the whole step, and gradients are averaged over processes.
            loss = loss / (num_items_in_batch * share) * self.args.world_size
        else:
            loss = loss / counted.sum().clamp(min=1)
        return (loss, outputs) if return_outputs else loss


def save_encoder(trainer: MaskedTrainer, path: Path) -> None:
    """Write the encoder's weights, without what only pre-training needs, in one process."""
    if trainer.is_world_process_zero():
        model = trainer.accelerator.unwrap_model(trainer.model)
        weights = model.base_model.state_dict()
        kept = {name: value.contiguous().cpu() for name, value in weights.items() if not name.endswith(_EMBEDDING)}
        with replacing(path) as temporary:
            save_file(kept, temporary)
    trainer.accelerator.wait_for_everyone()


def load_encoder(model: PreTrainedModel, path: Path) -> None:
    """Give a model the weights of an encoder of the same kind that `save_encoder` has written.

    Raises:
        RuntimeError: it is of another kind.
    """
    missing, unexpected = model.base_model.load_state_dict(load_file(path), strict=False)
    if others := [name for name in (*missing, *unexpected) if not name.endswith("masked_spec_embed")]:
        raise RuntimeError(f"{path}: is the encoder of another model: {others[0]}")
