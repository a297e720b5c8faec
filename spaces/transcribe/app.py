"""A page for a trained recogniser: recordings in, a transcript to correct, ELAN files out.

    python spaces/transcribe/app.py --model my_model

A Space sets the same with variables and secrets: see README.md.
"""

import argparse
import hmac
import os
from pathlib import Path

# Read when the libraries are imported: they report no use, and ask no other host for anything.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")

import gradio as gr
import upload_folder
from actions import Actions
from layout import KEPT_SECONDS, setup_page, transcription_page
from model_info import facts, fetch
from page_head import PageHead
from starlette.middleware import Middleware
from strings import STRINGS

from u2u_hf.corpus.folder import is_audio
from u2u_hf.publishing.space_settings import SpaceVariables, from_environment
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

HERE = Path(__file__).parent
WAITING = 16  # visitors in the queue: others are asked to come back later
# Fonts from the system: hosts of web fonts would learn of every visitor.
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
    # White on these is read at 5.2 and 7.3 to 1; on Gradio's own orange at 2.8.
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
)


def load_page(settings: SpaceVariables, folder: Path) -> gr.Blocks:
    """Return the page of the model in a folder."""
    recognizer = Recognizer(folder)
    recognizer.release_memory()
    own_language_model = language_model.load(str(folder))
    about = facts(folder, settings, recognizer.engine)
    examples = sorted(str(path) for path in folder.glob("examples/*") if is_audio(path))
    actions = Actions(recognizer, own_language_model, settings, calibration.load(str(folder)))
    return transcription_page(actions, about, examples, own_language_model is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="trained model: a folder, or OWNER/NAME on the Hub (MODEL_ID)")
    parser.add_argument("--port", type=int, help="port of the page on this computer (the first free one from 7860)")
    args = parser.parse_args()
    upload_folder.make_folder()
    settings, password = None, ""
    try:
        settings = from_environment(os.environ, args.model)
        password = os.environ.get("APP_PASSWORD", "").strip()
        page = load_page(settings, fetch(settings))
    except U2UError as error:
        print(f"error: {error}", flush=True)
        page = setup_page(str(error))
    upload_folder.delete_broken_regularly(KEPT_SECONDS)
    page.queue(max_size=WAITING)
    page.launch(
        server_name="0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1",
        server_port=args.port,
        auth=(lambda _, given: hmac.compare_digest(given.encode(), password.encode())) if password else None,
        auth_message=STRINGS["en"]["login"],
        max_file_size=f"{settings.max_file_mb:g}mb" if settings else None,
        share=False,
        run_history=False,
        footer_links=[],
        enable_monitoring=False,
        state_session_capacity=100,
        show_error=False,
        ssr_mode=False,
        i18n=page.i18n_words,
        theme=THEME,
        css_paths=HERE / "style.css",
        app_kwargs={"middleware": [Middleware(PageHead)]},
    )


if __name__ == "__main__":
    main()
