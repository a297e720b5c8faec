"""Download the Yoloxóchitl Mixtec corpus (OpenSLR 89) and unpack it.

    python recipes/yoloxochitl_mixtec/download.py --output_dir yoloxochitl

It is large, see the README. Run the same command again after a break: it goes on where it was.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.download import get_archive
from u2u_hf.settings import setting

ARCHIVES = ("Yoloxochitl-Mixtec-Manifest.tgz", "Yoloxochitl-Mixtec-Data.tgz")
SERVERS = (
    "https://www.openslr.org/resources/89",
    "https://openslr.trmal.net/resources/89",
    "https://openslr.elda.org/resources/89",
    "https://openslr.magicdatatech.com/resources/89",
)


@dataclasses.dataclass
class Arguments:
    output_dir: str = setting(help="folder the corpus is unpacked to")
    url: list[str] = setting(list(SERVERS), help="where the archives are, the first that answers")
    keep_archives: bool = setting(False, help="keep the .tgz files when they are unpacked")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    # A person may have brought the archives, or unpacked them.
    besides = [name.removesuffix(suffix) for name in ARCHIVES for suffix in ("", ".tgz")]
    output_folder.claim(Path(args.output_dir), "download.py", besides=besides)
    for name in ARCHIVES:
        get_archive(name, args.url, Path(args.output_dir), args.keep_archives)
    print(f"corpus: {args.output_dir}")


if __name__ == "__main__":
    cli.launch(main)
