"""u2u-hf: speech recognition that a field linguist can make and own.

The floors of the house: an import points up this list, never down (tests/test_layers.py). Everything from the top down
to `browser` also runs in a browser under Pyodide, with the standard library, pympi and tqdm alone.

    records         what passes between stages, and the error a user sees
    visible_text    texts of files, safe to print
    frames          samples, frames and milliseconds
    memory          errors for lack of memory, told apart from damaged files
    files           writing a file whole or not at all
    settings        a recipe's settings: dataclass fields with help, what was changed, how a path is quoted
    written_files   replacing files where people work too: what a person wrote or edited is never lost
    folder_lock     two runs do not write into one folder at once
    output_folder   a recipe writes only into a folder that is new, empty or its own
    progress_bar    a bar in a terminal, plain lines in pipes and notebooks
    model_folder    what lies in a model's folder and in a pushed repository
    formats/        ELAN, Praat, tables, subtitles: files to records and back
    corpus/         a folder of annotations and recordings to utterances in splits
    reports/        what a corpus holds and what a preparation did
    browser         the browser page's door to all of the above
    hub/            push, fetch, and what the Hub refuses in plain words
    data/           sound to dataset to batches
    recognition/    models, vocabulary, log-probabilities to words, language model
    evaluation/     how good a recogniser is
    training/       dataset to recogniser
    transcription/  recordings to transcripts
    integrations/   the recogniser in the menus of ELAN and Praat
    publishing/     ONNX, cards, Spaces: what others get
    command_line/   recipes as commands: their flags, how one is started and shown, how several run in a row
    comparison/     which pre-trained model to start from
    cross_validation/  how good recognisers are on what each did not learn from
    doctor/         probable faults in the transcripts themselves
    project/        a linguist's project: its folder, its steps, and their runs
    growth/         rounds of correcting and training, and what the next hour will bring
    cli             the recipes' door: flags, --config, errors in one line
    demo/           the made-up corpus and the tiny model
"""

import importlib.util
import os
import sys
from pathlib import Path

__version__ = "0.1.0"

# Set before the libraries are imported, which otherwise report: onnxruntime and the Hub's clients, every use;
# `datasets`, to a server at Amazon, the name of each dataset loaded from the Hub, private ones too; transformers, to a
# conversion service, the name of a base model without model.safetensors, and for a private one the user's token (5.24,
# safetensors_conversion.py); gradio, which --report_to trackio starts, each page.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_UPDATE_DOWNLOAD_COUNTS="0",
    DISABLE_SAFETENSORS_CONVERSION="1",
    GRADIO_ANALYTICS_ENABLED="False",
)

if importlib.util.find_spec("torch") is None:  # who only transcribes needs no advice to install it
    os.environ["TRANSFORMERS_NO_ADVISORY_WARNINGS"] = "1"

# Python puts the folder of a running recipe first on its path, where it would find recipes/evaluate.py instead of the
# library `evaluate`.
if sys.path and all(Path(sys.path[0], name).is_file() for name in ("prepare.py", "train.py", "evaluate.py")):
    del sys.path[0]
