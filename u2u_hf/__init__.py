"""u2u-hf: speech recognition that a field linguist can make and own."""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"

# onnxruntime tells its maker of every use unless this is set before it is imported; the Hub's clients, theirs.
os.environ.update(ORT_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_TELEMETRY="1")

# Python puts the folder of a running recipe first on its path, where recipes/evaluate.py would be imported
# instead of the library `evaluate`.
if sys.path and all(Path(sys.path[0], name).is_file() for name in ("prepare.py", "train.py", "evaluate.py")):
    del sys.path[0]
