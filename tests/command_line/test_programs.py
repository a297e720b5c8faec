import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from u2u_hf.command_line.programs import Programs


def run(code):
    with Programs() as programs:
        return programs.run([sys.executable, "-c", textwrap.dedent(code)])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('fine')", ""),
        ("import sys; sys.exit('error: ñandú: holds no model')", "ñandú: holds no model"),
        ("import sys; print('! skipped a.eaf'); sys.exit(3)", ""),
        # A launcher writes more below the error.
        ("import sys; print('error: a: b', file=sys.stderr); print('x', file=sys.stderr); sys.exit(1)", "a: b"),
        ("1 / 0", "failed: 'ZeroDivisionError: division by zero' (all of it is above)"),
    ],
)
def test_the_reason_is_one_line(code, reason, capfd, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    assert run(code) == reason
    if reason:
        assert capfd.readouterr().err  # shown, too


def test_a_program_that_the_system_ends_is_short_of_memory():
    reason = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert reason.startswith("ended without a message, mostly by the system for lack of memory: try a lower --batch_s")


def test_what_failed_stops_nothing_else():
    with Programs() as programs:
        assert programs.run([sys.executable, "-c", "raise SystemExit(1)"])
        assert programs.run([sys.executable, "-c", ""]) == ""
        assert not programs.stopped


# As train.py ends: at the first signal it finishes what it does.
FINISHES = """
import signal, sys, time
from pathlib import Path
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
Path({ready!r}).touch()
while not stopped:
    time.sleep(0.01)
time.sleep(0.3)
Path({done!r}).touch()
sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the console tells the programs itself")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_waits_until_the_program_and_what_it_started_have_ended(number, tmp_path):
    ready, done = tmp_path / "ready", tmp_path / "done"
    inner = FINISHES.format(ready=str(ready), done=str(done))
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"

    def stop():
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=stop)
    before = signal.getsignal(number)
    with Programs() as programs:
        thread.start()
        programs.run([sys.executable, "-c", launcher])
        assert programs.stopped
        assert done.exists()
    thread.join()
    assert signal.getsignal(number) is before


def test_after_a_stop_no_other_program_starts(tmp_path):
    started = tmp_path / "started"
    with Programs() as programs:
        signal.raise_signal(signal.SIGINT)  # between two programs
        assert programs.run([sys.executable, "-c", f"open({str(started)!r}, 'w')"]) == "stopped"
    assert not started.exists()


def test_a_program_shows_its_progress_while_it_runs(tmp_path):
    # The second part is written only after the first one has been shown.
    shown = tmp_path / "shown"
    inner = f"""
        import sys, time
        from pathlib import Path
        sys.stderr.write("10%\\r")
        while not Path({str(shown)!r}).exists():
            time.sleep(0.01)
        sys.stderr.write("20%\\n")
    """
    outer = "from u2u_hf.command_line.programs import Programs; import sys\nwith Programs() as p: p.run(sys.argv[1:])"
    command = [sys.executable, "-c", outer, sys.executable, "-c", textwrap.dedent(inner)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr.read(4) == b"10%\r"
    shown.touch()
    assert process.communicate(timeout=60)[1] == b"20%\n"
