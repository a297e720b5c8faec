import errno
import os
import socket
import threading
import time

import av
import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from conftest import write_with_ffmpeg

from u2u_hf.data import ffmpeg
from u2u_hf.data.audio import audio_info, blocks, decode_mono, energy, flac_bytes, read_audio, read_native
from u2u_hf.formats import encodings
from u2u_hf.records import U2UError


def tones(rate, seconds=3.0, channels=2):
    """A different tone on every channel: 300, 600, 900… Hz."""
    t = np.arange(round(rate * seconds)) / rate
    return np.stack([0.4 * np.sin(2 * np.pi * 300 * (c + 1) * t) for c in range(channels)]).astype(np.float32)


def loudest_hz(samples):
    return np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))) * 16_000 / len(samples)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "PCM_32"), ("wav", "FLOAT"), ("flac", "PCM_16"), ("ogg", None)],
)
def test_any_rate_and_format_becomes_16_khz(tmp_path, rate, suffix, subtype):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tones(rate).T, rate, subtype=subtype)
    info = audio_info(path)
    assert (info.sampling_rate, info.channels, info.duration_ms) == (rate, 2, 3000)
    samples = read_audio(info, 500, 1500)
    assert samples.shape == (2, 16_000)
    assert samples.dtype == np.float32
    assert [loudest_hz(row) for row in samples] == pytest.approx([300, 600], abs=2)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_stretch_is_what_the_whole_file_has_there(tmp_path, rate):
    rng = np.random.default_rng(0)
    signal = (rng.standard_normal((2, rate * 2)) * 0.1).astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, signal.T, rate, subtype="FLOAT")
    whole = torchaudio.functional.resample(torch.from_numpy(signal), rate, 16_000).numpy()
    info = audio_info(path)
    # 510 ms of 44.1 kHz is no whole number of samples: up to one sample's shift, none where it is whole.
    for start, end in ((0, 1000), (500, 1500), (1000, 2000)):
        assert read_audio(info, start, end) == pytest.approx(whole[:, start * 16 : end * 16], abs=1e-4)


def test_channels_and_the_end_of_the_file(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(16_000, 1.0, 3).T, 16_000)
    info = audio_info(path)
    assert loudest_hz(read_audio(info, channels=[2])[0]) == pytest.approx(900, abs=2)
    assert read_audio(info, 900, 5000).shape == (3, 1600)
    with pytest.raises(U2UError, match=r"a\.wav: has 3 channel"):
        read_audio(info, channels=[3])


def test_blocks_join_without_a_seam(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(48_000, 5.3).T, 48_000, subtype="FLOAT")
    info = audio_info(path)
    parts = list(blocks(info, 2))
    assert [start for start, _ in parts] == [0, 2000, 4000]
    joined = np.concatenate([part for _, part in parts], 1)
    assert joined == pytest.approx(read_audio(info), abs=1e-4)


def test_flac_keeps_16_bits_and_the_shape_of_what_is_too_loud(tmp_path):
    quiet = np.array([0, 0.5, -0.25], dtype=np.float32)
    assert decode_mono(flac_bytes(quiet)) == pytest.approx([0, 0.5, -0.25], abs=1 / 32767)
    loud = np.array([0, 1, -2, 4], dtype=np.float32)  # +12 dBFS
    assert decode_mono(flac_bytes(loud)) == pytest.approx([0, 0.25, -0.5, 1], abs=1 / 32767)


def test_flac_keeps_the_shape_of_what_is_too_quiet():
    quiet = np.array([0, 1e-4, -0.5e-4, 0.01e-4], dtype=np.float32)  # -80 dBFS: 16 bits have steps of 0.3e-4
    heard = decode_mono(flac_bytes(quiet))
    assert heard / np.float32(2**12) == pytest.approx(quiet, abs=2.0**-28)
    assert 0.25 <= np.abs(heard).max() <= 0.5


def test_samples_that_no_recorder_writes_are_silent(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.array([0.5, np.nan, np.inf, -np.inf, 1e38, -1e38, 0.25], dtype=np.float32).repeat(160)
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    assert read_audio(audio_info(path))[0] == pytest.approx(np.array([0.5, 0, 0, 0, 0, 0, 0.25]).repeat(160))
    # Of 1120 samples with the mean 3/28: 160 of 1/2 and 160 of 1/4.
    assert energy(str(path), [(0, 70)]) == pytest.approx([160 / 4 + 160 / 16 - 1120 * (3 / 28) ** 2])


@pytest.mark.parametrize("rate", [5_563, 11_127, 22_254, 44_099, 44_101])
def test_odd_rates_become_16_khz(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(rate).T, rate)
    samples = read_audio(audio_info(path), 500, 1500)
    assert samples.shape == (2, 16_000)
    middle = np.arange(8_000, 24_000) / 16_000
    for row, hertz in zip(samples, (300, 600), strict=True):
        wave = np.stack([np.sin(2 * np.pi * hertz * middle), np.cos(2 * np.pi * hertz * middle)])
        sine, cosine = row @ wave.T / 8_000
        assert np.hypot(sine, cosine) == pytest.approx(0.4, abs=0.005)
        late = -np.arctan2(cosine, sine) / (2 * np.pi * hertz)
        assert late * rate == pytest.approx(0, abs=1.5)  # samples of the file: 480 ms are no whole number of them


@pytest.mark.parametrize(("rate", "channels"), [(40, 1), (16_000, 1000), (1_073_757_824, 1)])
def test_a_header_that_no_recorder_writes_is_named(tmp_path, rate, channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((100, channels)), rate)
    with pytest.raises(U2UError, match=r"a\.wav: its header says .* no recorder writes"):
        audio_info(path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW"])
@pytest.mark.parametrize("told", [0, 8_000])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64"])
def test_what_follows_a_length_written_too_early_is_heard(tmp_path, subtype, told, kind):
    right, wrong = tmp_path / "right.wav", tmp_path / "wrong.wav"
    rng = np.random.default_rng(0)
    soundfile.write(right, rng.standard_normal((16_000, 2)) * 0.1, 16_000, subtype=subtype, format=kind)
    content = right.read_bytes()
    # RF64 has it behind the length of the whole file; W64 behind a name of 16 bytes, and counts these 24 bytes too.
    mark, skipped, size = {"RF64": (b"ds64", 16, 8), "W64": (b"data", 16, 8)}.get(kind, (b"data", 4, 4))
    at = content.index(mark) + skipped
    told += 24 if kind == "W64" and told else 0
    wrong.write_bytes(content[:at] + told.to_bytes(size, "little") + content[at + size :])
    assert audio_info(wrong).duration_ms == 1000
    assert np.array_equal(read_audio(audio_info(wrong), 200, 900), read_audio(audio_info(right), 200, 900))


def test_chunks_after_the_samples_are_no_sound(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(1600), 16_000)
    with path.open("ab") as file:
        file.write(b"LIST\x04\x00\x00\x00INFO" + b"junk\x01\x00\x00\x00a\x00")
    assert audio_info(path).duration_ms == 100


def test_a_length_that_only_the_packets_tell(tmp_path):
    path = tmp_path / "a.aac"
    signal = np.concatenate([np.zeros((1, 16_000 * 20)), tones(16_000, 5.0, 1)], 1)
    write_with_ffmpeg(path, "aac", signal.astype(np.float32), 16_000)
    info = audio_info(path)
    assert info.duration_ms == pytest.approx(25_000, abs=200)  # the encoder's first packet, and the last one's rest
    assert loudest_hz(read_audio(info, 22_000, 23_000)[0]) == pytest.approx(300, abs=2)


def test_mono_tracks_are_channels(tmp_path):
    path = tmp_path / "a.mov"
    with av.open(path, "w") as media:
        streams = [media.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        for stream, row in zip(streams, tones(16_000), strict=True):
            frame = av.AudioFrame.from_ndarray((row[None] * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
            media.mux([*stream.encode(frame), *stream.encode(None)])
    info = audio_info(path)
    assert (info.channels, info.duration_ms) == (2, 3000)
    assert [loudest_hz(row) for row in read_audio(info, 500, 1500)] == pytest.approx([300, 600], abs=2)


@pytest.mark.parametrize("content", [b"", b"not a sound file", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_sound_is_named(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(U2UError, match=r"a\.wav: not a sound file"):
        audio_info(path)


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(U2UError, match=r"gone\.wav: there is no such file"):
        audio_info(tmp_path / "gone.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(U2UError, match=r"empty\.wav: holds no sound"):
        audio_info(tmp_path / "empty.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.m4a"])
def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(b"locked")
    really = os.open

    def locked(file, *more, **named):
        if os.fspath(file) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(file, *more, **named)

    monkeypatch.setattr(os, "open", locked)  # chmod does not stop root, who runs tests in containers
    with pytest.raises(U2UError) as caught:
        audio_info(path)
    assert str(caught.value) == f"{path}: cannot be read (Permission denied)"


def test_a_row_of_another_kind_is_named():
    with pytest.raises(U2UError, match="row 3: its audio cannot be decoded"):
        decode_mono(b"noise", "row 3")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.m4a", "aac"), ("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.wma", "wmav2")]
)
def test_containers_are_read_by_seeking(tmp_path, name, codec):
    signal = tones(48_000, 20.0)
    signal[0, : 5 * 48_000] = 0  # the left begins at 5 s
    write_with_ffmpeg(tmp_path / name, codec, signal, 48_000)
    info = audio_info(tmp_path / name)
    assert (info.sampling_rate, info.channels) == (48_000, 2)
    assert info.duration_ms == pytest.approx(20_000, abs=100)
    samples = read_audio(info, 4500, 6500)
    assert samples.shape == (2, 32_000)
    assert [loudest_hz(row[12_000:]) for row in samples] == pytest.approx([300, 600], abs=2)
    loud = np.flatnonzero(np.abs(samples[0]) > 0.2)[0] / 16 + 4500
    assert loud == pytest.approx(5000, abs=50)  # the coder's own delay is within 50 ms
    with pytest.raises(U2UError, match=rf"{name}: has 2 channel"):
        read_audio(info, 0, 100, [5])


def test_a_container_without_sound_or_cut_short_is_named(tmp_path):
    write_with_ffmpeg(tmp_path / "a.m4a", "aac", tones(48_000, 2.0), 48_000)
    whole = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "cut.m4a").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a.txt.mp4").write_text("not a film")
    for name in ("cut.m4a", "a.txt.mp4"):
        with pytest.raises(U2UError, match=rf"{name}: not a sound file"):
            audio_info(tmp_path / name)


def test_time_begins_with_the_file_whatever_its_clock_shows(tmp_path):
    signal = tones(48_000, 6.0)
    signal[:, : 2 * 48_000] = 0
    write_with_ffmpeg(tmp_path / "a.mts", "aac", signal, 48_000, starts_at=1)
    with av.open(tmp_path / "a.mts") as media:
        assert media.start_time > 900_000  # µs
    info = audio_info(tmp_path / "a.mts")
    assert info.duration_ms == pytest.approx(6000, abs=50)
    for start_ms in (0, 1500):  # from the beginning, and by seeking
        samples = read_audio(info, start_ms, 6000)
        loud = np.flatnonzero(np.abs(samples[0]) > 0.2) / 16 + start_ms
        assert loud[[0, -1]] == pytest.approx([2000, 6000], abs=50)


def test_a_file_that_ends_before_its_header_says_is_named(tmp_path):
    soundfile.write(tmp_path / "whole.mp3", tones(48_000, 30.0).T, 48_000)
    data = (tmp_path / "whole.mp3").read_bytes()
    (tmp_path / "cut.mp3").write_bytes(data[: len(data) // 2])
    info = audio_info(tmp_path / "cut.mp3")
    assert read_audio(info, 1000, 2000).shape == (2, 16_000)
    with pytest.raises(U2UError, match=r"cut.mp3: ends before 2\d\.\d s.* 30\.\d s: it was not copied completely"):
        read_audio(info, 25_000, 26_000)


@pytest.fixture
def connections():
    """A server on this computer: its port, and who connected, which is who should not."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def count():
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                seen.append(caller.getpeername())
                caller.close()  # who waits for an answer fails instead of waiting for ever

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        yield listening.getsockname()[1], seen
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("name", [
    "http:/127.0.0.1:{port}/a.m4a", "https:/127.0.0.1:{port}/a.m4a", "tcp:/127.0.0.1:{port}", "tcp:127.0.0.1:{port}",
    "ftp:/127.0.0.1:{port}/a.m4a", "concat:a.m4a|b.m4a", "subfile,,start,0,end,100,,:x.m4a", "file:x.m4a", "pipe:0",
    "pipe:", "fd:", "data:audio,a.m4a", "cache:x.m4a", "async:x.m4a", "crypto:x.m4a",
])  # fmt: skip
def test_a_name_that_ffmpeg_takes_for_a_url_is_a_files_name(tmp_path, monkeypatch, connections, name):
    port, seen = connections
    monkeypatch.chdir(tmp_path)
    write_with_ffmpeg("made.mp4", "aac", tones(48_000, 2.0), 48_000)
    path = name.format(port=port)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    os.rename("made.mp4", path)
    for given in (path, tmp_path / path):
        info = audio_info(given)
        assert (info.channels, info.duration_ms) == (2, pytest.approx(2000, abs=100))
        assert loudest_hz(read_audio(info, 500, 1500)[1]) == pytest.approx(600, abs=2)
    assert not seen


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{address}\n#EXT-X-ENDLIST\n",
    "live hls": "\ufeff\n#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{address}\n",
    "concat": "ffconcat version 1.0\nfile '{address}'\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT3S"><Period><AdaptationSet mimeType="audio/wav"><Representation id="1" '
    'bandwidth="1"><BaseURL>{address}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
    "pls": "[playlist]\nFile1={address}\n",
    "xspf": '<playlist version="1"><trackList><track><location>{address}</location></track></trackList></playlist>',
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("address", ["secret.wav", "{folder}/secret.wav", "http://127.0.0.1:{port}/secret.wav"])
def test_a_playlist_is_refused_and_what_it_names_is_not_read(tmp_path, connections, kind, address):
    port, seen = connections
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, tones(16_000).T, 16_000)
    os.utime(secret, (0, 1))  # older than the change: whoever reads the file sets it anew
    content = PLAYLISTS[kind].format(address=address.format(folder=tmp_path, port=port))
    reason = "is a playlist, which names other files: give the recording itself"
    for suffix in ("m3u8", "ffconcat", "mpd", "sdp", "wav", "mp3", "m4a", "mp4", "flac", "mts", "aac"):
        path = tmp_path / f"a.{suffix}"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(U2UError, match=rf"a\.{suffix}: {reason}") as refused:
            audio_info(path)
        assert "\n" not in str(refused.value)
    assert secret.stat().st_atime == 0
    assert not seen


def test_what_a_format_of_the_list_names_stays_shut(tmp_path, monkeypatch):
    """A playlist cannot open the files that it names, even if its format were on the list."""
    soundfile.write(tmp_path / "secret.wav", tones(16_000).T, 16_000)
    os.utime(tmp_path / "secret.wav", (0, 1))
    (tmp_path / "a.ffconcat").write_text("ffconcat version 1.0\nfile secret.wav\n")
    monkeypatch.setattr(ffmpeg, "_PLAYLIST", ffmpeg.re.compile(b"nothing"))
    monkeypatch.setitem(ffmpeg._OPTIONS, "format_whitelist", "concat,wav")
    with pytest.raises(U2UError, match="not a sound file"):
        audio_info(tmp_path / "a.ffconcat")
    assert (tmp_path / "secret.wav").stat().st_atime == 0


def special(folder):
    """What blocks or never ends when it is read, by the word for it."""
    os.mkfifo(folder / "pipe.m4a")
    (folder / "device.m4a").symlink_to("/dev/zero")
    (folder / "folder.m4a").mkdir()
    return {name: folder / f"{name}.m4a" for name in ("pipe", "device", "folder")}


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path, monkeypatch):
    begun = time.monotonic()
    for name, path in special(tmp_path).items():
        for read in (audio_info, lambda path: ffmpeg.header(str(path)), encodings.read_bytes):
            with pytest.raises(U2UError, match=rf"{name}\.m4a: is not a regular file but a {name}: give a file"):
                read(path)
    monkeypatch.setattr(encodings, "require_regular", lambda path: None)  # the pipe came after that looked
    with pytest.raises(U2UError, match="is not a regular file"):
        ffmpeg.header(str(tmp_path / "pipe.m4a"))
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", ["-", "a.raw"])
def test_a_name_that_libsndfile_takes_for_something_else_is_a_files_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    soundfile.write("made.wav", tones(16_000).T, 16_000)
    os.rename("made.wav", name)
    soundfile.write("input.wav", tones(16_000, 1.0).T, 16_000)
    before = os.dup(0)
    with open("input.wav", "rb") as file:
        os.dup2(file.fileno(), 0)
    try:
        info = audio_info(name)
        assert info.duration_ms == 3000
        assert loudest_hz(read_audio(info)[1]) == pytest.approx(600, abs=2)
    finally:
        os.dup2(before, 0)
        os.close(before)


def test_opening_has_an_end(tmp_path, monkeypatch):
    write_with_ffmpeg(tmp_path / "a.mkv", "libopus", tones(48_000), 48_000)
    with open(tmp_path / "damaged.mkv", "wb") as file:
        file.write((tmp_path / "a.mkv").read_bytes()[:400])
        file.truncate(10 * 2**30)  # takes no place on the disk, and a minute to search
    monkeypatch.setattr(ffmpeg, "_OPENING_SECONDS", 0.2)
    begun = time.monotonic()
    with pytest.raises(U2UError, match=r"damaged\.mkv: cannot be opened within 0\.2 s"):
        audio_info(tmp_path / "damaged.mkv")
    assert time.monotonic() - begun < 5
    monkeypatch.undo()
    assert audio_info(tmp_path / "a.mkv").duration_ms == pytest.approx(3000, abs=50)


def test_an_unchanged_file_is_opened_for_its_header_once(tmp_path, monkeypatch):
    opened, info = [], soundfile.info
    monkeypatch.setattr(soundfile, "info", lambda path: opened.append(path) or info(path))
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(16_000).T, 16_000)
    assert audio_info(path) == audio_info(str(path))
    assert opened == [str(path)]
    soundfile.write(path, tones(16_000, seconds=1.0).T, 16_000)
    assert audio_info(path).duration_ms == 1000
    path.unlink()
    with pytest.raises(U2UError, match=r"a\.wav: there is no such file"):
        audio_info(path)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "flac"), ("a.mpg", "mp2"), ("a.m2ts", "mp2")])
def test_a_stretch_of_film_has_no_gaps(tmp_path, name, codec):
    path = tmp_path / name
    write_with_ffmpeg(path, codec, tones(44_100, 6.0, 1), 44_100)
    info = audio_info(path)
    for start_ms, end_ms in ((500, 5000), (2000, 4000), (4100, 4900)):
        samples = read_audio(info, start_ms, end_ms)[0]
        t = np.arange(len(samples)) / 16_000
        waves = np.stack([np.sin(2 * np.pi * 300 * t), np.cos(2 * np.pi * 300 * t)], 1)
        rest = samples - waves @ np.linalg.lstsq(waves, samples, rcond=None)[0]
        assert np.square(samples).mean() / np.square(rest).mean() > 1e4  # 40 dB


def first_sound(path):
    """The byte of the first packet behind an MP3 file's header."""
    with av.open(path) as media:
        return next(packet.pos for packet in media.demux() if packet.pos)


@pytest.fixture
def mp3_files(tmp_path):
    """Noise, silence and a tone of 300 Hz of 10 s each, with a variable bit rate: whole, headless, and twice."""
    noise = np.random.default_rng(0).standard_normal(160_000) * 0.2
    whole, headless, twice = (tmp_path / f"{name}.mp3" for name in ("whole", "headless", "twice"))
    signal = np.concatenate([noise, np.zeros(160_000), tones(16_000, 10.0, 1)[0]])
    soundfile.write(whole, signal, 16_000, bitrate_mode="VARIABLE")
    content = whole.read_bytes()
    first = first_sound(whole)
    assert b"Xing" in content[:first]
    headless.write_bytes(content[first:])
    twice.write_bytes(content + content)
    return whole, headless, twice


def test_a_headless_mp3_that_begins_quietly_is_not_taken_for_a_longer_one(tmp_path):
    rng = np.random.default_rng(0)
    signal = np.concatenate([rng.standard_normal(160_000) * 1e-5, rng.standard_normal(160_000) * 0.2])
    soundfile.write(tmp_path / "whole.mp3", np.concatenate([signal, tones(16_000, 10.0, 1)[0]]), 16_000,
                    bitrate_mode="VARIABLE")  # fmt: skip
    content = (tmp_path / "whole.mp3").read_bytes()
    path = tmp_path / "headless.mp3"
    path.write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x0aInfo" + bytes(6) + content[first_sound(tmp_path / "whole.mp3") :])
    assert soundfile.info(path).duration > 50
    info = audio_info(path)
    assert info.duration_ms == pytest.approx(30_000, abs=250)
    assert loudest_hz(read_audio(info, 25_000, 26_000)[0]) == pytest.approx(300, abs=2)
    assert read_audio(info, 29_000, 31_000).shape[1] > 12_000


def test_the_length_of_an_mp3_is_that_of_its_packets(mp3_files):
    for path, seconds in zip(mp3_files, (30, 30, 60), strict=True):
        info = audio_info(path)
        assert info.duration_ms == pytest.approx(seconds * 1000, abs=250)
        last = read_audio(info, (seconds - 5) * 1000, (seconds - 4) * 1000)[0]
        assert loudest_hz(last) == pytest.approx(300, abs=2)
        silence = read_audio(info, (seconds - 17) * 1000, (seconds - 13) * 1000)[0]
        assert np.abs(silence).max() < 0.01


def test_an_mp3_is_heard_at_once_wherever_reading_begins(tmp_path):
    """Frames of a pure tone fill few bits, and are kept in those of frames long before."""
    clock = np.arange(4 * 44_100) / 44_100
    soundfile.write(tmp_path / "a.mp3", 0.3 * np.sin(2 * np.pi * (200 + 150 * clock) * clock), 44_100)
    info = audio_info(tmp_path / "a.mp3")
    whole = read_native(info, 0, info.frames)
    for begin in range(1, info.frames - 9000, 4999):
        np.testing.assert_allclose(read_native(info, begin, begin + 9000), whole[:, begin : begin + 9000], atol=1e-6)


@pytest.mark.parametrize(("at", "value"), [(20, 0x7ABC), (22, 4000)], ids=["coding", "channels"])
def test_a_coding_that_nobody_knows_is_named(tmp_path, at, value):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(1600), 16_000)
    content = path.read_bytes()
    path.write_bytes(content[:at] + value.to_bytes(2, "little") + content[at + 2 :])
    with pytest.raises(U2UError, match=r"a\.wav: not a sound file that can be read"):
        audio_info(path)


def test_a_piped_flac_that_is_damaged_is_named(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tones(16_000, 1.0, 1).T, 16_000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # STREAMINFO's count of samples: the low half of byte 21, and bytes 22 to 25
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert audio_info(path).duration_ms == 1000
    path.write_bytes(content[:60])
    with pytest.raises(U2UError, match=r"a\.flac: "):
        audio_info(path)


def test_joined_ogg_files_are_named(tmp_path):
    path = tmp_path / "a.ogg"
    soundfile.write(path, tones(16_000, 1.0, 1).T, 16_000)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(U2UError, match=r"a\.ogg: several Ogg recordings were joined"):
        audio_info(path)


def test_joined_flac_files_are_named(tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("a", 1), ("b", 30)):
        soundfile.write(tmp_path / f"{name}.flac", rng.standard_normal((16_000 * seconds, 2)) * 0.1, 16_000)
    a, b = ((tmp_path / f"{name}.flac").read_bytes() for name in "ab")
    tag = b"TAG" + bytes(125)  # ID3v1, which some programs put behind a FLAC file too
    path = tmp_path / "c.flac"
    for content, seconds in ((a, 1), (b, 30), (b + tag, 30)):
        path.write_bytes(content)
        assert audio_info(path).duration_ms == seconds * 1000
    for content in (a + b, b + a, b + tag + b):
        path.write_bytes(content)
        with pytest.raises(U2UError, match=r"c\.flac: several FLAC recordings were joined into this file"):
            audio_info(path)


def test_too_little_memory_is_no_fault_of_the_file(tmp_path, monkeypatch):
    def full(*_arguments, **_settings):
        raise av.error.MemoryError(12, "Cannot allocate memory")

    (tmp_path / "a.m4a").write_bytes(b"x" * 100)
    monkeypatch.setattr(av, "open", full)
    with pytest.raises(MemoryError):
        audio_info(str(tmp_path / "a.m4a"))
