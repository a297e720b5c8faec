"""Put your recogniser into Praat's menus.

    python recipes/export.py --model my_model --dataset my_dataset
    python recipes/praat.py install --model my_model
    python recipes/praat.py list
    python recipes/praat.py uninstall --model my_model

Start Praat again afterwards, open a recording (a Sound or LongSound), and select it: the button with the model's name
holds "Transcribe…" and "Find speech…". Select a TextGrid with it for "Transcribe intervals…", which recognises the
intervals of one of its tiers that have a text, and "Align…", which finds the times of the words in one of its tiers.
Each makes a new TextGrid. Praat waits until it is done. Nothing leaves your computer.

The model and this Python stay where they are: install again if you move one of them. Without --model, uninstall removes
all plug-ins of u2u-hf. Other plug-ins are not touched.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli
from u2u_hf.integrations.installed_model import checked_model
from u2u_hf.integrations.praat.plugin import identity, install, installed, preference_folders, uninstall
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    action: list[str] = setting([], help="install, uninstall or list", positional=True)
    model: str = setting("", help="trained model with an ONNX export: a folder, or OWNER/NAME on the Hub")
    praat: str = setting("", help="Praat's preferences folder (default: that of each Praat on this computer)")

    def __post_init__(self):
        if self.action not in (["install"], ["uninstall"], ["list"]):
            raise U2UError(f"{' '.join(self.action)}: give one of install, uninstall, list")
        if self.action == ["install"] and not self.model:
            raise U2UError("install needs --model: a folder, or OWNER/NAME on the Hub")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    folders = preference_folders(args.praat)
    if args.action == ["install"]:
        _install(args.model, folders)
        return
    plugins = [(folder, plugin) for preferences in folders for folder, plugin in installed(preferences).items()]
    if args.action == ["uninstall"] and args.model:  # also by its name in the menu, for a model that is gone
        wanted = {args.model, identity(args.model)}
        plugins = [(folder, plugin) for folder, plugin in plugins if wanted & {plugin.name, plugin.model}]
    if not plugins:
        of = f" of {args.model}" if args.model else ""
        print(f"no plug-in{of} in {', '.join(map(str, folders))}")
    for folder, plugin in plugins:
        if args.action == ["uninstall"]:
            uninstall(folder)
            print(f"removed: {folder}")
        else:
            print(f"{plugin.name}: {folder}\n  {plugin.problem or plugin.folder}")


def _install(model: str, preferences: list[Path]) -> None:
    folder = checked_model(model)
    names = set()
    for each in preferences:
        plugin = install(each, model, folder)
        names.add(installed(each)[plugin].name)
        print(f"installed: {plugin}")
    button = " or ".join(f'"{name}"' for name in sorted(names))
    print(
        f"next: quit Praat, start it again, open a recording, select it in the list of objects, and click {button}. "
        "Praat 7 asks whether you trust the script: allow it."
    )


if __name__ == "__main__":
    cli.launch(main)
