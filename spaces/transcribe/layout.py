"""What the page shows, and which action each click calls."""

from collections.abc import Sequence

import gradio as gr
from actions import Actions, language_of
from gradio.components import Component
from model_info import ModelFacts, about
from strings import STRINGS, say_in

from u2u_hf.corpus.folder import AUDIO_SUFFIXES
from u2u_hf.reports.html import Markup, element

KEPT_SECONDS = 3600
_SOUND = ["audio", "video", *AUDIO_SUFFIXES]
_OPEN_EDITOR = """
const show = () => transcripts.show(element, props.value, trigger);
watch("value", show);
show();
"""
_CHOOSE_LANGUAGE = """
const list = element.querySelector("select");
list.value = pageLanguage.shown;
list.ariaLabel = list.selectedOptions[0].dataset.label;
list.onchange = () => pageLanguage.choose(list.value);
"""


def transcription_page(
    actions: Actions, facts: ModelFacts, examples: Sequence[str], has_language_model: bool
) -> gr.Blocks:
    """Return the page of one model.

    Args:
        examples: paths of recordings that visitors may try.
    """

    def in_their_language(request: gr.Request) -> str:
        return about(facts, say_in(language_of(request)))

    t = _translations()
    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False, delete_cache=(600, KEPT_SECONDS)) as page:
        gr.HTML(_languages(), elem_id="language", js_on_load=_CHOOSE_LANGUAGE, apply_default_css=False)
        gr.Markdown(f"# {t('title')}")
        told = gr.HTML(about(facts, say_in("en")), elem_id="about")
        inputs = [*_recordings(t, examples), *_options(t, has_language_model)]
        with gr.Row():
            start = gr.Button(t("transcribe"), variant="primary", elem_id="transcribe")
            stop = gr.Button(t("cancel"), elem_id="cancel", visible=False)
        status = gr.Markdown(elem_id="status", min_height=60)
        results = gr.State([])  # as long as the page is open
        chosen = gr.Dropdown(label=t("shown"), visible=False, elem_id="shown")
        # Not asked of `chosen`, whose choices Gradio compares with what the server remembers.
        number = gr.Number(visible=False, precision=0)
        editor = gr.HTML(elem_id="editor", html_template="", js_on_load=_OPEN_EDITOR, apply_default_css=False)
        corrections = gr.Textbox(visible=False)  # filled by page.js when it is asked for
        wrong = gr.Markdown(visible=False, elem_id="wrong")
        button = gr.DownloadButton(t("eaf"), visible=False, elem_id="eaf")
        many = {"file_count": "multiple", "interactive": False, "visible": False}
        files = gr.File(label=t("downloads"), elem_id="downloads", **many)
        written = [button, wrong, files]
        shown = [number, editor, *written]

        outputs = [status, results, chosen, *shown]
        waiting = start.click(actions.wait, None, stop, queue=False, api_name=False)
        run = {"api_name": "transcribe", "concurrency_limit": 1, "show_progress_on": status}
        ran = waiting.then(actions.run, [*inputs, results], outputs, **run)
        ran.then(lambda: gr.Button(visible=False), None, stop, queue=False, api_name=False)
        stop.click(actions.cancel, None, status, queue=False, api_name="cancel")
        page.unload(actions.leave)
        # Not in the queue, which may be full of visitors who wait for a transcription.
        at_once = {"queue": False, "show_progress": "hidden", "api_name": False}
        other = chosen.input(actions.show, [results, chosen], shown, **at_once)
        other.failure(actions.tell, api_name=False)
        corrected = editor.input(
            actions.correct,
            [results, corrections],
            [results, *written],
            js="(results) => [results, transcripts.take()]",
            trigger_mode="multiple",
            **at_once,
        )
        corrected.success(None, js="() => transcripts.kept()", api_name=False)
        corrected.failure(actions.tell, js="() => transcripts.failed() ?? []", api_name=False)
        gr.Timer(KEPT_SECONDS * 0.75).tick(actions.renew, [results, number], written, **at_once)
        page.load(in_their_language, None, told, queue=False, show_progress="hidden", api_name=False)
    page.i18n_words = t
    return page


def _translations() -> gr.I18n:
    """Return the catalogues, with the name of Gradio's button for uploads, which its own catalogues lack."""
    return gr.I18n(**{tag: {**words, "common.upload": words["upload"]} for tag, words in STRINGS.items()})


def _languages() -> Markup:
    options = (
        element("option", words["language"], value=tag, lang=tag, data_label=words["choose_language"])
        for tag, words in STRINGS.items()
    )
    return element("p", element("select", *options))


def _recordings(t: gr.I18n, examples: Sequence[str]) -> list[Component]:
    with gr.Row():
        files = gr.File(label=t("upload"), file_count="multiple", file_types=_SOUND, scale=2, elem_id="files")
        # With a format, Gradio would convert the upload with the system's FFmpeg, which also reads playlists.
        recorded = gr.Audio(label=t("record"), sources=["microphone"], type="filepath", format=None, buttons=[])
    if examples:
        gr.Examples([[[path]] for path in examples], [files], label=t("examples"))
    return [files, recorded]


def _options(t: gr.I18n, has_language_model: bool) -> list[Component]:
    with gr.Accordion(t("options"), open=False):
        return [
            gr.Slider(0.1, 0.9, 0.5, step=0.05, label=t("sensitivity"), info=t("sensitivity_info")),
            gr.Slider(5, 20, 20, step=1, label=t("longest")),
            gr.Checkbox(True, label=t("all_channels"), info=t("all_channels_info")),
            gr.Checkbox(has_language_model, label=t("language_model"), visible=has_language_model),
        ]


def setup_page(problem: str) -> gr.Blocks:
    """Return a page that says what is missing and how to set it, so that the Space does not restart in a loop."""
    t = _translations()
    with gr.Blocks(title=STRINGS["en"]["title"], analytics_enabled=False) as page:
        gr.HTML(_languages(), elem_id="language", js_on_load=_CHOOSE_LANGUAGE, apply_default_css=False)
        gr.Markdown(f"# {t('setup')}")
        gr.Markdown(f"**{problem}**", elem_id="problem")
        gr.Markdown(t("setup_how"))
    page.i18n_words = t
    return page
