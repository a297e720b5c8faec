"""Export a trained model to ONNX, which is several times as fast on a processor (CPU) and runs in the browser.

    python recipes/export.py --model my_model --dataset my_dataset

Writes MODEL/onnx/model.onnx (float32) and MODEL/onnx/model_quantized.onnx (8-bit numbers), which is a third of the
size and the fastest. transcribe.py uses it on computers without a GPU. With --dataset, the character error rate of both
is measured on the validation split, and the 8-bit file is only kept if it makes hardly more errors.
"""

import dataclasses

from u2u_hf import cli, output_folder
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.publishing.cards.model import add_export
from u2u_hf.publishing.export import export, next_steps, own_folder, report_table, require_own
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting("", help="folder for the exported model (the model's own folder)")
    dataset: str = setting("", help="prepared dataset to measure errors on: a folder, or OWNER/NAME on the Hub")


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
    print(report_table(report))
    add_export(output_dir, report_table(report))
    print(f"exported: {output_dir / 'onnx'}")
    if push.push_to:
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")
    print(next_steps(report, output_dir, push.push_to))


if __name__ == "__main__":
    cli.launch(main)
