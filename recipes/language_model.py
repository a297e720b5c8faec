"""Add a language model of characters to a recogniser, learned from the texts it was trained on.

    python recipes/language_model.py --model my_model --dataset my_dataset

The language model is written to MODEL/language_model (for a model on the Hub: into --output_dir) if it lowers the
character error rate on the validation split, which also chooses its weight. evaluate.py and transcribe.py then use
it; to recognise without it, delete its folder. It contains pieces of the training texts, and is pushed with the
model; --push_to pushes the model's folder.
"""

import dataclasses

from u2u_hf import cli, model_folder, output_folder
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.evaluation.closing import after_language_model
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.model_folder import LANGUAGE_MODEL
from u2u_hf.publishing.export import own_folder
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import setting
from u2u_hf.training.language_model_tuning import recognise, tune


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting("", help="folder of a model to write to (default: --model)")
    order: int = setting(6, help="characters in the longest n-gram; a longer one needs more text")


def main() -> None:
    args, push = cli.parse(Arguments, Push, description=__doc__)
    output_dir = own_folder(args.model, args.output_dir)
    output_folder.check_for_model(output_dir, "language_model.py", args.model)
    language_model.require_own(output_dir)
    if push.push_to:
        check_push(push.push_to, "model", push.public)
    output_folder.claim_for_model(output_dir, "language_model.py", args.model)
    recognizer = Recognizer(args.model)
    splits = load_splits(args.dataset)
    learned = language_model.learn(require_split(splits, "train", args.dataset)["text"], args.order)
    validation = require_split(splits, "validation", args.dataset)
    log_probs = recognise(recognizer, validation)
    tuned, with_it, without = tune(log_probs, validation["text"], recognizer.labels, learned)
    print(f"validation CER: {without:.2%} without a language model, {with_it:.2%} with it")
    kept = with_it < without
    if kept:
        language_model.save(tuned, output_dir)
        print(f"language model: {output_dir / LANGUAGE_MODEL} (weight {tuned.weight}, bonus {tuned.bonus})")
    else:
        model_folder.remove(output_dir, LANGUAGE_MODEL)
        print("it does not help, so it is not kept")
    if push.push_to:
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")
    print(after_language_model(min(with_it, without), kept, str(output_dir), args.dataset))


if __name__ == "__main__":
    cli.launch(main)
