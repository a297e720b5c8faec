"""The programs that ELAN starts in its own folder: run.sh, and run.bat in Windows.

ELAN splits its command at spaces, and gives a desktop's bare environment. So the commands are short names, and all
paths stand in these files, in quotes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import u2u_hf

_MODULE = "u2u_hf.integrations.elan.recogniser"
_PACKAGES = str(Path(u2u_hf.__file__).resolve().parent.parent)
SHELL, BATCH = "run.sh", "run.bat"
# Of the .cmdi files, to be followed by the task. Windows looks for programs in the working directory last, or not.
COMMANDS = {"runMac": f"./{SHELL}", "runLinux": f"./{SHELL}", "runWin": f"cmd.exe /d /c .\\{BATCH}"}
_ENVIRONMENT = {
    # In the locale C that ELAN has, Python would write ASCII, and keep lines back in a pipe.
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
    "HF_HUB_OFFLINE": "1",
}
if Path(_PACKAGES).name not in (
    "site-packages",
    "dist-packages",
):  # a folder of the project, which `pip install -e` need not have installed
    _ENVIRONMENT["PYTHONPATH"] = _PACKAGES
_GONE = "the Python of u2u-hf is not there any more: run python recipes/elan.py install --model MODEL again"


def shell_starter(model: str, python: str = sys.executable) -> str:
    """Return run.sh. ELAN cancels by ending the process that it has started: ``exec`` makes Python that process."""
    settings = "\n".join(f"export {name}={_sh(value)}" for name, value in _ENVIRONMENT.items())
    return f"""#!/bin/sh
python={_sh(python)}
if [ ! -x "$python" ]; then
  echo "$python: {_GONE}"
  echo "RESULT: FAILED."
  exit 1
fi
{settings}
exec "$python" -m {_MODULE} --task "$1" --model {_sh(model)}
"""


def batch_starter(model: str, python: str = sys.executable) -> str:
    """Return run.bat, with Windows' line ends. It is UTF-8: cmd.exe reads the lines after ``chcp 65001`` as that."""
    settings = [f'set "{name}={_bat(value)}"' for name, value in _ENVIRONMENT.items()]
    lines = [
        "@echo off",
        '"%SystemRoot%\\System32\\chcp.com" 65001 >nul',
        f'set "python={_bat(python)}"',
        'if not exist "%python%" (',
        f"  echo {_GONE}",
        "  echo RESULT: FAILED.",
        "  exit /b 1",
        ")",
        *settings,
        f'"%python%" -m {_MODULE} --task "%~1" --model "{_bat(model)}"',
    ]
    return "\r\n".join([*lines, ""])


def _sh(value: str) -> str:
    """Return a value as sh reads it as it is.

    >>> _sh("it's $HOME")
    "'it'\\\\''s $HOME'"
    """
    return "'" + value.replace("'", "'\\''") + "'"


def _bat(value: str) -> str:
    """Return a value as cmd.exe reads it as it is, within quotes; Windows' paths hold no quotes themselves."""
    return value.replace("%", "%%")
