"""Imported once by the fork server of `programs`: all that recipes import."""

import importlib
import os
import pkgutil

BEFORE = dict(os.environ)  # u2u_hf changes it

import u2u_hf  # noqa: E402 (first of the libraries: it sets what they read when they are imported)

_OTHERS = "torch._dynamo torchaudio pandas pyarrow.dataset pyarrow.parquet matplotlib.pyplot av transformers.trainer"
_OTHERS += " accelerate.commands.launch gradio"
for _name in _OTHERS.split():
    importlib.import_module(_name)
for _module in pkgutil.walk_packages(u2u_hf.__path__, "u2u_hf."):
    if not _module.name.startswith("u2u_hf.demo.pretrain"):
        importlib.import_module(_module.name)
