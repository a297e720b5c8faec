"""Teach a recogniser which letters follow each other in its language, from the texts it was trained on.

    python recipes/language_model.py --model my_model --dataset my_dataset

The language model is written to MODEL/language_model (of a model on the Hub: to the folder --output_dir), and used
from then on by evaluate.py and transcribe.py; but only if it lowers the character error rate on the validation
split, on which its weight is chosen. It holds pieces of the training texts, and goes with the model when that is
pushed: with --push_to the model's folder is, as it is now. To do without it, delete the folder.
"""

import dataclasses

from tqdm.auto import tqdm

from u2u_hf import cli, model_folder, output_folder
from u2u_hf.data.audio import decode_mono
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.model_folder import LANGUAGE_MODEL
from u2u_hf.publishing.export import own_folder
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import setting
from u2u_hf.training.language_model_tuning import tune


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting("", help="folder of the model that it is written to (--model)")
    order: int = setting(6, help="how many characters are looked at together")


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
    learnt = language_model.learn(require_split(splits, "train", args.dataset)["text"], args.order)
    validation = require_split(splits, "validation", args.dataset)
    audio = tqdm(validation["audio"], desc="recognising", unit="utterance")
    heard = [recognizer.log_probs(decode_mono(item["bytes"], item["path"] or "audio")) for item in audio]
    tuned, with_it, without = tune(heard, validation["text"], recognizer.labels, learnt)
    print(f"validation CER: {without:.2%} without a language model, {with_it:.2%} with it")
    if with_it < without:
        language_model.save(tuned, output_dir)
        print(f"language model: {output_dir / LANGUAGE_MODEL} (weight {tuned.weight}, bonus {tuned.bonus})")
    else:
        model_folder.remove(output_dir, LANGUAGE_MODEL)
        print("it does not help, and is not kept")
    if push.push_to:
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")


if __name__ == "__main__":
    cli.launch(main)
