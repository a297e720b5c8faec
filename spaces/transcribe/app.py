"""Recordings in, a transcript to correct, ELAN files out: a trained recogniser as a page.

    python spaces/transcribe/app.py --model my_model

In a Space the variables MODEL_ID, MODEL_REVISION, MAX_MINUTES and MAX_FILE_MB and the secrets HF_TOKEN and
APP_PASSWORD say the same and more: README.md has them all.
"""

import argparse
import atexit
import hmac
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

# Read when the libraries are imported: nothing is counted, nothing is asked for at other places.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", ORT_DISABLE_TELEMETRY="1")

import gradio as gr
import hosting
from correction_table import COLUMNS, clock, corrected, rows, write_files
from strings import STRINGS, language
from waveform import levels, picture

from u2u_hf.corpus.reader import AUDIO_SUFFIXES
from u2u_hf.recognition import language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.reports.html import element
from u2u_hf.transcription.transcribe import Stretches, find_speech, transcribe, write_down
from u2u_hf.transcription.voice_detection import VadSettings

try:
    from spaces import GPU  # lends a graphics processor for a call, in Spaces of that kind
except ImportError:

    def GPU(duration):
        return lambda function: function


HERE = Path(__file__).parent
SOUND = ["audio", "video", *AUDIO_SUFFIXES]
WAITING = 16  # visitors in the queue: more are told to come back
KEPT_SECONDS = 3600
# Hosts of fonts would learn of every visitor.
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])

stopping: dict[str, threading.Event] = {}  # session → what tells its work to stop


class Stopped(Exception):
    """The visitor does not want it any more."""


def page(settings: hosting.Hosting, folder: Path) -> gr.Blocks:
    """The app for one model."""
    recognizer = Recognizer(folder)
    recognizer.give_back_memory()
    letters = language_model.load(str(folder))
    facts = {**hosting.facts(folder, settings), "engine": recognizer.engine}
    examples = sorted(str(path) for path in folder.glob("examples/*") if path.suffix.lower() in AUDIO_SUFFIXES)
    t = gr.I18n(**STRINGS)

    @GPU(duration=120)
    def hear(path, sensitivity, longest, all_channels, with_letters, tongue, session, progress):
        """The transcript and the levels, or why there are none: from where a lent GPU works, nothing is raised."""
        stop = stopping.get(session, threading.Event())

        def on(key):
            begun, done = time.monotonic(), 0.0

            def advance(share):
                nonlocal done
                done = min(1.0, done + share)
                if stop.is_set():
                    raise Stopped
                left = clock(int((time.monotonic() - begun) * (1 - done) / max(done, 1e-3) * 1000)).split(".")[0]
                progress(done, desc=STRINGS[tongue][key].format(name=Path(path).name, left=left))

            return advance

        try:
            info = hosting.admit(path, settings)
            vad = VadSettings(threshold=round(1 - sensitivity, 2), max_segment_ms=int(longest * 1000))
            stretches = find_speech(info, vad, progress=on("listening"))
            if not all_channels:
                stretches = Stretches(tuple(s for s in stretches.segments if s.channel == 0), stretches.note)
            written = write_down(recognizer.labels, letters if with_letters else None)
            return transcribe(path, stretches, recognizer, written, on("hearing")), levels(info)
        except (U2UError, Stopped) as error:
            return error
        finally:
            recognizer.give_back_memory()

    def run(
        files,
        recorded,
        sensitivity,
        longest,
        all_channels,
        with_letters,
        request: gr.Request,
        progress=gr.Progress(),  # noqa: B008 (how gradio is told to give one)
    ):
        """Transcribe recordings, one after the other; the first one is shown."""
        tongue = language_of(request)
        say = words(tongue)
        paths = [*(files or []), *([recorded] if recorded else [])]
        if not paths:
            raise gr.Error(say("none"), print_exception=False)
        session = request.session_hash
        stop = stopping.setdefault(session, threading.Event())
        results, said = [], []
        try:
            for path in paths:
                if stop.is_set():
                    said.append(say("cancelled"))
                    break
                begun = time.monotonic()
                options = (sensitivity, longest, all_channels, with_letters)
                heard = hear(path, *options, tongue, session, progress)
                if isinstance(heard, U2UError):
                    said.append(say("failed", problem=without_folder(heard, path)))
                elif isinstance(heard, Stopped):
                    said.append(say("cancelled"))
                    break
                else:
                    transcript, level = heard
                    results.append({"transcript": transcript, "level": level, "rows": rows(transcript)})
                    said.append(summary(transcript, say))
                    length = f"{transcript.duration_ms / 1000:.0f} s, {transcript.channels} channels"
                    print(f"{length}: {time.monotonic() - begun:.0f} s", flush=True)
        finally:
            stopping.pop(session, None)
        choices = [(Path(r["transcript"].audio).name, number) for number, r in enumerate(results)]
        chosen = gr.Dropdown(choices=choices, value=0 if results else None, visible=len(results) > 1)
        return ["\n\n".join(said), results, chosen, *show(results, 0 if results else None, request)]

    def show(results, number, request: gr.Request):
        if number is None or number >= len(results):
            return [*[gr.update(value=None, visible=False)] * 2, gr.update(visible=False), gr.update(visible=False)]
        result = results[number]
        say = words(language_of(request))
        table = gr.Dataframe(value=result["rows"], headers=[say(name) for name in COLUMNS], visible=True)
        return [player(result, say("waveform")), table, gr.update(visible=True), downloads(result)]

    def edit(results, number, table, request: gr.Request):
        """Keep what was corrected, and make the files anew."""
        if number is None or number >= len(results):  # deleted: nobody did anything here for long
            raise gr.Error(words(language_of(request))("expired"), duration=None, print_exception=False)
        result = results[number]
        before = result["rows"]
        result["rows"] = table
        try:
            return results, downloads(result)
        except U2UError as error:
            result["rows"] = before
            raise gr.Error(str(error), duration=None, print_exception=False) from error

    def wait(request: gr.Request):
        """From here on the work can be cancelled, also while it waits for its turn."""
        stopping[request.session_hash] = threading.Event()

    def cancel(request: gr.Request):
        if stop := stopping.get(request.session_hash):
            stop.set()
            return words(language_of(request))("cancelled")
        return gr.skip()

    def leave(request: gr.Request):
        if stop := stopping.pop(request.session_hash, None):
            stop.set()

    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False, delete_cache=(600, KEPT_SECONDS)) as app:
        gr.Markdown(t("title"), elem_classes="heading")
        gr.Markdown(t("private"))
        with gr.Row():
            files = gr.File(label=t("upload"), file_count="multiple", file_types=SOUND, scale=2, elem_id="files")
            # Without a format: else gradio converts what is sent here with the system's FFmpeg, playlists too.
            recorded = gr.Audio(label=t("record"), sources=["microphone"], type="filepath", format=None, buttons=[])
        if examples:
            gr.Examples([[[path]] for path in examples], [files], label=t("examples"))
        with gr.Accordion(t("options"), open=False):
            sensitivity = gr.Slider(0.1, 0.9, 0.5, step=0.05, label=t("sensitivity"), info=t("sensitivity_info"))
            longest = gr.Slider(5, 20, 20, step=1, label=t("longest"))
            all_channels = gr.Checkbox(True, label=t("all_channels"), info=t("all_channels_info"))
            with_letters = gr.Checkbox(letters is not None, label=t("language_model"), visible=letters is not None)
        with gr.Row():
            start = gr.Button(t("transcribe"), variant="primary", elem_id="transcribe")
            stop = gr.Button(t("cancel"), elem_id="cancel")
        status = gr.Markdown(elem_id="status", min_height=60)
        results = gr.State([], time_to_live=KEPT_SECONDS)
        chosen = gr.Dropdown(label=t("shown"), visible=False, elem_id="shown")
        waveform = gr.HTML(visible=False, elem_id="player", padding=False)
        table = gr.Dataframe(
            headers=list(COLUMNS),
            datatype="str",
            type="array",
            label=t("table"),
            static_columns=[4],
            column_widths=["12%", "12%", "9%", "54%", "13%"],
            wrap=True,
            interactive=True,
            visible=False,
            buttons=[],
            elem_id="table",
        )
        how = gr.Markdown(t("how"), elem_classes="how", visible=False)
        many = {"file_count": "multiple", "interactive": False, "visible": False}
        made = gr.File(label=t("downloads"), elem_id="downloads", **many)
        with gr.Accordion(t("model"), open=False):
            for name, value in facts.items():
                gr.Textbox(value, label=t(f"model_{name}"), interactive=False)

        shown = [waveform, table, how, made]
        inputs = [files, recorded, sensitivity, longest, all_channels, with_letters]
        outputs = [status, results, chosen, *shown]
        begun = start.click(wait, queue=False, api_name=False)
        begun.then(run, inputs, outputs, api_name="transcribe", concurrency_limit=1, show_progress_on=status)
        stop.click(cancel, None, status, queue=False, api_name="cancel")
        app.unload(leave)
        chosen.input(show, [results, chosen], shown, api_name=False)
        table.input(edit, [results, chosen, table], [results, made], api_name=False, trigger_mode="always_last")
    app.i18n_words = t
    return app


def language_of(request: gr.Request) -> str:
    return language(request.headers.get("accept-language", "") if request else "")


def words(tongue: str):
    """``say(key, **values)`` in a language."""
    return lambda key, **values: STRINGS[tongue][key].format(**values)


def summary(transcript, say):
    name, count = Path(transcript.audio).name, len(transcript.segments)
    minutes = sum(s.end_ms - s.start_ms for s in transcript.segments) / 60_000
    text = say("done" if count else "nothing", name=name, count=count, minutes=minutes)
    return f"{text} {say('note', note=transcript.note)}" if transcript.note else text


def without_folder(error, path):
    """Visitors know their files by name; where they lie here is no concern of theirs."""
    return str(error).replace(str(path), Path(path).name)


def player(result, label):
    """The sound, and its picture; a click there plays from that place."""
    transcript = result["transcript"]
    source = f"gradio_api/file={transcript.audio}"
    sound = element("audio", src=source, controls="", preload="metadata")
    drawing = element("div", picture(result["level"], transcript, label), class_="waveform")
    return gr.HTML(value=element("div", drawing, sound, data_ms=transcript.duration_ms), visible=True)


def downloads(result):
    """Files of the transcript as its table stands."""
    transcript = corrected(result["transcript"], result["rows"])
    # Among the files that gradio looks after, and deletes.
    folder = Path(tempfile.mkdtemp(dir=gr.utils.get_upload_folder()))
    return gr.File(value=[str(path) for path in write_files(transcript, folder)], visible=True)


def setup_page(problem: str) -> gr.Blocks:
    """What is missing, and how to set it: instead of a Space that starts again and again."""
    t = gr.I18n(**STRINGS)
    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False) as app:
        gr.Markdown(t("setup"), elem_classes="heading")
        gr.Markdown(f"**{problem}**", elem_id="problem")
        gr.Markdown(t("setup_how"))
    app.i18n_words = t
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="trained model: a folder, or OWNER/NAME on the Hub (MODEL_ID)")
    parser.add_argument("--port", type=int, help="of the page on this computer (the first that is free from 7860)")
    args = parser.parse_args()
    if not os.environ.get("GRADIO_TEMP_DIR"):  # else a folder that every user of this computer may look into
        os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="speech-to-elan-")
        atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)
    settings = None
    try:
        settings = hosting.from_environment(os.environ, args.model)
        app = page(settings, hosting.fetch(settings))
    except U2UError as error:
        print(f"error: {error}", flush=True)
        app = setup_page(str(error))
    password = settings.password if settings else ""
    app.queue(max_size=WAITING)
    app.launch(
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
        i18n=app.i18n_words,
        theme=THEME,
        css_paths=HERE / "style.css",
        head_paths=HERE / "player.html",
    )


if __name__ == "__main__":
    main()
