"""Synthetic speech from eSpeak NG, in place of people, for the demonstration only.

The wheel ``espeakng-loader`` ships libespeak-ng and its voices; the library is called through ctypes
(its C interface: espeak-ng/src/include/espeak-ng/speak_lib.h).
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from u2u_hf.records import U2UError

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT.AUDIO_OUTPUT_SYNCHRONOUS: the callback gets the samples
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4  # espeak_PARAMETER
_IPA = 0x02  # phonemes_mode bit 1: IPA as UTF-8
_SEPARATOR = "_"

_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """One eSpeak NG engine. The C library keeps global state: one per process.

    Attributes:
        sampling_rate: Hz of the samples that `speak` returns (22,050 for the voices in the wheel).
    """

    def __init__(self):
        try:
            import espeakng_loader
        except ImportError:
            raise U2UError(
                "the demonstration needs eSpeak NG, which is not installed: "
                "pip install -e '.[demo]' in the project's folder"
            ) from None
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data_path = espeakng_loader.get_data_path().encode()
        self.sampling_rate = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data_path, 0)
        if self.sampling_rate <= 0:
            raise U2UError(f"eSpeak NG does not start with its voices in {data_path.decode()}")
        self._blocks: list[np.ndarray] = []
        self._callback = _SynthCallback(self._receive)  # kept: C holds only the pointer
        self._lib.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples, count, _events) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def _set_voice(self, voice: str) -> None:
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise U2UError(f"eSpeak NG has no voice named {voice!r}")

    def speak(self, text: str, voice: str, rate: int = 160, pitch: int = 50, pitch_range: int = 50) -> np.ndarray:
        """Return a spoken text.

        Args:
            voice: language and, after a plus, a speaker variant: ``"nci+f2"``.
            rate: words per minute (80 to 450).
            pitch: 0 to 100, 50 is the voice's own.
            pitch_range: 0 (monotone) to 100.

        Returns:
            float32 samples [N] in -1…1, mono, at `sampling_rate`.

        Raises:
            U2UError: no such voice.
        """
        self._set_voice(voice)
        for parameter, value in ((_RATE, rate), (_VOLUME, 100), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._blocks = []
        data = text.encode() + b"\0"
        self._lib.espeak_Synth(data, len(data), 0, 1, 0, _CHARS_UTF8, None, None)
        self._lib.espeak_Synchronize()
        if not self._blocks:
            return np.zeros(0, dtype=np.float32)
        return np.concatenate(self._blocks).astype(np.float32) / 32768.0

    def phones(self, text: str, voice: str) -> list[str]:
        """Return the phones of a spoken text as IPA symbols, without stress marks."""
        self._set_voice(voice)
        data = ctypes.c_char_p(text.encode())
        pointer = ctypes.pointer(data)
        mode = _IPA | (ord(_SEPARATOR) << 8)
        clauses = []
        while data.value:
            clause = self._lib.espeak_TextToPhonemes(ctypes.byref(pointer.contents), _CHARS_UTF8, mode)
            if clause:
                clauses.append(clause.decode())
        ipa = " ".join(clauses)
        symbols = ipa.replace(" ", _SEPARATOR).split(_SEPARATOR)
        return [phone for symbol in symbols if (phone := symbol.strip("ˈˌ"))]


@functools.cache
def engine() -> Espeak:
    """Return this process's engine, started once."""
    return Espeak()
