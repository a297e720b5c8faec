"""The lower layers also run in a browser under Pyodide, where none of the heavy packages is."""

import subprocess
import sys

LIGHT = "records frames text filters splits files eaf_tables eaf textgrid subtitles corpus tiers reading tables".split()
LIGHT += "eaf_edit inventory survey markup plots report_style report_html inspection report".split()
LIGHT += "outputs settings channels preparation browser".split()
HEAVY = "numpy torch torchaudio datasets transformers accelerate pandas pyarrow soundfile onnxruntime".split()


def test_annotation_files_and_text_need_no_heavy_package():
    code = f"import sys, {', '.join(f'u2u_hf.{name}' for name in LIGHT)}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "pympi" in loaded
    assert {f"u2u_hf.{name}" for name in LIGHT} <= set(loaded)
    assert not set(HEAVY) & set(loaded)
