"""Character error rates after the same time on the same corpus: ours beside a plain Trainer, three seeds.

    python tests/benchmarks/train_quality.py --folder /somewhere --budget 20s

A larger demo corpus, the tiny base model, the processor or GPU at hand. The peer is transformers' Trainer with its
defaults (linear warm-up and decay, one learning rate, HubertForCTC's own loss), random batches that hold as
many seconds on average, and as many steps as fit into the time, which it is told; of several learning rates it
gets the one that is best on the first seed. Both are scored on the validation split at every fifth of the time,
and on the test split at the end, without choosing a checkpoint.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.dataset import load_splits
from u2u_hf.demo.corpus import make_demo_corpus
from u2u_hf.recognition.model import start_from
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.training.arguments import CtcTrainingArguments, seconds_of
from u2u_hf.training.trainer import CtcTrainer
from u2u_hf.training.trainer_metrics import trainer_metrics
from u2u_hf.training.trainer_setup import build_trainer

PROJECT = Path(__file__).parents[2]
BASE = PROJECT / "u2u_hf" / "demo" / "base"
BATCH_SECONDS = 30
RATES = (1e-3, 3e-3, 1e-2)
SHARED = {
    "output_dir": "unused",
    "save_strategy": "no",
    "report_to": [],
    "remove_unused_columns": False,
    "disable_tqdm": True,
    "logging_strategy": "no",
}


class Curve(TrainerCallback):
    """(seconds, CER on validation) at every fifth of the time; stops the peer when the time is up."""

    def __init__(self, budget: float):
        self.budget, self.points, self._begun = budget, [], 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        self._begun = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        seconds = time.perf_counter() - self._begun
        control.should_evaluate = seconds >= self.budget * (len(self.points) + 1) / 5 and len(self.points) < 4
        if seconds >= self.budget:
            control.should_training_stop = True
        return control

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if "eval_cer" in metrics:  # and not the test split's
            self.points.append((time.perf_counter() - self._begun, metrics["eval_cer"]))


class Peer(Trainer):
    """Scores like ours: on label indices, blank in the padding. It learns as transformers does."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        return super().compute_loss(model, {k: v for k, v in inputs.items() if k != "frames"}, *args, **kwargs)

    prediction_step = CtcTrainer.prediction_step


def ours(splits, budget: float, seed: int):
    args = CtcTrainingArguments(
        **SHARED, batch_seconds=BATCH_SECONDS, learning_rate=1e-3, head_learning_rate=1e-2, hold_encoder=0.2,
        mask_time=0.0, mask_feature=0.0, dropout=0.0, layerdrop=0.0, seed=seed, eval_strategy="no",
        load_best_model_at_end=False, time_budget=f"{budget}s",
    )  # fmt: skip
    trainer, _ = build_trainer(str(BASE), splits, "demo", args)
    return trainer


def peer(splits, budget: float, seed: int, rate: float):
    set_seed(seed)
    model, processor = start_from(str(BASE), splits["train"]["text"])
    seconds = np.mean(splits["train"]["duration"])

    def build(steps: int) -> Peer:
        args = TrainingArguments(
            **SHARED, per_device_train_batch_size=max(1, round(BATCH_SECONDS / seconds)), learning_rate=rate,
            warmup_steps=0.1, max_steps=steps, seed=seed, eval_strategy="no",
        )  # fmt: skip
        return Peer(
            model=model, args=args, data_collator=CtcCollator(processor), train_dataset=splits["train"],
            eval_dataset=splits["validation"], compute_metrics=trainer_metrics(labels_of(processor.tokenizer)),
        )  # fmt: skip

    before = {name: value.clone() for name, value in model.state_dict().items()}
    trial = build(12)
    begun = time.perf_counter()
    trial.train()
    steps = int(budget / ((time.perf_counter() - begun) / 12))
    model.load_state_dict(before)
    return build(steps)


def scored(trainer, splits, budget: float) -> tuple[list, float]:
    curve = Curve(budget)
    trainer.add_callback(curve)
    if isinstance(trainer, CtcTrainer):  # else its budget would begin with this process
        trainer.progress.begun = time.time()
    trainer.train()
    cer = trainer.evaluate(splits["test"], metric_key_prefix="test")["test_cer"]
    return curve.points[:4], cer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the demo corpus")
    parser.add_argument("--budget", default="20s", help="of each training")
    args = parser.parse_args()
    if not (args.folder / "dataset" / "report.json").exists():
        make_demo_corpus(args.folder / "demo", recordings=24)
        prepare = [sys.executable, PROJECT / "recipes" / "prepare.py", "--corpus", args.folder / "demo" / "corpus"]
        # A large test split, for a difference of a few characters to be none.
        shares = ["--validation_share", "0.1", "--test_share", "0.5"]
        subprocess.run([*prepare, *shares, "--output_dir", args.folder / "dataset"], check=True)
    splits, budget = load_splits(args.folder / "dataset"), seconds_of(args.budget)
    rates = {rate: scored(peer(splits, budget, 0, rate), splits, budget) for rate in RATES}
    best = min(rates, key=lambda rate: rates[rate][1])
    said = sum(map(len, splits["test"]["text"]))
    lines = [f"{sum(splits['train']['duration']) / 60:.1f} minutes of training; {said} characters of test"]
    lines += [f"plain Trainer, learning rate {rate:g}, seed 0: test CER {cer:.1%}" for rate, (_, cer) in rates.items()]
    for seed in range(3):
        results = {
            f"plain, {best:g}": rates[best] if seed == 0 else scored(peer(splits, budget, seed, best), splits, budget),
            "ours": scored(ours(splits, budget, seed), splits, budget),
        }
        for name, (points, cer) in results.items():
            curve = "  ".join(f"{seconds:.0f} s {value:.1%}" for seconds, value in points)
            lines.append(f"seed {seed}  {name:14} validation CER: {curve}   test CER at the end: {cer:.1%}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
