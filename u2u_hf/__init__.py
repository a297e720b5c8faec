"""u2u-hf: speech recognition that a field linguist can make and own."""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"

# What the libraries send or ask for unless told otherwise, before they are imported: onnxruntime and the Hub's clients
# report every use; `datasets` tells a computer at Amazon the name of each dataset that is loaded from the Hub, also of
# private ones; transformers sends the name of a base without model.safetensors to a conversion service, and of private
# ones the user's token (5.24, safetensors_conversion.py); gradio, which --report_to trackio starts, reports each page.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_UPDATE_DOWNLOAD_COUNTS="0",
    DISABLE_SAFETENSORS_CONVERSION="1",
    GRADIO_ANALYTICS_ENABLED="False",
)

# Python puts the folder of a running recipe first on its path, where recipes/evaluate.py would be imported
# instead of the library `evaluate`.
if sys.path and all(Path(sys.path[0], name).is_file() for name in ("prepare.py", "train.py", "evaluate.py")):
    del sys.path[0]
