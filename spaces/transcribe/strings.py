"""Every text that visitors read. To translate the page, add a language with the same keys."""

from collections.abc import Callable

Say = Callable[..., str]  # (key, **values) → the text in the visitor's language

STRINGS = {
    "en": {
        "title": "Speech to ELAN",
        "about_language": "Language",
        "about_model": "Model",
        "about_cer": "How good it is",
        "about_private": "Your recordings",
        "about_license": "Licence",
        "about_engine": "Runs on",
        "language_unknown": "not named by the model’s card",
        "cer_unknown": "unknown: the model’s card has no score",
        "cer": "{cer} of the characters wrong ({split}): {verdict}",
        "quick": "drafts are quick to correct",
        "faster": "correcting is faster than typing",
        "same": "correcting takes about as long as typing",
        "slower": "not useful yet, correcting takes longer than typing",
        "private": "are sent only to this page’s server, and deleted there after an hour",
        "upload": "Recordings",
        "record": "Or record",
        "options": "Options",
        "sensitivity": "Sensitivity",
        "sensitivity_info": "A higher value finds quieter speech, and takes more noise for speech.",
        "longest": "Longest segment, seconds",
        "all_channels": "A tier for each channel",
        "all_channels_info": "Off: only the first channel is transcribed.",
        "language_model": "Use the language model",
        "transcribe": "Transcribe",
        "cancel": "Cancel",
        "shown": "Recording shown",
        "eaf": "Download the ELAN file (.eaf)",
        "downloads": "All files, with your corrections",
        "examples": "Examples",
        "listening": "{name}: detecting speech",
        "hearing": "{name}: transcribing, {left} left",
        "done": "{name}: {count} segments, {minutes:.1f} minutes of speech.",
        "nothing": "{name}: no speech found. Try a higher sensitivity.",
        "note": "Note: {note}.",
        "failed": "⚠ {problem}",
        "gone": "{name}: uploads are deleted on the server after an hour: upload it again",
        "kept": "The corrected transcripts from before are still there: choose them under “Recording shown”.",
        "none": "Choose a recording first.",
        "cancelled": "Cancelled.",
        "expired": "The server has restarted or forgotten this transcript. New corrections do not reach the downloads: "
        "copy them from the page, and transcribe the recording again.",
        "refused": "The corrections cannot be used ({problem}). Undo the last one.",
        "login": "Ask the person who set up this page for the password. The user name can be anything.",
        "setup": "This page is not set up yet",
        "setup_how": "In a Space: Settings → Variables and secrets. After a change the Space restarts. A private model "
        "needs the secret HF_TOKEN, a token that may read it.",
    },
    "es": {
        "title": "De la voz a ELAN",
        "about_language": "Lengua",
        "about_model": "Modelo",
        "about_cer": "Qué tan bueno es",
        "about_private": "Sus grabaciones",
        "about_license": "Licencia",
        "about_engine": "Se ejecuta con",
        "language_unknown": "la ficha del modelo no la nombra",
        "cer_unknown": "no se sabe: la ficha del modelo no lo dice",
        "cer": "{cer} de los caracteres con error ({split}): {verdict}",
        "quick": "los borradores se corrigen rápido",
        "faster": "corregir es más rápido que escribir",
        "same": "corregir lleva casi tanto como escribir",
        "slower": "aún no sirve, corregir lleva más que escribir",
        "private": "solo se envían al servidor de esta página y se borran allí después de una hora",
        "upload": "Grabaciones",
        "record": "O grabe",
        "options": "Opciones",
        "sensitivity": "Sensibilidad",
        "sensitivity_info": "Un valor más alto encuentra habla más baja y toma más ruido por habla.",
        "longest": "Segmento más largo, segundos",
        "all_channels": "Una línea (tier) por canal",
        "all_channels_info": "Sin marcar: solo se transcribe el primer canal.",
        "language_model": "Usar el modelo de lengua",
        "transcribe": "Transcribir",
        "cancel": "Cancelar",
        "shown": "Grabación mostrada",
        "eaf": "Descargar el archivo de ELAN (.eaf)",
        "downloads": "Todos los archivos, con sus correcciones",
        "examples": "Ejemplos",
        "listening": "{name}: detectando el habla",
        "hearing": "{name}: transcribiendo, faltan {left}",
        "done": "{name}: {count} segmentos, {minutes:.1f} minutos de habla.",
        "nothing": "{name}: no se encontró habla. Pruebe con más sensibilidad.",
        "note": "Nota: {note}.",
        "failed": "⚠ {problem}",
        "gone": "{name}: las grabaciones se borran en el servidor después de una hora: súbala otra vez",
        "kept": "Las transcripciones corregidas de antes siguen ahí: elíjalas en «Grabación mostrada».",
        "none": "Primero elija una grabación.",
        "cancelled": "Cancelado.",
        "expired": "El servidor se reinició o perdió esta transcripción. Las correcciones nuevas no llegan a las "
        "descargas: cópielas de la página y transcriba la grabación otra vez.",
        "refused": "Las correcciones no se pueden usar ({problem}). Deshaga la última.",
        "login": "Pida la contraseña a quien instaló esta página. El nombre de usuario puede ser cualquiera.",
        "setup": "Esta página aún no está configurada",
        "setup_how": "En un Space: Settings → Variables and secrets. Después de un cambio, el Space se reinicia. Un "
        "modelo privado necesita el secreto HF_TOKEN, un token que pueda leerlo.",
    },
}


def language(accepted: str) -> str:
    """Return the first of a browser's languages (``es-MX,es;q=0.9``) that `STRINGS` has, else English."""
    tags = (tag.split(";")[0].strip().split("-")[0].lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in STRINGS), "en")


def say_in(language_tag: str) -> Say:
    """Return ``say(key, **values)`` for a language."""
    return lambda key, **values: STRINGS[language_tag][key].format(**values)
