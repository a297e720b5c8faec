"""The tests' own door: recipes that other programs start run in a fork that has imported the libraries, unnoticed."""

import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest
from support import programs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="elsewhere recipes import their libraries themselves"),
]


@pytest.fixture
def started(tmp_path):
    """Start a recipe of this code, as our programs start one."""
    programs.open_door()
    path = tmp_path / "recipes" / "own.py"
    path.parent.mkdir()

    def started(code, *words, launcher=(sys.executable,), **settings):
        path.write_text(textwrap.dedent(code))
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([*launcher, path, *words], text=True, **streams, **settings)

    return started


def test_it_has_its_words_streams_directory_environment_and_exit_status(started, tmp_path):
    code = """
        import os, sys
        print(sys.argv[1:], sys.stdin.read(), os.getcwd(), os.environ["OWN"], "torch" in sys.modules, __name__)
        sys.exit("no")
    """
    process = started(code, "a", "b c", cwd=tmp_path, env={**os.environ, "OWN": "ñ"})
    said = process.communicate("heard")
    assert said == (f"['a', 'b c'] heard {tmp_path} ñ True __main__\n", "no\n")
    assert process.returncode == 1


@pytest.mark.parametrize(
    "launcher", [(sys.executable, "-m", "accelerate.commands.launch"), (f"{sys.prefix}/bin/accelerate", "launch")]
)
def test_the_launcher_starts_it_with_its_own_environment(started, launcher):
    code = """
        import os, sys
        print(sys.argv[1:], os.environ["ACCELERATE_MIXED_PRECISION"], "torch" in sys.modules)
        sys.exit(3)
    """
    settings = "--quiet --cpu --mixed_precision bf16 --num_processes 1 --num_machines 1 --dynamo_backend no"
    process = started(code, "a", "b c", launcher=(*launcher, *settings.split()))
    assert process.communicate() == ("['a', 'b c'] bf16 True\n", "")
    assert process.returncode == 1  # the launcher's own


def test_an_error_is_shown(started):
    process = started("1 / 0")
    assert process.communicate()[1].endswith("ZeroDivisionError: division by zero\n")
    assert process.returncode == 1


WAITING = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_signals_reach_it(started):
    process = started(WAITING)
    assert int(process.stdout.readline()) != process.pid
    process.terminate()
    assert process.communicate() == ("", "")
    assert process.returncode == 7
    process = started(WAITING)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].endswith("KeyboardInterrupt\n")
    assert process.returncode == -signal.SIGINT


def test_what_its_starter_ignores_it_ignores(started):
    process = started(
        "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert process.communicate()[0] == "True\n"


def test_it_is_killed_with_the_process_that_was_started(started):
    process = started(WAITING)
    fork = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    fork.wait(20)
    assert process.stdout.read() == ""


def test_killed_by_itself_it_ends_as_killed(started):
    process = started("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert process.wait() == -signal.SIGKILL
