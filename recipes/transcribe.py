"""Transcribe recordings into ELAN files, and other formats.

    python recipes/transcribe.py --model my_model --output_dir my_transcripts my_recordings/
    python recipes/transcribe.py --model my_model --output_dir my_transcripts --formats eaf,srt talk.wav

Speech is found on each channel, recognised, and written with times of segments and words. Open the .eaf in
ELAN, correct it, and it is training data for the next round. What is there already is left as it is: a run
that was stopped goes on where it was.
"""

import dataclasses
from pathlib import Path

from u2u_hf import config, outputs
from u2u_hf.recognizer import Recognizer
from u2u_hf.transcribe import in_words, recordings_in, transcribe_all
from u2u_hf.vad import VadSettings


@dataclasses.dataclass
class Arguments:
    model: str = config.setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    output_dir: str = config.setting(help="folder for the transcripts")
    recordings: list[str] = config.setting([], help="recordings, or folders of them", positional=True)
    formats: str = config.setting("eaf", help=f"any of {','.join(outputs.FORMATS)}, with commas between")
    threshold: float = config.setting(0.5, help="0 to 1: lower finds more speech, and more that is none")
    max_segment_seconds: float = config.setting(20.0, help="longer stretches of speech are cut")
    overwrite: bool = config.setting(False, help="replace transcripts that are there")


def main() -> int:
    (args,) = config.parse(Arguments, description=__doc__)
    formats = outputs.parse_formats(args.formats)
    recordings = recordings_in(args.recordings)
    recognizer = Recognizer(args.model)
    settings = VadSettings(threshold=args.threshold, max_segment_ms=round(args.max_segment_seconds * 1000))
    outcomes = transcribe_all(recordings, recognizer, Path(args.output_dir), formats, settings, args.overwrite)
    print(in_words(outcomes))
    return 1 if any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    config.launch(main)
