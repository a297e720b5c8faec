"""Every text that visitors read. To translate the page, add a language with the same keys."""

from collections.abc import Callable

Say = Callable[..., str]  # (key, **values) → the text in the visitor's language

STRINGS = {
    "en": {
        "title": "Speech to ELAN",
        "private": "Your recordings are sent only to this page's server, and deleted there after an hour.",
        "model": "Model",
        "model_model": "Model",
        "model_revision": "Revision",
        "model_cer": "Character error rate",
        "model_license": "Licence",
        "model_engine": "Runs on",
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
        "table": "Transcript",
        "start": "start",
        "end": "end",
        "channel": "channel",
        "text": "text",
        "confidence": "confidence",
        "how": "Click a row to hear it; Ctrl + Space plays the selected row. Double-click a cell or type in it to "
        "correct it. ⚠ marks unsure segments.",
        "downloads": "Downloads, with your corrections",
        "examples": "Examples",
        "waveform": "Waveform with the segments found",
        "listening": "{name}: detecting speech",
        "hearing": "{name}: transcribing, {left} left",
        "waiting": "Working…",
        "done": "{name}: {count} segments, {minutes:.1f} minutes of speech.",
        "nothing": "{name}: no speech found. Try a higher sensitivity.",
        "note": "Note: {note}.",
        "failed": "⚠ {problem}",
        "gone": "{name}: uploads are deleted on the server after an hour: upload it again",
        "kept": "The corrected transcripts from before are still there: choose them under “Recording shown”.",
        "undo": "Undo the last correction",
        "no_files": "⚠ {problem}. The downloads come back when it is corrected.",
        "wrong_time": "Row {row}, column “{column}”: “{cell}” is not a time: write minutes and seconds, like 1:02.345",
        "wrong_late": "Row {row}, column “{column}”: {cell} is after the end of the recording at {last}",
        "wrong_channel": "Row {row}, column “{column}”: “{cell}” must be a number from 1 to {most}",
        "wrong_order": "Row {row}, column “{column}”: {cell} is not after the start, {start}",
        "wrong_overlap": "Row {row}, column “{column}”: is before the end of row {other}, {end}; segments of a channel "
        "may not overlap in ELAN",
        "none": "Choose a recording first.",
        "cancelled": "Cancelled.",
        "expired": "The server has restarted or forgotten this transcript. New corrections do not reach the downloads: "
        "copy them from the table, and transcribe the recording again.",
        "login": "Ask the person who set up this page for the password. The user name can be anything.",
        "setup": "This page is not set up yet",
        "setup_how": "In a Space: Settings → Variables and secrets. After a change the Space restarts. A private model "
        "needs the secret HF_TOKEN, a token that may read it.",
    },
    "es": {
        "title": "De la voz a ELAN",
        "private": "Sus grabaciones solo se envían al servidor de esta página y se borran allí después de una hora.",
        "model": "Modelo",
        "model_model": "Modelo",
        "model_revision": "Revisión",
        "model_cer": "Tasa de error de caracteres",
        "model_license": "Licencia",
        "model_engine": "Se ejecuta con",
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
        "table": "Transcripción",
        "start": "inicio",
        "end": "fin",
        "channel": "canal",
        "text": "texto",
        "confidence": "confianza",
        "how": "Pulse una fila para oírla; Ctrl + Espacio reproduce la fila elegida. Doble clic o escriba en una "
        "celda para corregirla. ⚠ marca segmentos dudosos.",
        "downloads": "Descargas, con sus correcciones",
        "examples": "Ejemplos",
        "waveform": "Forma de onda con los segmentos encontrados",
        "listening": "{name}: detectando el habla",
        "hearing": "{name}: transcribiendo, faltan {left}",
        "waiting": "Trabajando…",
        "done": "{name}: {count} segmentos, {minutes:.1f} minutos de habla.",
        "nothing": "{name}: no se encontró habla. Pruebe con más sensibilidad.",
        "note": "Nota: {note}.",
        "failed": "⚠ {problem}",
        "gone": "{name}: las grabaciones se borran en el servidor después de una hora: súbala otra vez",
        "kept": "Las transcripciones corregidas de antes siguen ahí: elíjalas en «Grabación mostrada».",
        "undo": "Deshacer la última corrección",
        "no_files": "⚠ {problem}. Las descargas vuelven cuando se corrija.",
        "wrong_time": "Fila {row}, columna «{column}»: «{cell}» no es un tiempo: escriba minutos y segundos, como "
        "1:02.345",
        "wrong_late": "Fila {row}, columna «{column}»: {cell} es posterior al final de la grabación, {last}",
        "wrong_channel": "Fila {row}, columna «{column}»: «{cell}» debe ser un número del 1 al {most}",
        "wrong_order": "Fila {row}, columna «{column}»: {cell} no es posterior al inicio, {start}",
        "wrong_overlap": "Fila {row}, columna «{column}»: es anterior al final de la fila {other}, {end}; los "
        "segmentos de un canal no pueden solaparse en ELAN",
        "none": "Primero elija una grabación.",
        "cancelled": "Cancelado.",
        "expired": "El servidor se reinició o perdió esta transcripción. Las correcciones nuevas no llegan a las "
        "descargas: cópielas de la tabla y transcriba la grabación otra vez.",
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
