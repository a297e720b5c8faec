"""Put a trained model on a web page of your own: a Space on the Hugging Face Hub, private unless you say otherwise.

    python recipes/deploy.py --model ana/my_model --space ana/my_page
    python recipes/deploy.py --model my_model --space ana/my_page --kind browser
    python recipes/deploy.py --model ana/my_model --dry_run true --output_dir my_page

The page transcribes recordings into a table to correct, and ELAN files. --kind gradio works on the Hub's computers, two
processor cores for nothing; --kind browser in each visitor's browser, where no recording leaves their computer. Run
again, it updates the page.

A private model takes a token that may only read it, in an environment variable that you name: it becomes a secret of
the Space. Your own login is never copied there.

    MODEL_TOKEN=hf_… python recipes/deploy.py --model ana/my_model --space ana/my_page --token_from MODEL_TOKEN
"""

import tempfile
from pathlib import Path

from u2u_hf import cli
from u2u_hf.publishing.deploy import DeploySettings, build, deploy, variables


def main() -> None:
    (settings,) = cli.parse(DeploySettings, description=__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(settings.output_dir or Path(temporary, "space"))
        build(settings, folder)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        print(f"{settings.kind} page: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")
        if settings.dry_run:
            access = "public" if settings.public else "private"
            print(f"not uploaded: {folder} would be the Space {settings.space or 'OWNER/NAME'}, {access}")
            for key, value in variables(settings).items():
                print(f"variable {key} = {value}")
            for key, variable in (("HF_TOKEN", settings.token_from), ("APP_PASSWORD", settings.password_from)):
                if variable:
                    print(f"secret {key} from {variable}")
        else:
            print(f"running: {deploy(settings, folder)}")


if __name__ == "__main__":
    cli.launch(main)
