"""Find probable faults in your own transcripts, hear them on a page, and put what you accept into copies of the files.

    python recipes/doctor.py --model my_model --corpus my_corpus --output_dir my_doctor --time_budget 1h
    python recipes/doctor.py --model OWNER/NAME --corpus my_corpus --output_dir my_doctor --leave_out nothing
    python recipes/doctor.py --corpus my_corpus --output_dir my_doctor --apply accepted.json

Every annotation is read by a recogniser that never saw it. Recognisers are trained as MODEL was, from its base model
and with the settings in its train.yaml, each without some recordings of CORPUS (see evaluate.py --leave_out). Where
MODEL itself never saw this corpus, say --leave_out nothing: then it reads all, and nothing is trained. Give the
settings of the preparation with --config: the same tiers and text rules are examined. Those of splits, overlaps and the
dataset's card are accepted, and have no effect here.

OUTPUT_DIR/doctor.html lists: texts that do not fit their sound, also those of a neighbour; shifted boundaries; two
spellings of one word; a transcriber, speaker or file with another convention; annotations on the wrong speaker's tier;
annotations that were copied; speech without annotation. Each can be heard. What a minute of your time is worth most for
comes first. OUTPUT_DIR/doctor.json holds the same for programs. What is unusual is learnt from this corpus: with little
speech, or recognisers that err much, only gross faults are found.

On the page, tick what is right, change the text where you hear another, and save accepted.json. With --apply, copies of
your .eaf files with these corrections are written to OUTPUT_DIR/corrected, every other byte as it was. Your own files
are never changed. Both hold what speakers said: nothing is pushed. Run the same command again to resume.
"""

import dataclasses
import hashlib
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.command_line.statuses import DONE, SKIPPED, STOPPED
from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.data import audio
from u2u_hf.data.processes import processes
from u2u_hf.doctor import annotations, clips, corrections, outcome
from u2u_hf.doctor.candidates import candidates
from u2u_hf.doctor.closing import after_apply, after_examination, notes
from u2u_hf.doctor.examination import error_rate, examined, faults
from u2u_hf.doctor.findings import annotations_flagged
from u2u_hf.doctor.gaps import find_gaps
from u2u_hf.doctor.page import Summary, doctor_page
from u2u_hf.doctor.reading import read_unseen
from u2u_hf.doctor.settings import Recognisers
from u2u_hf.doctor.speech import detected
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.settings import quoted, setting


@dataclasses.dataclass
class Arguments(PreparationSettings):
    output_dir: str = setting(help="folder for doctor.html, doctor.json and the corrected copies")
    model: str = setting("", help="trained model: a folder, or OWNER/NAME on the Hub")
    apply: str = setting("", help="accepted.json, saved from doctor.html: write the corrected copies, examine nothing")

    def __post_init__(self):
        super().__post_init__()
        if not self.model and not self.apply:
            raise U2UError("--model: is missing: name a trained model, whose base model the recognisers start from")


def main() -> int:
    args, asked = cli.parse(Arguments, Recognisers, description=__doc__)
    if processes().is_main_process:
        output_folder.claim(Path(args.output_dir), "doctor.py", inputs={"--corpus": args.corpus})
    return apply(args) if args.apply else examine(args, asked)


def examine(args: Arguments, asked: Recognisers) -> int:
    output_dir = Path(args.output_dir)
    corpus = annotations.read(args, audio)
    speech = detected(corpus, output_dir)
    measures = read_unseen(candidates(corpus.utterances, speech), args.model, asked, output_dir)
    if measures is None:
        print("stopped; the same command resumes there")
        return STOPPED
    if processes().is_main_process:
        heard = examined(corpus, measures)
        gaps = find_gaps(heard, speech)
        found = faults(heard, gaps, Recognizer(args.model))
        rows = outcome.as_rows(found, corpus, Path(args.corpus))
        text = outcome.as_json(rows)
        command = f"python recipes/doctor.py --corpus {quoted(args.corpus)} --output_dir {quoted(output_dir)}"
        run = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        summary = Summary(
            annotations=len(heard.measures),
            flagged=annotations_flagged(found),
            cer=error_rate(heard),
            notes=notes(corpus, measures, speech, gaps),
            command=f"{command} --apply accepted.json",
            run=run,
        )
        output_folder.write(output_dir / "doctor.json", text)
        output_folder.write(output_dir / "doctor.html", doctor_page(rows, list(clips.clips(found)), summary))
        print(after_examination(found, summary, output_dir))
    problem = any(one.is_problem for one in corpus.skipped) or any(one.problem for one in (*measures, *speech.values()))
    return SKIPPED if problem else DONE


def apply(args: Arguments) -> int:
    output_dir = Path(args.output_dir)
    accepted = corrections.read_accepted(Path(args.apply))
    done = corrections.apply(outcome.read_rows(output_dir / "doctor.json"), accepted, Path(args.corpus), output_dir)
    print(after_apply(done, output_dir))
    return SKIPPED if any(one.problem or one.refused for one in done) else DONE


if __name__ == "__main__":
    cli.launch(main)
