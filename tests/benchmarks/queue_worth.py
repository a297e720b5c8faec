"""What a simulated annotator's minutes are worth: the correction queue against random order and longest first.

    python tests/benchmarks/queue_worth.py --folder RESULTS --dataset MY_DATASET --seeds 5

Of the training split a share is taken as transcribed, and a recogniser learns from it; the rest is the pool that it
transcribes. The annotator corrects the pool in the order of each arm: a segment takes the time to hear it twice and so
long for each character changed as `correction_queue` says, counted on the true errors. What is corrected after so many
minutes is given to a training that continues from the recogniser, which is scored on the test split. Two figures: its
error rate ("model"), and the share of wrong characters in the pool, what was corrected being right ("pool").

Every training is a line of RESULTS/results.jsonl: the same command goes on where it was stopped, and more seeds or
minutes may be asked for. RESULTS/model.svg and pool.svg show the means over seeds; that of the pool needs no training,
and is drawn for every twentieth of the work.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict, concatenate_datasets
from train_quality import BASE, ours, recognised

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.dataset import load_splits
from u2u_hf.evaluation.calibration_fit import calibrate
from u2u_hf.evaluation.metrics import CHARACTERS, error_counts
from u2u_hf.files import write_text
from u2u_hf.recognition import calibration
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.records import Segment
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.svg import lines
from u2u_hf.settings import seconds_of
from u2u_hf.training.saving import save_trained
from u2u_hf.training.trainer import CtcTrainer
from u2u_hf.transcription.correction_queue import minutes_of_work, order, rows_of
from u2u_hf.transcription.transcribe import recognise_words

ARMS = {"queue": "blue", "random": "orange", "longest": "green"}  # and the colours of their curves


class Simulation:
    """One seed: what is transcribed at first, the recogniser that learnt from it, and its drafts of the rest."""

    def __init__(self, args: argparse.Namespace, seed: int):
        self.args, self.seed = args, seed
        self.splits = load_splits(args.dataset)
        self.folder = args.folder / f"{args.dataset.name}_{seed}"
        train = self.splits["train"]
        shuffled = np.random.default_rng(seed).permutation(len(train)).tolist()
        count = round(args.share * len(train))
        self.known, self.pool = train.select(shuffled[:count]), train.select(shuffled[count:])
        self.first = self.folder / "first"
        self.errors_at_first = self._learnt()
        self.drafts = self._drafts()

    def _learnt(self) -> list[list[int]]:
        path = self.folder / "first.json"
        if not path.exists():
            splits = DatasetDict({**self.splits, "train": self.known})
            with tempfile.TemporaryDirectory() as folder:
                budget = seconds_of(self.args.first_budget)
                trainer = ours(self.args.settings, splits, str(self.args.model), budget, self.seed, folder)
                save_trained(trainer, trainer.processing_class, self.first)
                found = _errors(trainer, splits["test"])
            print(calibrate(Recognizer(self.first), splits["validation"], None, self.first), flush=True)
            write_text(path, json.dumps(found))
        return json.loads(path.read_text())

    def _drafts(self) -> list[Segment]:
        recognizer = Recognizer(self.first)
        decode = recognise_words(recognizer.labels, calibrations=calibration.load(str(self.first)))
        found = []
        for row in self.pool:
            speaker, end_ms = row["speaker"] or "", round(1000 * row["duration"])
            segment = Segment(0, 0, end_ms, tier=row["recording"], speaker=speaker)
            log_probs = recognizer.log_probs(decode_mono(row["audio"]["bytes"], "audio"))
            found.append(decode(segment, log_probs, 0))
        return found

    def places(self, arm: str) -> list[int]:
        """Return the places in the pool in the order of an arm."""
        every = range(len(self.drafts))
        if arm == "random":
            return np.random.default_rng(self.seed).permutation(len(self.drafts)).tolist()
        if arm == "longest":
            return sorted(every, key=lambda place: -self.drafts[place].end_ms)
        rows = [(place, row) for place in every for row in rows_of(self.drafts[place].tier, [vars(self.drafts[place])])]
        chosen = [rows[number][0] for number in order([row for _, row in rows])]
        return [*chosen, *(place for place in every if place not in set(chosen))]  # what has no text comes last

    def corrected(self, arm: str, minutes: float) -> tuple[list[int], float]:
        """Return the places that are corrected after so many minutes of work, and the pool's error rate then."""
        counts = error_counts([draft.text for draft in self.drafts], self.pool["text"], CHARACTERS)
        left, spent, done = counts[:, 0].astype(float), 0.0, []
        for place in self.places(arm):
            spent += minutes_of_work(self.drafts[place].end_ms, counts[place, 0])
            if spent > minutes:
                break
            left[place] = 0
            done.append(place)
        return done, float(left.sum() / counts[:, 1].sum())

    def trained(self, done: list[int]) -> list[list[int]]:
        """Return errors and lengths on the test split once these places are learnt from too."""
        train = concatenate_datasets([self.known, self.pool.select(done)])
        splits = DatasetDict({**self.splits, "train": train})
        with tempfile.TemporaryDirectory() as folder:
            budget = seconds_of(self.args.budget)
            trainer = ours(self.args.settings, splits, str(self.first), budget, self.seed, folder)
            return _errors(trainer, splits["test"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for the results")
    parser.add_argument("--dataset", type=Path, required=True, help="prepared dataset")
    parser.add_argument("--model", default=str(BASE), help="base model")
    parser.add_argument("--share", type=float, default=0.25, help="of the training split that is transcribed at first")
    parser.add_argument("--minutes", type=float, nargs="+", default=[15.0, 30.0, 60.0], help="of the annotator's work")
    parser.add_argument("--first_budget", default="6m", help="computing of the first training")
    parser.add_argument("--budget", default="2m", help="computing of each later training")
    parser.add_argument("--settings", default="--learning_rate 3e-3", help="of train.py")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.folder.mkdir(parents=True, exist_ok=True)
    path = args.folder / "results.jsonl"
    known = {}
    if path.exists():
        known = {json.dumps(row["run"]): row for row in map(json.loads, path.read_text().splitlines())}
    curves = {figure: defaultdict(lambda: defaultdict(list)) for figure in ("model", "pool")}
    for seed in range(args.seeds):
        simulation = Simulation(args, seed)
        for arm in ARMS:
            curves["model"][arm][0.0].append(_rate(simulation.errors_at_first))
            for some in np.linspace(0, max(args.minutes), 21).tolist():
                curves["pool"][arm][some].append(simulation.corrected(arm, some)[1])
            for minutes in args.minutes:
                run = {"dataset": args.dataset.name, "seed": seed, "arm": arm, "minutes": minutes, "share": args.share}
                run |= {"first_budget": args.first_budget, "budget": args.budget, "settings": args.settings}
                done, left = simulation.corrected(arm, minutes)
                if (key := json.dumps(run)) not in known:
                    known[key] = {"run": run, "corrected": len(done), "errors": simulation.trained(done)}
                    with path.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(known[key]) + "\n")
                model = _rate(known[key]["errors"])
                curves["model"][arm][minutes].append(model)
                print(f"seed {seed} {arm} {minutes:g} min: {len(done)} corrected, model {model:.1%}, pool {left:.1%}")
        for figure, own in curves.items():
            _draw(args.folder / f"{figure}.svg", figure, own)
    for figure, own in curves.items():
        for arm, by_minutes in own.items():
            if figure == "pool":
                by_minutes = {minutes: by_minutes[minutes] for minutes in (0.0, max(by_minutes))}
            means = (f"{minutes:g} min {np.mean(rates):.1%}" for minutes, rates in by_minutes.items())
            print(f"{figure}, {arm}: {', '.join(means)}")


def _errors(trainer: CtcTrainer, split: Dataset) -> list[list[int]]:
    """Return wrong characters and characters of each utterance of a split: int [N, 2]."""
    labels = labels_of(trainer.processing_class.tokenizer)
    texts = [best_text(log_probs, labels, None) for log_probs in recognised(trainer, split)]
    return error_counts(texts, split["text"], CHARACTERS).tolist()


def _rate(counts: list[list[int]]) -> float:
    errors, length = np.array(counts).sum(0)
    return float(errors / length)


def _draw(path: Path, figure: str, curves: dict[str, dict[float, list[float]]]) -> None:
    series = [[(minutes, float(np.mean(rates))) for minutes, rates in own.items()] for own in curves.values()]
    top = max(rate for points in series for _, rate in points)
    title = f"CER of the {figure}; {', '.join(f'{ARMS[arm]}: {arm}' for arm in curves)}"
    drawn = str(lines(series, top, "minutes of work", title))
    whole = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head, _, rest = whole.partition(">")
    write_text(path, f"{head}><style>{STYLE}</style>{rest}")


if __name__ == "__main__":
    main()
