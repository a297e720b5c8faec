"""Error rates after the same computing on the same corpus: ours beside two peers, on speech that no arm has seen.

    python tests/benchmarks/train_quality.py --folder RESULTS --datasets MY_DATASET OTHER_SPLIT --budget 6m
    python tests/benchmarks/train_quality.py --folder RESULTS --budget 20s

A dataset is a prepared one, with the recordings or the speakers of its test split held out; without --datasets, a
larger demo corpus is made. All arms start from the same base model (--model, by default the demo's tiny one) and have
the same seconds of computing: processor time of one thread, which what else runs on the computer does not change, or
time on a GPU. An arm stops there and is scored on the test split:

- ours: recipes/train.py's training with its defaults; --ours "" "--joined 0.5": an arm for each of these settings.
  With --language_model each is also scored with what recipes/language_model.py makes of its transcripts, for which a
  twelfth of the time is kept.
- plain: transformers' Trainer with its defaults (one rate, linear decay after a warm-up of 10 %).
- original: the recipe of the project that this one grew out of: AdamW, convolutions frozen, the encoder too for the
  first half; the rate rises for 10 %, stays for 40 %, falls exponentially to a twentieth; gradients cut at norm 1; the
  loss summed over a batch of at most so many seconds, divided by its utterances.

The peers get of three learning rates the one that is best on the test split with the first seed. Every result is a
line of RESULTS/results.jsonl: the same command goes on where it was stopped. Intervals are over seeds and utterances.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments, set_seed
from transformers.loss.loss_ctc import ForCTCLoss

from u2u_hf import cli
from u2u_hf.data.batching import DurationBatches
from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.dataset import load_splits
from u2u_hf.demo.corpus import make_demo_corpus
from u2u_hf.evaluation.metrics import METRICS, main_first, rate
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.model import start_from
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.settings import seconds_of
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.language_model_tuning import best_of, try_all
from u2u_hf.training.language_models import learn_all
from u2u_hf.training.trainer_setup import build_trainer

PROJECT = Path(__file__).parents[2]
BASE = PROJECT / "u2u_hf" / "demo" / "base"
BATCH_SECONDS = 30  # of every arm
RATES = (1e-3, 3e-3, 1e-2)
# Name of an arm that decodes with its language model, the share of the time that is kept to make it, its n-grams.
WITH, LANGUAGE_MODEL_SHARE, ORDER = " + language model", 0.08, 6
clock = time.perf_counter if torch.cuda.is_available() else time.process_time


class Plain(Trainer):
    """transformers' Trainer, which does not know the column of frames."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        return super().compute_loss(model, {k: v for k, v in inputs.items() if k != "frames"}, *args, **kwargs)


class Original(Trainer):
    """The recipe of the project that ours grew out of."""

    def get_train_dataloader(self) -> DataLoader:
        batches = DurationBatches(self.train_dataset["duration"], BATCH_SECONDS, seed=self.args.seed)
        return DataLoader(self.train_dataset, batch_sampler=batches, collate_fn=self.data_collator)

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.model.freeze_feature_encoder()
        self._forward = self.model.base_model.forward
        self.model.base_model.forward = self._encode

    def _encode(self, *args, **settings):
        frozen = self.model.training and self.state.global_step < self.args.max_steps / 2
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            return self._forward(*args, **settings)

    def create_scheduler(self, num_training_steps: int, optimizer=None):
        def factor(step: int) -> float:
            share = step / num_training_steps
            return share / 0.1 if share < 0.1 else 0.05 ** max(0.0, (share - 0.5) / 0.5)

        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels, frames = inputs.pop("labels"), inputs.pop("frames")
        logits = model(**inputs).logits
        return ForCTCLoss(logits, labels, frames, self.model.config.pad_token_id, reduction="sum") / len(labels)


PEERS = {"plain": Plain, "original": Original}


def ours(flags: str, splits: DatasetDict, base: str, budget: float, seed: int, folder: str) -> Trainer:
    given = ["--output_dir", folder, "--time_budget", f"{budget:g}s", "--seed", str(seed), "--disable_tqdm"]
    (args,) = cli.parse(CtcTrainingArguments, argv=[*given, "--batch_seconds", str(BATCH_SECONDS), *shlex.split(flags)])
    begun = clock()
    trainer, _ = build_trainer(base, splits, "the dataset", args)
    trainer.progress.begun, trainer.progress.clock = begun, clock
    trainer.train()
    return trainer


def peer(kind: str, rate: float, splits: DatasetDict, base: str, budget: float, seed: int, folder: str) -> Trainer:
    utterances = max(1, round(BATCH_SECONDS / np.mean(splits["train"]["duration"])))

    def train(steps: int) -> tuple[Trainer, float]:
        set_seed(seed)
        model, processor = start_from(base, splits["train"]["text"])
        args = TrainingArguments(
            output_dir=folder, learning_rate=rate, warmup_steps=0.1, max_steps=steps, seed=seed, max_grad_norm=1.0,
            per_device_train_batch_size=utterances, save_strategy="no", report_to=[], remove_unused_columns=False,
            disable_tqdm=True, logging_strategy="no", dataloader_pin_memory=False,
        )  # fmt: skip
        trainer = PEERS[kind](
            model=model,
            args=args,
            data_collator=CtcCollator(processor),
            train_dataset=splits["train"],
            processing_class=processor,
        )
        begun = clock()
        trainer.train()
        return trainer, clock() - begun

    _, few = train(4)  # of which the first is slow
    _, more = train(24)
    # The original recipe's steps cost less while the encoder is frozen, in the trial as in the run.
    return train(max(1, int(budget * 20 / (more - few))))[0]


def recognised(trainer: Trainer, split: Dataset) -> list[np.ndarray]:
    """Return the log-probabilities, float32 [T, V], of each utterance of a split."""
    model, collator = trainer.model.eval(), CtcCollator(trainer.processing_class)
    found = []
    for row in split:
        inputs = collator([row])
        values = {key: value.to(model.device) for key, value in inputs.items() if key not in ("labels", "frames")}
        with torch.no_grad():
            found.append(model(**values).logits[0].log_softmax(-1).float().cpu().numpy())
    return found


def chosen_language_model(trainer: Trainer, splits: DatasetDict) -> LanguageModel | None:
    """Return the language model that recipes/language_model.py would keep."""
    labels, validation = labels_of(trainer.processing_class.tokenizer), splits["validation"]
    models, _ = learn_all(splits, "the dataset", ([], []), labels, ORDER)
    return best_of(try_all(recognised(trainer, validation), validation["text"], labels, models)).language_model


class Results:
    """The runs of a benchmark, one line of JSON each in a file, so that none is done twice."""

    def __init__(self, folder: Path, base: str, budget: float, language_model: bool):
        self.path, self.base, self.budget = folder / "results.jsonl", base, budget
        self.language_model = language_model
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        self.rows = {json.dumps(row["run"]): row["errors"] for row in map(json.loads, lines)}

    def run(self, dataset: Path, arm: str, seed: int, rate: float = 0.0) -> np.ndarray:
        """Return the errors and lengths, int [metrics, N, 2], of a run on a dataset's test split."""
        name = {"dataset": str(dataset), "base": self.base, "budget": self.budget, "arm": arm, "seed": seed}
        name |= {"rate": rate} if rate else {}
        # Which is made in a part of the time: what is trained in the rest is another run.
        name |= {"language_model": True} if self.language_model and not rate else {}
        if (key := json.dumps(name)) not in self.rows:
            splits, flags = load_splits(dataset), arm.removeprefix("ours").removesuffix(WITH)
            budget = self.budget * (1 - (LANGUAGE_MODEL_SHARE if self.language_model else 0.0))
            with tempfile.TemporaryDirectory() as folder:
                if rate:
                    trainer = peer(arm, rate, splits, self.base, self.budget, seed, folder)
                else:
                    trainer = ours(flags, splits, self.base, budget, seed, folder)
                found = {arm.removesuffix(WITH): None}
                if self.language_model and not rate:
                    begun = clock()
                    found[arm.removesuffix(WITH) + WITH] = chosen_language_model(trainer, splits)
                    print(f"language model: {clock() - begun:.0f} s of {self.budget - budget:.0f} s kept for it")
                self._score({**name, "steps": trainer.state.global_step}, trainer, splits["test"], found)
        counts = np.array([self.rows[key][metric] for metric in main_first()])
        print(f"{dataset.name}  {arm} {rate or ''} seed {seed}: {_percent(_rates(counts[None])[0])}", flush=True)
        return counts

    def _score(self, name: dict, trainer: Trainer, split: Dataset, models: dict[str, LanguageModel | None]) -> None:
        """Write a line for each of the arms that a training gives, by the language model that each decodes with."""
        log_probs, labels = recognised(trainer, split), labels_of(trainer.processing_class.tokenizer)
        steps = name.pop("steps")
        for arm, language_model in models.items():
            texts = [best_text(rows, labels, language_model) for rows in log_probs]
            errors = {metric: kind.counts(texts, split["text"]).tolist() for metric, kind in METRICS.items()}
            self.rows[json.dumps({**name, "arm": arm})] = errors
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"run": {**name, "arm": arm}, "steps": steps, "errors": errors}) + "\n")


def _rates(counts: np.ndarray) -> np.ndarray:
    """Return each seed's error rates, float [seeds, metrics], of errors and lengths int [seeds, metrics, N, 2]."""
    return rate(counts.sum(2))


def _percent(rates: np.ndarray) -> str:
    return ", ".join(f"{metric.label} {value:.1%}" for metric, value in zip(main_first().values(), rates, strict=True))


def interval(counts: np.ndarray, other: np.ndarray | None = None) -> tuple[float, float]:
    """Return the 95 % interval of the mean error rate, or of its ratio to another arm's, over seeds and utterances.

    Args:
        counts: int [seeds, N, 2]; `other` of the same utterances.
    """
    random, drawn = np.random.default_rng(0), []
    for _ in range(1000):
        utterances = random.integers(counts.shape[1], size=counts.shape[1])
        means = [
            rate(arm[random.integers(len(arm), size=len(arm))][:, utterances].sum(1)).mean()
            for arm in (counts, other)
            if arm is not None
        ]
        drawn.append(means[0] / means[1] if len(means) > 1 else means[0])
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the results, and the demo corpus")
    parser.add_argument("--datasets", type=Path, nargs="+", help="prepared datasets (default: a demo corpus)")
    parser.add_argument("--model", default=str(BASE), help="base model")
    parser.add_argument("--budget", default="20s", help="computing of each training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ours", nargs="*", default=[""], help="settings of train.py, an arm of ours each")
    parser.add_argument("--language_model", action="store_true", help="score ours with its language model too")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=[*PEERS])
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    results = Results(args.folder, args.model, seconds_of(args.budget), args.language_model)
    lines = []
    for dataset in args.datasets or [demo_dataset(args.folder)]:
        arms: dict[str, np.ndarray] = {}
        for kind in args.peers:
            first = {rate: results.run(dataset, kind, 0, rate) for rate in RATES}
            best = min(first, key=lambda rate: _rates(first[rate][None])[0, 0])
            seeds = [first[best], *(results.run(dataset, kind, seed, best) for seed in range(1, args.seeds))]
            arms[f"{kind}, rate {best:g}"] = np.array(seeds)
        for flags in args.ours:
            arm = f"ours {flags}".strip()
            for own in (arm, arm + WITH) if args.language_model else (arm,):
                arms[own] = np.array([results.run(dataset, own, seed) for seed in range(args.seeds)])
        lines += [f"\n{dataset.name}: {load_splits(dataset)['train'].num_rows} utterances of training", *table(arms)]
    print("\n".join(lines))


def table(arms: dict[str, np.ndarray]) -> list[str]:
    """Return a line for each arm: its mean rates, the interval and the seeds' values of the first, the ratio."""
    peers = {name: counts for name, counts in arms.items() if not name.startswith("ours")}
    better = min(peers, key=lambda name: _rates(peers[name])[:, 0].mean(), default=None)
    lines = []
    for name, counts in arms.items():
        rates, (low, high) = _rates(counts), interval(counts[:, 0])
        seeds = " ".join(f"{value:.1%}" for value in rates[:, 0])
        lines.append(f"{name}: {_percent(rates.mean(0))} ({low:.1%} to {high:.1%}; seeds {seeds})")
        if better and name not in peers:
            ratio = rates[:, 0].mean() / _rates(arms[better])[:, 0].mean()
            low, high = interval(counts[:, 0], arms[better][:, 0])
            lines.append(f"    {ratio:.2f} times the better peer's ({low:.2f} to {high:.2f})")
    return lines


def demo_dataset(folder: Path) -> Path:
    if not (folder / "dataset" / "report.json").exists():
        make_demo_corpus(folder / "demo", recordings=24)
        prepare = [sys.executable, PROJECT / "recipes" / "prepare.py", "--corpus", folder / "demo" / "corpus"]
        # A large test split, for a difference of a few characters to be none.
        shares = ["--validation_share", "0.1", "--test_share", "0.5"]
        subprocess.run([*prepare, *shares, "--output_dir", folder / "dataset"], check=True)
    return folder / "dataset"


if __name__ == "__main__":
    main()
