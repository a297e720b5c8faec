"""Transcribe recordings into ELAN files, and other formats.

    python recipes/transcribe.py --model my_model --output_dir my_transcripts my_recordings/
    python recipes/transcribe.py --model my_model --output_dir my_transcripts --formats eaf,srt talk.wav
    python recipes/transcribe.py --model my_model --output_dir out --annotations my_elan --align '*_tx' my_recordings/
    torchrun --nproc_per_node 4 recipes/transcribe.py --model my_model --output_dir my_transcripts my_recordings/

Speech is found on each channel, recognised, and written with times of segments and words; segments that the
recogniser is unsure of are marked on a tier of their own. What is there already is left as it is: a run that was
stopped goes on where it was.

Correct an .eaf in ELAN, with --queue true the segments of queue.tsv first. Then give the corrected tier a type of
your own (Tier > Change Tier Attributes), which says that it is your work now, and it is training data for
prepare.py; tiers that still have the machine's types are not, unless --tiers or --linguistic_types names them.

With --annotations the recordings' own ELAN files are looked up, and a copy of each gets the new tiers. With
--segments_from the recogniser hears what a tier there has segmented; with --align it finds the times of the words
of a tier's transcripts, and how well each transcript fits.
"""

import dataclasses

from u2u_hf import cli
from u2u_hf.data.processes import processes
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import setting
from u2u_hf.transcription.batch import in_words, transcribe_all, write_queue
from u2u_hf.transcription.jobs import TranscriptionSettings, find_jobs
from u2u_hf.transcription.voice_detection import VadSettings


@dataclasses.dataclass
class Arguments(TranscriptionSettings):
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")


def main() -> int:
    args, vad = cli.parse(Arguments, VadSettings, description=__doc__)
    jobs, skipped = find_jobs(args)
    outcomes = transcribe_all(jobs, Recognizer(args.model), vad, args, language_model.load(args.model))
    if processes().is_main_process:
        print(in_words(skipped, outcomes))
        if queue := write_queue(outcomes, args):
            print(f"to look at first: {queue}")
    return 1 if skipped or any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    cli.launch(main)
