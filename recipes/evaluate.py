"""Score a trained model on a split of a prepared dataset.

    python recipes/evaluate.py --model my_model --dataset my_dataset --split test --output_dir my_scores

Writes OUTPUT_DIR/metrics.json (word and character error rates, 0 is perfect) and OUTPUT_DIR/pairs.tsv, where
every utterance stands as the person wrote it and as the model heard it.
"""

import dataclasses
import json
from pathlib import Path

from u2u_hf import config
from u2u_hf.dataset import load_splits, require_split
from u2u_hf.evaluation import as_tsv, evaluate_split
from u2u_hf.files import write_text
from u2u_hf.recognizer import Recognizer


@dataclasses.dataclass
class Arguments:
    model: str = config.setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = config.setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    output_dir: str = config.setting(help="folder for metrics.json and pairs.tsv")
    split: str = config.setting("test", help="train, validation or test")


def main() -> None:
    (args,) = config.parse(Arguments, description=__doc__)
    recognizer = Recognizer(args.model)
    split = require_split(load_splits(args.dataset), args.split, args.dataset)
    scores, pairs = evaluate_split(recognizer, split)
    output_dir = Path(args.output_dir)
    write_text(output_dir / "metrics.json", json.dumps(scores, indent=2) + "\n")
    write_text(output_dir / "pairs.tsv", as_tsv(pairs))
    print(f"{args.split}: WER {scores['wer']:.1%}, CER {scores['cer']:.1%}, {scores['utterances']} utterances")
    print(f"scores: {output_dir / 'metrics.json'}")


if __name__ == "__main__":
    config.launch(main)
