"""Teach a recogniser which words and sentences its language has: a language model, from its transcripts and your texts.

    python recipes/language_model.py --model my_model --dataset my_dataset
    python recipes/language_model.py --model my_model --dataset my_dataset --texts my_texts
    python recipes/language_model.py --model my_model --dataset my_dataset --texts stories.docx words.csv

Where the recogniser is unsure what it hears, the language model prefers what is usual in the language. It learns from
the transcripts of the training split, and from texts that nobody has recorded, if you have some: a collection of
stories, a Bible or school book, messages, a dictionary. More text is better, and text like what people say is best.

--texts takes files and folders: Word documents (.docx), plain text (.txt), texts of FLEx (.flextext, which its menu
Interlinear > Export writes), texts and dictionaries of Toolbox and Shoebox (.txt, .sfm, .db; of their lines those of
\\tx, \\lx and \\xv), and word lists (one word on a line, or a table .csv or .tsv). They must be in the orthography of
the transcripts: the text rules that prepared the dataset (in its prepare.yaml) are applied to them. Sentences of
another language, such as translations, words with characters that the recogniser does not have, and sentences of the
validation and test splits are left out; the output says how many, with an example of each. Look at it: if much of your
own language is left out, the texts are spelled otherwise than the transcripts.

The validation split decides: between words and letters, how much the language model counts, and whether the texts or
the language model help at all. What has the lowest character error rate is kept, of equals what has the lowest word
error rate; a language model that lowers neither is not kept. The result is written to
MODEL/language_model (for a model on the Hub: into --output_dir). evaluate.py, transcribe.py, the menus of ELAN and
Praat, and both pages then use it; to recognise without it, delete that folder. It contains pieces of the transcripts
and of the texts, and is pushed with the model: ask those whose texts they are. --push_to pushes the model's folder.
"""

import dataclasses

from u2u_hf import cli, model_folder, output_folder
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.evaluation.calibration_fit import calibrate, recognise
from u2u_hf.evaluation.closing import after_language_model, beside_model
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.model_folder import LANGUAGE_MODEL
from u2u_hf.publishing.export import own_folder
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import setting
from u2u_hf.training.language_model_tuning import best_of, table, try_all
from u2u_hf.training.language_models import learn_all
from u2u_hf.training.outside_text import read_parts


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    texts: list[str] = setting([], help="files and folders with texts of the language, beside the transcripts")
    output_dir: str = setting("", help="folder of a model to write to (default: --model)")
    order: int = setting(6, help="characters in the longest n-gram; a longer one needs more text")


def main() -> None:
    args, push = cli.parse(Arguments, Push, description=__doc__)
    output_dir = own_folder(args.model, args.output_dir)
    output_folder.check_for_model(output_dir, "language_model.py", args.model)
    language_model.require_own(output_dir)
    parts = read_parts(args.texts)
    if push.push_to:
        check_push(push.push_to, "model", push.public)
    output_folder.claim_for_model(output_dir, "language_model.py", args.model)
    recognizer = Recognizer(args.model)
    alone = calibration.load(args.model).alone
    splits = load_splits(args.dataset)
    models, report = learn_all(splits, args.dataset, parts, recognizer.labels, args.order)
    print(report, end="")
    validation = require_split(splits, "validation", args.dataset)
    log_probs = recognise(recognizer, validation)
    tried = try_all(log_probs, validation["text"], recognizer.labels, models)
    print(table(tried))
    best = best_of(tried)
    # Before the language model is replaced: a run that is killed between must not leave what was fitted to another one.
    calibration.forget_language_model(output_dir)
    if best.language_model:
        language_model.save(best.language_model, output_dir)
        print(f"kept: {best.name}, in {output_dir / LANGUAGE_MODEL}")
    else:
        model_folder.remove(output_dir, LANGUAGE_MODEL)
        print("it does not help, so it is not kept")
    print(calibrate(recognizer, validation, best.language_model, output_dir, log_probs, alone))
    is_kept, is_in_model = best.language_model is not None, output_folder.is_model_folder(output_dir, args.model)
    if push.push_to and (is_kept or is_in_model):  # else the folder has nothing to push
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")
    if not is_in_model and (remark := beside_model(args.model, is_kept, push.push_to)):
        print(f"! {remark}")
    print(after_language_model(best.cer, is_kept, str(output_dir) if is_in_model else args.model, args.dataset))


if __name__ == "__main__":
    cli.launch(main)
