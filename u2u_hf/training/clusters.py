"""Targets for continued pre-training: the clusters of a model's own features of speech, one for each frame.

As HuBERT is pre-trained in its later iterations (Hsu et al. 2021): k-means on the features of a middle layer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sklearn.cluster import MiniBatchKMeans
from transformers import PreTrainedModel, ProcessorMixin

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.batching import first_rows
from u2u_hf.data.inputs import batch_to_learn_from, inputs_of
from u2u_hf.data.processes import accelerator, gathered, processes
from u2u_hf.files import replacing
from u2u_hf.frames import SAMPLING_RATE, frame_count
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.training.awake_clock import awake_clock

_LEARNT_FROM = 100_000  # frames that the clusters are learnt from: 33 minutes
_LEARNING = 0.25  # most of the time allowed for targets that learning the clusters takes


class _Reached(Exception):
    """The layer whose output is wanted is computed: those above it are not needed."""


def cluster_targets(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    speech: Dataset,
    clusters: int,
    seed: int,
    cache: Path,
    seconds: float | None = None,
) -> dict[int, np.ndarray]:
    """Return row of speech → the cluster of each of its frames: int16 [T]. Computed once, and kept in a file.

    Args:
        model: whose middle layer gives the features; it is moved to this process's device.
        speech: rows with ``audio`` and ``duration``.
        clusters: their number; fewer if there is too little speech.
        seed: random seed of the clusters, and of the choice of rows where there is not time for all.
        cache: file (.npz) that holds the targets of these rows, or will.
        seconds: time that this may take, or None; the first rows tell how many others it is enough for.

    Raises:
        U2UError: an audio cannot be decoded, or the file cannot be written.
    """
    if not cache.is_file():
        found = _computed(model, processor, speech, clusters, seed, seconds)
        if processes().is_main_process:
            rows, lengths = list(found), [len(targets) for targets in found.values()]
            targets = np.concatenate([np.zeros(0, np.int16), *found.values()])
            with replacing(cache) as temporary, open(temporary, "wb") as file:
                np.savez(file, rows=np.array(rows, np.int64), targets=targets, lengths=np.array(lengths, np.int64))
        processes().wait_for_everyone()
    with np.load(cache) as kept:
        targets = np.split(kept["targets"], np.cumsum(kept["lengths"]))[:-1]  # the last piece is empty
        rows = kept["rows"].tolist() if "rows" in kept else range(len(targets))  # of an earlier version: all
        return dict(zip(rows, targets, strict=True))


def _computed(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    speech: Dataset,
    clusters: int,
    seed: int,
    seconds: float | None,
) -> Mapping[int, np.ndarray]:
    now = awake_clock()
    begun = now()

    def spent() -> float:
        return max(gathered([now() - begun]))  # processes must agree on the rows

    model = model.eval().to(accelerator().device)
    drawn = np.random.default_rng(seed).permutation(len(speech)).tolist()
    durations = speech["duration"][:]  # a whole row would read its audio
    frames = np.cumsum([0, *(frame_count(round(durations[row] * SAMPLING_RATE)) for row in drawn)])[:-1]
    few = [row for row, before in zip(drawn, frames, strict=True) if before < _LEARNT_FROM]
    # In each process the same: what it costs is little, and the clusters need not be sent.
    heard: list[np.ndarray] = []
    for features in _features(model, processor, speech, few, "learning clusters"):
        heard.append(features)
        if seconds is not None and spent() >= _LEARNING * seconds:
            break
    learnt = np.concatenate(heard)[:_LEARNT_FROM]
    pace = 0.0 if seconds is None else spent() / sum(durations[row] for row in few[: len(heard)])
    mean, spread = learnt.mean(0), learnt.std(0) + 1e-5
    kmeans = MiniBatchKMeans(
        min(clusters, max(2, len(learnt) // 50)), batch_size=4096, n_init=3, random_state=seed, reassignment_ratio=0
    ).fit((learnt - mean) / spread)
    state = processes()
    if seconds is not None:
        fits = (seconds - spent()) / max(pace, 1e-9) * getattr(state, "num_processes", 1)
        drawn = first_rows(drawn, durations, fits)
    with state.split_between_processes(sorted(drawn)) as own:
        found = _features(model, processor, speech, own, "finding targets")
        targets = [kmeans.predict((rows - mean) / spread).astype(np.int16) for rows in found]
        pairs = list(zip(own, targets, strict=True))
    return dict(gathered(pairs))


def _features(
    model: PreTrainedModel, processor: ProcessorMixin, speech: Dataset, rows: Sequence[int], title: str
) -> Iterator[np.ndarray]:
    """Yield the features of each row of speech in the model's middle layer: float32 [T, D]."""
    extractor = processor.feature_extractor
    receptive_field = inputs_of(extractor).receptive_field
    show = progress_bar(rows, desc=title, unit="segment", disable=not processes().is_main_process)
    with _output_of_middle_layer(model) as output, torch.inference_mode():
        for row in show:
            audio = speech[row]["audio"]
            samples = decode_mono(audio["bytes"], audio["path"] or "audio")
            batch = batch_to_learn_from(extractor, [samples])
            with contextlib.suppress(_Reached):
                model.base_model(**{name: value.to(model.device) for name, value in batch.items()})
            found = output.pop()[0, : frame_count(len(samples), receptive_field)]
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
