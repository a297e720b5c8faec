"""Make a web page of a trained model: a Space on the Hugging Face Hub, private unless you give --public.

    python recipes/deploy.py --model ana/my_model --space ana/my_page
    python recipes/deploy.py --model my_model --space ana/my_page --kind browser
    python recipes/deploy.py --model ana/my_model --dry_run --output_dir my_page

The page transcribes recordings into a table to correct, and ELAN files. With --kind gradio it computes on the Hub,
where two processor cores are free of charge; with --kind browser in each visitor's browser, so that no recording leaves
their computer. Run this again to update the page.

A private model needs a token that may only read it, in an environment variable whose name you give (bash: export
MODEL_TOKEN=hf_…, cmd: set MODEL_TOKEN=hf_…, PowerShell: $env:MODEL_TOKEN="hf_…"). It becomes a secret of the Space.
Your own login is never copied there.

    python recipes/deploy.py --model ana/my_model --space ana/my_page --token_from MODEL_TOKEN
"""

import tempfile
from pathlib import Path

from u2u_hf import cli
from u2u_hf.publishing.deploy import DeploySettings, build, deploy, next_steps, plan


def main() -> None:
    (settings,) = cli.parse(DeploySettings, description=__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(settings.output_dir or Path(temporary, "space"))
        build(settings, folder)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        print(f"{settings.kind} page: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")
        if settings.dry_run:
            print(plan(settings, folder))
            print(next_steps(settings))
        else:
            page = deploy(settings, folder)
            print(f"running: {page.address}")
            print(next_steps(settings, page))


if __name__ == "__main__":
    cli.launch(main)
