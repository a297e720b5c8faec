import io
import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from u2u_hf import progress_bar as module
from u2u_hf.progress_bar import in_terminal, progress_bar, write_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The time that plain lines go by, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def plain_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    return sys.stderr


def test_a_pipe_gets_a_line_for_each_tenth_at_most_every_10_s_and_at_least_every_60_s(clock, monkeypatch):
    stderr = plain_lines(monkeypatch)
    with progress_bar(desc="cutting", total=100, after_bar="{n}/{total}", mininterval=0, miniters=1) as bar:
        lines = []
        for seconds, done in ((5, 20), (6, 21), (10, 25), (1, 40), (9, 41), (50, 42), (1, 43)):
            clock[0] += seconds
            bar.update(done - bar.n)
            lines.append(len(stderr.getvalue().splitlines()))
    assert lines == [0, 1, 1, 2, 2, 2, 3]
    assert stderr.getvalue().splitlines() == [
        "cutting: 21% 21/100",
        "cutting: 40% 40/100",
        "cutting: 43% 43/100",
    ]


def test_a_pipe_gets_the_last_line_and_no_cursor_codes(monkeypatch):
    stderr = plain_lines(monkeypatch)
    assert list(progress_bar(range(7), desc="scoring", unit="utterance")) == list(range(7))
    assert list(progress_bar([], desc="nothing")) == []
    assert list(progress_bar(range(3), desc="quiet", disable=True)) == [0, 1, 2]
    with progress_bar(desc="one.wav", total=2, after_bar="{n_fmt}/{total_fmt}{postfix}") as bar:
        bar.set_description("two.wav")
        bar.set_postfix({"loss": "0.5"})
        bar.update(2)
    first, second = stderr.getvalue().splitlines()
    assert first.startswith("scoring: 100% 7/7 [")
    assert second == "two.wav: 100% 2/2, loss=0.5"
    assert not set(stderr.getvalue()) & set("\r\x1b")


def test_a_bar_that_is_not_to_stay_leaves_no_line(monkeypatch):
    stderr = plain_lines(monkeypatch)
    list(progress_bar(range(7), desc="scoring", leave=False))
    assert not stderr.getvalue()


def test_a_message_is_a_line_of_its_own(monkeypatch, capsys):
    stderr = plain_lines(monkeypatch)
    for _ in progress_bar(range(1), desc="training"):
        write_line("step 1: validation CER 20.0%")
    assert capsys.readouterr().out == "step 1: validation CER 20.0%\n"
    assert len(stderr.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert in_terminal()
    list(progress_bar(range(2), desc="scoring"))
    assert "\rscoring: 100%|#" in sys.stderr.getvalue()
    monkeypatch.setenv("TERM", "dumb")
    assert not in_terminal()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="IPython gives programs a terminal on POSIX only")
def test_a_program_in_a_notebook_writes_plain_lines(tmp_path):
    (tmp_path / "long.py").write_text(
        "import sys\nfrom u2u_hf.progress_bar import progress_bar\n"
        "print(sys.stderr.isatty())\nlist(progress_bar(range(5), desc='scoring'))\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"!{sys.executable} long.py")])
    NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}, kernel_name="python3"
    ).execute()
    text = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    first, *lines = [line for line in text.split("\n") if line.strip()]
    assert first.strip() == "True"  # only the lines below tell it from a terminal
    (line,) = lines
    assert line.startswith("scoring: 100% 5/5 [")
    assert "\r" not in line.rstrip("\r")  # the terminal's own line ends


def test_it_imports_nothing_heavy():
    code = "import json, sys, u2u_hf.progress_bar; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {"numpy", "torch", "IPython", "ipywidgets"} & set(loaded)


NAME = "a\x1b[2J\n\u202eb.wav"
SHOWN = "a‹U+001B›[2J‹U+000A›‹U+202E›b.wav"


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_names_cannot_command_the_terminal(monkeypatch, capsys, stream):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(desc=NAME, total=2, mininterval=0, miniters=1) as bar:
        bar.set_description(f"{NAME} 2")
        bar.update(2)
        write_line(NAME)
    written = sys.stderr.getvalue()
    assert f"{SHOWN} 2: 100%" in written
    assert not {"\u202e", NAME} & {*written, written}
    assert "a\x1b" not in written
    assert capsys.readouterr().out == f"{SHOWN}\n"
