"""What an hour of untranscribed speech costs at the size of mHuBERT-147, extrapolated from a minute of noise.

    python tests/benchmarks/untranscribed_speed.py

Base size (95 million parameters, random weights), the GPU if there is one: the targets of continued pre-training, its
steps (one pass over the speech), and the recognition of self-training. Without a GPU it counts processor time, which
other programs do not change; two processes on two cores take half of it each.
"""

import argparse
import tempfile
import time
from pathlib import Path

import datasets
import numpy as np
import torch
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from u2u_hf.data.audio import flac_bytes
from u2u_hf.recognition.model import save_processor, start_from
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.clusters import cluster_targets
from u2u_hf.training.pretraining import CLUSTERS, build_pretrainer
from u2u_hf.training.self_training import recognise

TEXTS = ["the quick brown fox jumps over the lazy dog"]


def speech(seconds: float) -> datasets.Dataset:
    """Noise in segments as long as a voice detector's: 5 s."""
    rng = np.random.default_rng(0)
    sound = {"bytes": flac_bytes(rng.standard_normal(5 * 16_000) * 0.1), "path": "a"}
    count = max(2, round(seconds / 5))
    return datasets.Dataset.from_dict({"audio": [sound] * count, "duration": [5.0] * count, "text": [""] * count})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech to measure with")
    parser.add_argument("--batch_seconds", type=float, default=20.0)
    given = parser.parse_args()
    rows, hour = speech(given.seconds), {}
    seconds = sum(rows["duration"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.manual_seed(0)
        HubertModel(HubertConfig()).save_pretrained(folder / "base")
        Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(folder / "base")
        model, processor = start_from(str(folder / "base"), TEXTS)
        model.save_pretrained(folder / "model")
        save_processor(processor, folder / "model")

        clock = time.perf_counter if torch.cuda.is_available() else time.process_time
        begun = clock()
        cluster_targets(model, processor, rows, CLUSTERS, 0, folder / "targets.npz")
        # Each frame once for the clusters, up to 33 minutes in all, and once for its target.
        hour["targets"] = (clock() - begun) / 2 / seconds * (3600 + 2000)

        args = CtcTrainingArguments(
            output_dir=str(folder / "run"), max_steps=4, batch_seconds=given.batch_seconds, save_strategy="no",
            eval_strategy="no", load_best_model_at_end=False, disable_tqdm=True, logging_steps=1,
        )  # fmt: skip
        trainer = build_pretrainer(str(folder / "base"), rows, args, folder / "targets.npz")
        loss, heard = trainer.compute_loss, []

        def compute_loss(model, inputs, *arguments, **settings):
            heard.append(inputs["frames"].sum().item() * 0.02)
            return loss(model, inputs, *arguments, **settings)

        trainer.compute_loss = compute_loss
        begun = clock()
        trainer.train()
        hour["one pass of pre-training"] = (clock() - begun) / sum(heard) * 3600

        begun = clock()
        recognise(folder / "model", rows, range(len(rows)), TEXTS, "recognising")
        hour["recognition for self-training"] = (clock() - begun) / seconds * 3600
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(f"\nbase size, {device}; an hour of speech, extrapolated from {seconds:.0f} s:")
    for what, cost in hour.items():
        print(f"  {what}: {cost / 60:.0f} minutes")


if __name__ == "__main__":
    main()
