"""How many known faults doctor.py finds, and how many of its findings are faults.

    python tests/benchmarks/doctor_faults.py --model my_model --base_model u2u_hf/demo/base --folder OUT
    python tests/benchmarks/doctor_faults.py --model my_model --corpus my_corpus --types Surface --folder OUT

Puts faults as people make them into copies of a corpus (of the demo's, without --corpus), in 1, 5 and 10 % of its
annotations, divided between the kinds: texts of neighbours swapped, annotations shifted by 0.3 to 2 s (as far as those
beside them allow), words respelled, tones (or the letter h) dropped in whole tiers of a file, annotations moved to
another speaker's tier, copied over the next one or to another tier, deleted. Runs recipes/doctor.py on each copy, with
cross-fitted recognisers, and prints tables in Markdown. A run that was stopped resumes.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests"))

from support.faults import KINDS, Fault, injected, scores  # noqa: E402

from u2u_hf.demo.corpus import make_demo_corpus  # noqa: E402

TITLES = {
    "swapped": "texts of neighbours swapped",
    "shifted": "shifted by 0.3 to 2 s",
    "spelling": "a word respelled",
    "convention": "a letter dropped in a whole tier",
    "speaker": "on another speaker's tier",
    "copied": "copied",
    "deleted": "deleted",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for the copies and what doctor.py makes of them")
    parser.add_argument("--corpus", type=Path, help="default: the demo's, 16 recordings")
    parser.add_argument("--types", nargs="+", default=["transcription"], help="linguistic types of the transcriptions")
    parser.add_argument("--shares", nargs="+", type=float, default=[0, 0.01, 0.05, 0.1])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("settings", nargs="*", help="further settings of doctor.py, after --")
    args = parser.parse_args()
    source = args.corpus or demo(args.folder / "demo")
    recall, precision = Counter(), Counter()
    for share in args.shares:
        faults, found, annotations = examine(args, source, share)
        of_faults, of_findings = scores(found, faults)
        if not share:
            flagged = {(row["recording"], row["tier"], row["start_ms"]) for row in found}
            print(f"\nwithout faults: {len(flagged)} of {annotations} annotations listed", end="")
            print(f" ({len(flagged) / annotations:.1%}): {dict(Counter(row['kind'] for row in found))}")
            continue
        for kind, (number, as_any, by_name) in of_faults.items():
            recall[kind, share, "all"], recall[kind, share, "any"] = number, as_any
            recall[kind, share, "named"] = by_name
        for kind, (number, right) in of_findings.items():
            precision[kind, share, "all"], precision[kind, share, "right"] = number, right
    print(tables(recall, precision, [share for share in args.shares if share]))


def demo(folder):
    if not (folder / "reference" / "channels.json").is_file():
        make_demo_corpus(folder, recordings=16, new_recordings=0, turns=24, seed=5)
    return folder / "corpus"


def examine(args, source, share):
    """Return the faults, doctor.json, and how many annotations there are."""
    folder = args.folder / f"share_{share:g}"
    noted = folder / "faults.json"
    if not noted.is_file():
        folder.mkdir(parents=True)
        faults = injected(source, folder / "corpus", share, args.types, args.seed)
        noted.write_text(json.dumps([asdict(fault) for fault in faults]), encoding="utf-8")
    faults = [Fault(**fault) for fault in json.loads(noted.read_text(encoding="utf-8"))]
    places = ["--model", args.model, "--corpus", folder / "corpus", "--output_dir", folder / "doctor"]
    command = [sys.executable, PROJECT / "recipes" / "doctor.py", *places, *args.settings]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    print(f"\n{share:.0%} faults: {Counter(fault.kind for fault in faults)}\n{run.stdout[-1500:]}", flush=True)
    if not (folder / "doctor" / "doctor.json").is_file():
        raise SystemExit(run.stderr[-2000:])
    number = next(line for line in run.stdout.splitlines() if " annotations read, " in line).split()[0]
    return faults, json.loads((folder / "doctor" / "doctor.json").read_text(encoding="utf-8")), int(number)


def tables(recall, precision, shares):
    heads = " | ".join(f"{share:.0%}" for share in shares)
    lines = ["", f"| fault | {heads} |", "|---|" + "---|" * len(shares)]
    for kind in KINDS:
        cells = (f"{recall[kind, s, 'named']} of {recall[kind, s, 'all']}" for s in shares)
        lines.append(f"| {TITLES[kind]} | {' | '.join(cells)} |")
        other = (f"{recall[kind, s, 'any'] - recall[kind, s, 'named']}" for s in shares)
        if any(recall[kind, s, "any"] > recall[kind, s, "named"] for s in shares):
            lines.append(f"| … found as another kind | {' | '.join(other)} |")
    lines += ["", f"| finding | {heads} |", "|---|" + "---|" * len(shares)]
    for kind in sorted({kind for kind, *_ in precision}):
        cells = (f"{precision[kind, s, 'right']} of {precision[kind, s, 'all']}" for s in shares)
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
