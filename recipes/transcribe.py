"""Transcribe recordings into ELAN files, and other formats.

    python recipes/transcribe.py --model my_model --output_dir my_transcripts my_recordings/
    python recipes/transcribe.py --model my_model --output_dir my_transcripts --formats eaf,srt talk.wav
    python recipes/transcribe.py --model my_model --output_dir out --annotations my_elan --align "*_tx" my_recordings/
    torchrun --nproc_per_node 4 recipes/transcribe.py --model my_model --output_dir my_transcripts my_recordings/

Speech is detected on each channel, recognised, and written with the times of segments and words. Segments that the
recogniser is unsure of are marked on a tier of their own. Existing transcripts are not changed, so a run that was
stopped resumes where it stopped.

Correct an .eaf in ELAN. Then give the corrected tier the type "corrected transcript", which the file has ready, or
another one of yours (Tier > Change Tier Attributes): this marks it as your work, and prepare.py takes it as training
data. It takes tiers with the machine's types only if --tiers or --linguistic_types names them.

With --queue, queue.tsv lists the segments to correct first: those where a minute of your work is expected to fix most
errors, spread over recordings, speakers and kinds of sound. It opens in Excel. Its columns: order (1 first), recording,
start and end (as ELAN shows them), channel, tier (of your own file), confidence (0 to 1), errors (characters that will
have to be changed), errors_per_minute (of work: each segment is heard twice, and a wrong character takes 1.8 s),
minutes (of work up to this row: with an hour, stop at 60), text. In each new .eaf, a tier "queue" numbers the segments
that hold half of the recording's errors, those to correct first: step through it in ELAN.

With --annotations, a copy of each recording's own ELAN file gets the new tiers. --segments_from recognises the segments
of one of its tiers; --align finds the times of the words in a tier's transcripts, and how well each transcript fits.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli
from u2u_hf.command_line.statuses import DONE, SKIPPED
from u2u_hf.data.processes import processes
from u2u_hf.evaluation.card_score import card_score
from u2u_hf.evaluation.verdict import warning
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import setting
from u2u_hf.transcription.batch import next_steps, outcome_lines, transcribe_all, write_queue
from u2u_hf.transcription.jobs import TranscriptionSettings, find_jobs
from u2u_hf.transcription.voice_detection import VadSettings
from u2u_hf.written_files import put_back


@dataclasses.dataclass
class Arguments(TranscriptionSettings):
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")


def main() -> int:
    args, vad = cli.parse(Arguments, VadSettings, description=__doc__)
    if processes().is_main_process:
        for folder in filter(None, (args.output_dir, args.annotations)):
            put_back(Path(folder))
    jobs, skipped = find_jobs(args)
    recognizer = Recognizer(args.model)
    if processes().is_main_process and (score := card_score(args.model)) and (doubt := warning(*score)):
        print(f"! {args.model}: {doubt}")
    outcomes = transcribe_all(
        jobs, recognizer, vad, args, language_model.load(args.model), calibration.load(args.model)
    )
    if processes().is_main_process:
        print(outcome_lines(skipped, outcomes))
        if queue := write_queue(outcomes, args):
            print(f"to correct first: {queue}")
        print(next_steps(skipped, outcomes, args))
    has_skipped = any(item.is_problem for item in skipped) or any(outcome.problem for outcome in outcomes)
    return SKIPPED if has_skipped else DONE


if __name__ == "__main__":
    cli.launch(main)
