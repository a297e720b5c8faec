"""Score a trained model on a split of a prepared dataset.

    python recipes/evaluate.py --model my_model --dataset my_dataset --split test --output_dir my_scores
    python recipes/evaluate.py --model my_model --dataset my_dataset --output_dir my_scores --ignore tones punctuation

Writes OUTPUT_DIR/metrics.json (word and character error rates with confidence intervals, also by speaker and
recording; 0 is perfect), OUTPUT_DIR/evaluation.html (the same to look at, with the errors and the worst utterances)
and OUTPUT_DIR/pairs.tsv (reference and hypothesis of every utterance). These files name speakers and quote them;
they are never pushed.
"""

import dataclasses
import json
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.evaluation.closing import after_evaluation
from u2u_hf.evaluation.html_page import evaluation_page
from u2u_hf.evaluation.scoring import as_tsv, ignoring, measure, recognise_split
from u2u_hf.publishing.cards.model import add_scores
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting(help="folder for metrics.json, evaluation.html and pairs.tsv")
    split: str = setting("test", help="train, validation or test")
    ignore: list[str] = setting([], help="score also without tones, punctuation, case, or any characters")
    audio: bool = setting(False, help="put the audio of the worst utterances into evaluation.html")
    update_card: bool = setting(False, help="write the scores into the model's card, README.md in its folder")

    def __post_init__(self):
        # Raise before the recognition, not after it.
        ignoring(self.ignore)
        if self.update_card and not Path(self.model).is_dir():
            raise U2UError(f"--update_card: needs the model's folder, and {self.model} is not one: download it first")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    output_dir = Path(args.output_dir)
    output_folder.claim(output_dir, "evaluate.py")
    split = require_split(load_splits(args.dataset), args.split, args.dataset)
    pairs, real_time_factor = recognise_split(Recognizer(args.model), split, language_model.load(args.model))
    metrics = measure(pairs, args.ignore) | {"real_time_factor": real_time_factor}
    sounds = [split[row["row"]]["audio"]["bytes"] for row in metrics["worst"]] if args.audio else []
    output_folder.write(output_dir / "metrics.json", json.dumps(metrics, ensure_ascii=False, indent=2) + "\n")
    output_folder.write(output_dir / "pairs.tsv", as_tsv(pairs))
    html = evaluation_page(metrics, f"{Path(args.model).name} on {args.split}", sounds)
    output_folder.write(output_dir / "evaluation.html", html)
    if args.update_card:
        add_scores(Path(args.model), args.dataset, args.split, metrics)
    print(f"every error: {output_dir / 'evaluation.html'}")
    print(after_evaluation(metrics, f"{args.split}, {metrics['utterances']} utterances", args.model))


if __name__ == "__main__":
    cli.launch(main)
