"""Train the tiny base model of the demonstration again, a small HuBERT, from synthetic speech.

    python recipes/demo/pretrain.py --output_dir DIR --hours 10 --minutes 55

The model in the package was trained by this command on two CPU cores; see u2u_hf/demo/base/README.md.
"""

import argparse
import json
from pathlib import Path

from u2u_hf import cli
from u2u_hf.demo.pretrain import pretrain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", type=Path, required=True, help="folder for the model")
    parser.add_argument("--hours", type=float, default=10.0, help="hours of speech to synthesise")
    parser.add_argument(
        "--minutes", type=float, default=55.0, help="minutes of training; the learning rate decays to 0 in this time"
    )
    parser.add_argument("--processes", type=int, default=2, help="processes that synthesise")
    parser.add_argument("--batch_size", type=int, default=16, help="utterances a step")
    args = parser.parse_args()
    result = pretrain(args.output_dir, args.hours, args.minutes, args.processes, args.batch_size)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    cli.launch(main)
