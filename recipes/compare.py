"""Compare pre-trained models on your dataset: each is trained for the same time and scored on the same recordings.

    python recipes/compare.py --dataset my_dataset --models MODEL_A MODEL_B --time_budget 3h --output_dir my_comparison

A model is a folder or OWNER/NAME on the Hub: a pre-trained one such as utter-project/mHuBERT-147 or
facebook/wav2vec2-xls-r-300m, an earlier recogniser of yours, or one of a related language. Each is trained as train.py
would, in OUTPUT_DIR/MODEL, with an equal share of --time_budget. Downloads and the final scores come on top.
OUTPUT_DIR/compare.html and compare.json say which model has the lowest error rate, how sure that is, and what each
needs. The scores are of the validation split, because the test split would flatter the chosen model once it had chosen
it; it stays for the final score.
Run the same command again to resume. To add a model, add it to --models and raise --time_budget, so that the share
stays the same; those that are trained already are not trained again. A model that fails is named and stops no other.
These files name recordings; nothing is pushed.
"""

import dataclasses
import os
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.command_line.statuses import DONE, FAILED, SKIPPED, STOPPED
from u2u_hf.comparison.bases import SPLIT, bases
from u2u_hf.comparison.conditions import Conditions, SharedTraining, flags_of, settle, share
from u2u_hf.comparison.run import Comparison
from u2u_hf.data.dataset import digest, load_splits, require_split
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    models: list[str] = setting(help="pre-trained models: folders, or OWNER/NAME on the Hub")

    def __post_init__(self):
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise U2UError("start compare.py with python: it starts accelerate launch for each model")


def main() -> int:
    args, training = cli.parse(Arguments, SharedTraining, description=__doc__)
    output_dir = Path(training.output_dir)
    compared = bases(args.models, output_dir)
    seconds = share(training.time_budget, len(compared))
    output_folder.claim(output_dir, "compare.py")
    splits = load_splits(args.dataset)
    _, validation = (require_split(splits, name, args.dataset) for name in ("train", SPLIT))
    learnt_from = digest({name: splits[name] for name in ("train", "validation")})
    conditions = Conditions(learnt_from, seconds, flags_of(training))
    settle(output_dir, conditions, len(compared))
    cli.save(output_dir / "compare.yaml", args, training)
    recipes = Path(__file__).parent
    comparison = Comparison(compared, args.dataset, validation, training, conditions, output_dir, recipes)
    comparison.announce()
    problems = comparison.run()
    if problems is None:
        print("stopped; the same command resumes there")
        return STOPPED
    print(comparison.conclude(problems))
    return FAILED if len(problems) == len(compared) else SKIPPED if problems else DONE


if __name__ == "__main__":
    cli.launch(main)
