"""Put a recogniser into ELAN's own menu: ELAN's tab Recognizers then transcribes, aligns and finds speech.

    python recipes/elan.py install --model my_model
    python recipes/elan.py list
    python recipes/elan.py uninstall --model my_model

Export the model first with recipes/export.py. A small folder is written into every ELAN on this computer; the model and
Python stay where they are. Install again after an upgrade of ELAN, or when the model or this project was moved. Several
models can be installed side by side. A model on the Hub is downloaded with your login, once: Start needs no network.

ELAN is looked for in the usual places. Another one is named with --elan, by its folder for extensions:

    macOS    /Applications/ELAN_7.0.app/Contents/app/extensions
    Linux    ELAN_7-0/lib/app/extensions, or ELAN_7-0/app/extensions
    Windows  %LOCALAPPDATA%\\ELAN_7-0\\app\\extensions, or C:\\Program Files\\ELAN_7-0\\app\\extensions
"""

import dataclasses

from u2u_hf import cli
from u2u_hf.command_line.statuses import DONE, FAILED
from u2u_hf.integrations.elan.install import ACTIONS
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    action: list[str] = setting([], help=f"what to do: {', '.join(ACTIONS)}", positional=True)
    model: str = setting("", help="exported model: a folder, or OWNER/NAME on the Hub (uninstall, list: all models)")
    elan: str = setting("", help="ELAN's folder for extensions (all that are found)")


def main() -> int:
    (args,) = cli.parse(Arguments, description=__doc__)
    if len(args.action) != 1 or args.action[0] not in ACTIONS:
        raise U2UError(f"{' '.join(args.action)}: give one of {', '.join(ACTIONS)}")
    outcome = ACTIONS[args.action[0]](args.model, args.elan)
    print("\n".join(outcome.lines))
    return DONE if outcome.is_complete else FAILED


if __name__ == "__main__":
    cli.launch(main)
