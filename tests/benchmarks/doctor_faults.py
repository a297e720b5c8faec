"""How many known faults doctor.py finds, and how many of its findings are faults.

    python tests/benchmarks/doctor_faults.py --model my_model --folder OUT --base_model u2u_hf/demo/base
    python tests/benchmarks/doctor_faults.py --model my_model --folder OUT --corpus my_corpus --types Surface

Puts faults as people make them into copies of a corpus (of the demo's, without --corpus), in 1, 5 and 10 % of its
annotations, divided between the kinds: texts of neighbours swapped, annotations shifted by 0.3 to 2 s (as far as those
beside them allow), words respelled, tones (or the letter h) dropped in whole tiers of a file, annotations moved to
another speaker's tier, copied over the next one or to another tier, deleted. Examines each copy as recipes/doctor.py
does, and prints tables in Markdown. The cross-fitted recognisers are trained once, on the copy with the most faults:
the others are read by these, each recording by the one that has not seen it. With several seeds each share has several
copies with other faults, and the tables add them up: 1 % of a small corpus is one fault of each kind. A run that was
stopped resumes.
"""

import argparse
import itertools
import json
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests"))

from support.faults import KINDS, Fault, injected, scores  # noqa: E402

from u2u_hf.corpus.preparation import PreparationSettings  # noqa: E402
from u2u_hf.data import audio  # noqa: E402
from u2u_hf.demo.corpus import make_demo_corpus  # noqa: E402
from u2u_hf.doctor import annotations, outcome  # noqa: E402
from u2u_hf.doctor.candidates import candidates  # noqa: E402
from u2u_hf.doctor.examination import error_rate, examined  # noqa: E402
from u2u_hf.doctor.examination import faults as findings  # noqa: E402
from u2u_hf.doctor.gaps import find_gaps  # noqa: E402
from u2u_hf.doctor.reading import Reading, read_unseen  # noqa: E402
from u2u_hf.doctor.settings import NOTHING, Recognisers  # noqa: E402
from u2u_hf.doctor.speech import detected  # noqa: E402
from u2u_hf.recognition.recognizer import Recognizer  # noqa: E402

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
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--leave_out", default="recording", help="as of doctor.py, and so are the next two")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--base_model", default="")
    args = parser.parse_args()
    source = args.corpus or demo(args.folder / "demo")
    examination, recall, precision = Examination(args), Counter(), Counter()
    for share, seed in itertools.product(sorted(args.shares, reverse=True), args.seeds):
        if not share and seed != args.seeds[0]:
            continue  # without faults all copies are the same
        faults, found, number = examination.faults_and_findings(source, share, seed)
        of_faults, of_findings = scores(found, faults)
        if not share:
            flagged = {(row["recording"], row["tier"], row["start_ms"]) for row in found}
            print(f"\nwithout faults: {len(flagged)} of {number} annotations listed", end="")
            print(f" ({len(flagged) / number:.1%}): {dict(Counter(row['kind'] for row in found))}")
            continue
        for kind, (every, as_any, by_name) in of_faults.items():
            recall.update({(kind, share, "all"): every, (kind, share, "any"): as_any, (kind, share, "named"): by_name})
        for kind, (every, right) in of_findings.items():
            precision.update({(kind, share, "all"): every, (kind, share, "right"): right})
    print(tables(recall, precision, [share for share in sorted(args.shares) if share]))


def demo(folder):
    if not (folder / "reference" / "channels.json").is_file():
        make_demo_corpus(folder, recordings=16, new_recordings=0, turns=24, seed=5)
    return folder / "corpus"


class Examination:
    """Examines copies of a corpus as doctor.py does, with recognisers that it trains on the first copy only."""

    def __init__(self, args):
        self.args, self.recognizer = args, Recognizer(args.model)
        self.asked = KeptRecognisers(leave_out=args.leave_out, folds=args.folds, base_model=args.base_model)
        self.model_of = {}  # recording → recogniser that has not seen it
        self.speech = {}

    def faults_and_findings(self, source, share, seed):
        """Return the faults of a copy, the rows of doctor.json, and how many annotations were read."""
        folder = self.args.folder / f"seed_{seed}" / f"share_{share:g}"
        noted = folder / "faults.json"
        if not noted.is_file():
            folder.mkdir(parents=True)
            faults = injected(source, folder / "corpus", share, self.args.types, seed)
            noted.write_text(json.dumps([asdict(fault) for fault in faults]), encoding="utf-8")
        faults = [Fault(**fault) for fault in json.loads(noted.read_text(encoding="utf-8"))]
        settings = PreparationSettings(corpus=str(folder / "corpus"), linguistic_types=self.args.types)
        corpus = annotations.read(settings, audio)
        speech = self.speech_of(corpus)
        measures = self.measures(candidates(corpus.utterances, speech), folder / "doctor")
        heard = examined(corpus, measures)
        gaps = find_gaps(heard, speech)
        found = findings(heard, gaps, self.recognizer)
        print(f"\n{share:.0%} faults, seed {seed}: {Counter(fault.kind for fault in faults)}")
        print(f"CER {error_rate(heard):.1%}; findings: {Counter(one.kind for one in found)}", flush=True)
        return faults, outcome.as_rows(found, corpus, folder / "corpus"), len(heard.measures)

    def speech_of(self, corpus):
        """Return the speech of each audio file: the copies link to the same ones."""
        names = {u.audio for u in corpus.utterances} | {r.audio for r in corpus.recordings.values()}
        real = {name: Path(name).resolve() for name in names}
        if not set(real.values()) <= self.speech.keys():
            found = detected(corpus, self.args.folder)
            self.speech |= {real[name]: speech for name, speech in found.items()}
        return {name: self.speech[path] for name, path in real.items() if path in self.speech}

    def measures(self, asked, folder):
        if not self.model_of:
            found = read_unseen(asked, self.args.model, self.asked, folder)
            if self.args.leave_out == NOTHING:
                return found
            folds = json.loads((folder / "trainings" / ".leave_out.json").read_text("utf-8"))["conditions"]["--folds"]
            self.model_of = {
                name: folder / "trainings" / f"fold_{number}" for number, names in enumerate(folds, 1) for name in names
            }
            return found
        reading, parts = Reading(asked, folder, [self.args.model]), []
        for model in sorted(set(self.model_of.values())):
            wanted = {name: set() for name, other in self.model_of.items() if other == model}
            for one in asked:
                if one.utterance.recording in wanted:
                    wanted[one.utterance.recording].add(annotations.key_of(one.utterance))
            reading.read(Recognizer(model), wanted)
            parts.append(wanted)
        return reading.found(parts)


class KeptRecognisers(Recognisers):
    """As of doctor.py, but the trained recognisers are not removed."""

    def cross_validation(self):
        return replace(super().cross_validation(), keep_models=True)


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
