"""Export a trained model to ONNX: several times as fast on a processor, and fit for the browser.

    python recipes/export.py --model my_model --dataset my_dataset

Writes MODEL/onnx: model.onnx, and model_quantized.onnx, with 8-bit numbers, a third of the size and the fastest.
transcribe.py takes it from then on where there is no GPU. The validation split tells what the smaller numbers
cost; without --dataset that is not known.
"""

import dataclasses

from u2u_hf import cli, output_folder
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.publishing.cards.model import add_export
from u2u_hf.publishing.export import export, in_words, own_folder, require_own
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting("", help="folder for the exported model (the model's own)")
    dataset: str = setting("", help="prepared dataset, to measure on: a folder, or OWNER/NAME on the Hub")


def main() -> None:
    args, push = cli.parse(Arguments, Push, description=__doc__)
    output_dir = own_folder(args.model, args.output_dir)
    output_folder.check_for_model(output_dir, "export.py", args.model)
    require_own(output_dir)
    if push.push_to:
        check_push(push.push_to, "model", push.public)
    output_folder.claim_for_model(output_dir, "export.py", args.model)
    validation = require_split(load_splits(args.dataset), "validation", args.dataset) if args.dataset else None
    report = export(args.model, output_dir, validation)
    print(in_words(report))
    add_export(output_dir, in_words(report))
    print(f"exported: {output_dir / 'onnx'}")
    if push.push_to:
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")


if __name__ == "__main__":
    cli.launch(main)
