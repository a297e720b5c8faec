"""Targets for continued pre-training: the clusters of a model's own features of speech, one for each frame.

As HuBERT is pre-trained in its later iterations (Hsu et al. 2021): k-means on the features of a middle layer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sklearn.cluster import MiniBatchKMeans
from transformers import PreTrainedModel, ProcessorMixin

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.inputs import inputs_of
from u2u_hf.data.processes import accelerator, gathered, processes
from u2u_hf.files import replacing
from u2u_hf.frames import frame_count
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.families.registry import family_of

_LEARNT_FROM = 100_000  # frames that the clusters are learnt from: 33 minutes
_SHORTEST_FRAMES = 10


class _Reached(Exception):
    """The layer whose output is wanted is computed: those above it are not needed."""


def cluster_targets(
    model: PreTrainedModel, processor: ProcessorMixin, speech: Dataset, clusters: int, seed: int, cache: Path
) -> list[np.ndarray]:
    """Return the cluster of each frame of speech: int16 [T] for each row. Computed once, and kept in a file.

    Args:
        model: whose middle layer gives the features; it is moved to this process's device.
        speech: rows with ``audio``.
        clusters: their number; fewer if there is too little speech.
        seed: random seed of the clusters.
        cache: file (.npz) that holds the targets of these rows, or will.

    Raises:
        U2UError: an audio cannot be decoded, or the file cannot be written.
    """
    if not cache.is_file():
        found = _computed(model, processor, speech, clusters, seed)
        if processes().is_main_process:
            lengths = np.array([len(row) for row in found])
            with replacing(cache) as temporary, open(temporary, "wb") as file:
                np.savez(file, targets=np.concatenate(found), lengths=lengths)
        processes().wait_for_everyone()
    with np.load(cache) as kept:
        return np.split(kept["targets"], np.cumsum(kept["lengths"])[:-1])


def _computed(
    model: PreTrainedModel, processor: ProcessorMixin, speech: Dataset, clusters: int, seed: int
) -> list[np.ndarray]:
    model = model.eval().to(accelerator().device)
    drawn = np.random.default_rng(seed).permutation(len(speech)).tolist()
    frames, few = 0, []
    for row in drawn:
        if frames < _LEARNT_FROM:
            few.append(row)
            frames += frame_count(round(speech[row]["duration"] * 16_000))
    # In each process the same: what it costs is little, and the clusters need not be sent.
    learnt = np.concatenate(list(_features(model, processor, speech, few, "learning clusters")))[:_LEARNT_FROM]
    mean, spread = learnt.mean(0), learnt.std(0) + 1e-5
    kmeans = MiniBatchKMeans(
        min(clusters, max(2, len(learnt) // 50)), batch_size=4096, n_init=3, random_state=seed, reassignment_ratio=0
    ).fit((learnt - mean) / spread)
    with processes().split_between_processes(list(range(len(speech)))) as own:
        features = _features(model, processor, speech, own, "finding targets")
        targets = [kmeans.predict((rows - mean) / spread).astype(np.int16) for rows in features]
    return gathered(targets)


def _features(
    model: PreTrainedModel, processor: ProcessorMixin, speech: Dataset, rows: Sequence[int], title: str
) -> Iterator[np.ndarray]:
    """Yield the features of each row of speech in the model's middle layer: float32 [T, D]."""
    extractor = processor.feature_extractor
    inputs = inputs_of(extractor)
    show = progress_bar(rows, desc=title, unit="segment", disable=not processes().is_main_process)
    with _output_of_middle_layer(model) as output, torch.inference_mode():
        for row in show:
            audio = speech[row]["audio"]
            samples = decode_mono(audio["bytes"], audio["path"] or "audio")
            batch = inputs.batch(extractor, [samples], _SHORTEST_FRAMES * 320 + inputs.receptive_field)
            with contextlib.suppress(_Reached):
                model.base_model(**{name: value.to(model.device) for name, value in batch.items()})
            found = output.pop()[0, : frame_count(len(samples), inputs.receptive_field)]
            yield found.float().cpu().numpy()


@contextlib.contextmanager
def _output_of_middle_layer(model: PreTrainedModel) -> Iterator[list[torch.Tensor]]:
    layers = family_of(model).layers(model)
    outputs: list[torch.Tensor] = []

    def keep(module, arguments, output):
        outputs.append(output[0] if isinstance(output, tuple) else output)
        raise _Reached

    handle = layers[round(len(layers) * 2 / 3) - 1].register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()
