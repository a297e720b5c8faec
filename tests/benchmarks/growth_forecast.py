"""Does the forecast of grow.py cover what comes? Real trainings on parts of a dataset, and the truth at all of it.

    python tests/benchmarks/growth_forecast.py --folder RESULTS --dataset MY_DATASET --runs 20

In each run, another half of the training split is all there is. The forecast is made as grow.py makes it, from five
trainings on parts of that half, for as much speech more; then one training on all of the split tells the truth. The
recogniser in use, whose error rate the forecast is relative to, and the true one have trainings of their own, with
other seeds. All of them start from the same base model, take as many steps, and are scored on the test split. Every run
is a line of RESULTS/trials.jsonl: the same command goes on where it was stopped, and more runs may be asked for.
"""

import argparse
import json
import shlex
import tempfile
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from train_quality import BASE, BATCH_SECONDS, recognised

from u2u_hf import cli
from u2u_hf.data.dataset import load_splits
from u2u_hf.evaluation.metrics import CHARACTERS, error_counts
from u2u_hf.growth.forecast import Trial, forecasts
from u2u_hf.growth.learning_curve import PARTS, part
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.trainer_setup import build_trainer

SETTINGS = "--max_steps 60 --learning_rate 1e-3 --head_learning_rate 1e-2 --hold_encoder 0.2"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the results")
    parser.add_argument("--dataset", type=Path, required=True, help="prepared dataset")
    parser.add_argument("--model", default=str(BASE), help="base model")
    parser.add_argument("--settings", default=SETTINGS, help="of train.py, for each training (%(default)s)")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.folder / "trials.jsonl"
    runs = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for number in range(len(runs), args.runs):
        runs.append(trained(args, number))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(runs[-1]) + "\n")
        print(f"run {number}: {told(runs[-1])[0]}", flush=True)
    hits = [told(run)[1] for run in runs]
    print(*(f"run {number}: {told(run)[0]}" for number, run in enumerate(runs)), sep="\n")
    print(f"{hits.count(True)} of {len(runs) - hits.count(None)} forecasts covered the truth", end="; ")
    print(f"in {hits.count(None)} runs nothing was told")


def trained(args: argparse.Namespace, number: int) -> dict:
    """Train on the parts of another half, on that half, and on all of the split → their trials as JSON."""
    splits, seed = load_splits(args.dataset), 100 * (number + 1)
    half = share_of(splits["train"], 0.5, seed)
    data = [(share_of(half, share, seed + order), seed + order) for share, order in PARTS]
    data += [(half, seed + 50), (splits["train"], seed + 60)]
    trials = [trial(args, splits, part, own) for part, own in data]
    return {"recordings": splits["test"]["recording"][:], "trials": trials}


def told(run: dict) -> tuple[str, bool | None]:
    """Make the forecast of a run → in words, and whether it covered the truth, None where nothing was told."""
    *parts, now, truth = (Trial(hours, *map(np.array, counts)) for hours, *counts in run["trials"])
    [forecast] = forecasts(parts, run["recordings"], now.rate, [truth.hours - now.hours])
    between, hit = forecast.why_not, None
    if forecast.interval:
        low, high = forecast.interval
        between, hit = f"{low:.1%} to {high:.1%}", low <= truth.rate <= high
    on_parts = ", ".join(f"{60 * part.hours:.1f} min {part.rate:.1%}" for part in parts)
    return f"now {now.rate:.1%}, then {truth.rate:.1%}, forecast {between} (parts: {on_parts})", hit


def share_of(train: Dataset, share: float, order: int) -> Dataset:
    return train.select(part(train["recording"][:], train["duration"][:], share, order))


def trial(
    args: argparse.Namespace, splits: DatasetDict, train: Dataset, seed: int
) -> tuple[float, list[int], list[int]]:
    """Train on a part → its hours, and the errors and lengths of the test split's utterances, in characters."""
    with tempfile.TemporaryDirectory() as folder:
        given = ["--output_dir", folder, "--seed", str(seed), "--batch_seconds", str(BATCH_SECONDS), "--disable_tqdm"]
        without = ["--eval_strategy", "no", "--save_strategy", "no", "--no_load_best_model_at_end"]
        (settings,) = cli.parse(CtcTrainingArguments, argv=[*given, *without, *shlex.split(args.settings)])
        parts = DatasetDict({**splits, "train": train})
        trainer, _ = build_trainer(str(args.model), parts, "the dataset", settings)
        trainer.train()
    labels = labels_of(trainer.processing_class.tokenizer)
    texts = [best_text(log_probs, labels, None) for log_probs in recognised(trainer, splits["test"])]
    counts = error_counts(texts, splits["test"]["text"], CHARACTERS)
    return sum(train["duration"]) / 3600, counts[:, 0].tolist(), counts[:, 1].tolist()


if __name__ == "__main__":
    main()
