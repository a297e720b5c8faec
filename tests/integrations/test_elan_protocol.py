"""What ELAN and the recogniser say to each other."""

import contextlib
import errno
import io
import os
import time
from pathlib import Path

import pytest

from u2u_hf.integrations.elan import protocol as elan_protocol
from u2u_hf.integrations.elan.protocol import Remarks, Report, read_parameters, read_tier, write_result
from u2u_hf.records import Annotation, U2UError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
CALL = (
    '<PARAM xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="file:avatech-call.xsd">\n'
    '<param name="InvocationContext">u2u_hf_transcribe 2026-11-24 14:23:09+0100</param>\n'
)


def test_parameters_are_read_by_their_local_name_unescaped():
    text = f'{HEAD}{CALL}<param name="source">/a &amp; b/ñuu.wav</param>\n<param name="input_tier"></param>\n</PARAM>\n'
    for document in (
        text,
        text.replace("<", "<p:")
        .replace("<p:/", "</p:")
        .replace("<p:?", "<?")
        .replace("xmlns:xsi", 'xmlns:p="x" xmlns:xsi'),
    ):
        found = read_parameters(document.encode())
        assert found["source"] == "/a & b/ñuu.wav"
        assert found["input_tier"] == ""
    assert found["InvocationContext"].startswith("u2u_hf_transcribe ")


def test_an_old_elan_does_not_escape_them():
    document = f'{HEAD}{CALL}<param name="source">C:\\Ana & Eva\\a.wav</param></PARAM>'
    assert read_parameters(document.encode())["source"] == "C:\\Ana & Eva\\a.wav"


def test_an_old_java_writes_them_in_the_encoding_of_the_system(monkeypatch):
    monkeypatch.setattr(elan_protocol.locale, "getencoding", lambda: "cp1252", raising=False)
    document = f'{HEAD}{CALL}<param name="source">/ñuu.wav</param></PARAM>'
    assert read_parameters(document.encode("cp1252"))["source"] == "/ñuu.wav"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"hello", f"{HEAD}<PARAM></PARAM>".encode()])
def test_no_parameters_are_told(data):
    with pytest.raises(U2UError, match="no parameters: this program is started by ELAN"):
        read_parameters(data)


def tier_file(folder, *spans, columns="tier_1", around="{}"):
    path = folder / "tier.xml"
    tier = f'<TIER columns="{columns}">\n' + "\n".join(spans) + "\n</TIER>"
    path.write_text(HEAD + around.format(tier) + "\n", encoding="utf-8")
    return path


def span(start, end, *values):
    return f'\t<span start="{start}" end="{end}">{"".join(f"<v>{value}</v>" for value in values)}</span>'


def test_seconds_with_three_decimals_are_milliseconds(tmp_path):
    path = tier_file(
        tmp_path, span("17.492", "18.001", "ñuu"), span("18123.457", "18124.5", "ka"), span("20000", "20010", "x")
    )
    assert read_tier(path) == (
        Annotation(17_492, 18_001, "ñuu"),
        Annotation(18_123_457, 18_124_500, "ka"),
        Annotation(20_000, 20_010, "x"),
    )


def test_annotations_that_elan_did_not_escape_are_read_as_they_stand(tmp_path):
    texts = [
        "ka & ti",
        "a < b > c",
        "<i>ña</i>",
        "x &amp; y",
        'he said "no"',
        "two\nlines",
        "",
        "<",
        "&lt",
        "1 < 2 & 3 > 2",
    ]
    path = tier_file(tmp_path, *(span(f"{n}.000", f"{n}.900", text) for n, text in enumerate(texts)))
    assert [a.value for a in read_tier(path)] == texts
    assert [(a.start_ms, a.end_ms) for a in read_tier(path)] == [(1000 * n, 1000 * n + 900) for n in range(len(texts))]


def test_an_elan_that_escapes_them_is_understood_too(tmp_path):
    path = tier_file(tmp_path, span("0.000", "1.000", "ka &amp; ti"), span("1.000", "2.000", "&lt;i&gt;"))
    assert [a.value for a in read_tier(path)] == ["ka & ti", "<i>"]


@pytest.mark.parametrize("text", ["ka", "ka & ti"])
def test_of_several_columns_or_tiers_the_first_is_read(tmp_path, text):
    path = tier_file(tmp_path, span("0.000", "1.000", text, "gloss"), columns="a b")
    assert [a.value for a in read_tier(path)] == [text]
    path = tier_file(
        tmp_path,
        span("0.000", "1.000", text),
        around='<TIERS>{}<TIER columns="b"><span start="5.000" end="6.000"><v>no</v></span></TIER></TIERS>',
    )
    assert [a.value for a in read_tier(path)] == [text]


def test_a_tier_without_annotations_is_empty(tmp_path):
    assert read_tier(tier_file(tmp_path)) == ()


def test_what_is_wrong_with_a_tier_is_told(tmp_path):
    with pytest.raises(U2UError, match=r"gone.xml: the chosen tier cannot be read \(No such file"):
        read_tier(tmp_path / "gone.xml")
    with pytest.raises(U2UError, match="'soon' is not a time"):
        read_tier(tier_file(tmp_path, span("soon", "1.000", "ka")))


def reported(do):
    stream = io.StringIO()
    report = Report(stream)
    do(report)
    return stream.getvalue().splitlines()


def test_progress_only_grows_and_is_below_1_until_the_result():
    def do(report):
        for share in (0, 0.5, 0.25, 0.999, 1.0, 1.7):
            report.progress(share, "transcribing,  0:01\nleft")
        report.result(done=True)

    *progress, last = reported(do)
    assert progress == [
        f"PROGRESS: {share} transcribing, 0:01 left" for share in ("0.00", "0.50", "0.50", "0.99", "0.99", "0.99")
    ]
    assert last == "RESULT: DONE."


def test_nothing_that_is_said_is_taken_for_a_result():
    def do(report):
        for text in (
            "0",
            "RESULT: DONE.",
            "PROGRESS: 1.0",
            "INFO: PROGRESS: 100%",
            "\x04",
            "a\n0\nb",
            "",
            "fine\x1b[2J",
        ):
            report.say(text)
        print("0", file=Remarks(report))
        print("1\r\n0\nRESULT: FAILED.", file=Remarks(report))
        report.result(done=False)

    *lines, last = reported(do)
    assert last == "RESULT: FAILED."
    assert "a 0 b" in lines
    assert "fine‹U+001B›[2J" in lines
    for line in lines:
        assert len(line) > 1
        assert not line.startswith(("RESULT", "PROGRESS", "INFO"))


def test_the_last_progress_is_repeated_until_the_result(monkeypatch):
    monkeypatch.setattr(elan_protocol, "_REPEAT_S", 0.02)

    def do(report):
        report.progress(0.3, "transcribing")
        deadline = time.monotonic() + 20
        while len(written(report)) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        report.result(done=True)
        time.sleep(0.05)

    def written(report):
        return report._stream.getvalue().splitlines()

    *repeated, last = reported(do)
    assert set(repeated) == {"PROGRESS: 0.30 transcribing"}
    assert last == "RESULT: DONE."


def test_every_line_is_flushed():
    class Stream(io.StringIO):
        unflushed = ""

        def write(self, text):
            self.unflushed += text

        def flush(self):
            self.unflushed = ""

    stream = Stream()
    report = Report(stream)
    for do in (lambda: report.progress(0, "starting"), lambda: report.say("hello"), lambda: report.result(done=True)):
        do()
        assert stream.unflushed == ""


def test_a_reader_that_is_gone_is_no_error():
    read, write = os.pipe()
    with open(write, "w", encoding="utf-8") as stream:
        report = Report(stream)
        report.progress(0.1, "transcribing")
        os.close(read)
        report.progress(0.2, "transcribing")
        report.result(done=True)
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def test_a_result_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.xml"
    path.touch()
    write_result(path, "<TIERS>ñ</TIERS>")
    assert path.read_bytes() == "<TIERS>ñ</TIERS>".encode()
    monkeypatch.setattr(os, "replace", refuse(errno.ENOSPC))
    with pytest.raises(U2UError, match=r"a.xml: cannot be written \(the disk of .* is full: make room\)"):
        write_result(path, "<TIERS>half")
    assert path.read_bytes() == "<TIERS>ñ</TIERS>".encode()
    assert list(tmp_path.iterdir()) == [path]


def refuse(number, times=10**6):
    calls = iter(range(times))
    replace = os.replace

    def refused(*arguments, **settings):
        if next(calls, None) is None:
            return replace(*arguments)
        raise OSError(number, os.strerror(number))

    return refused


@pytest.mark.parametrize("times", [1, 10**6])
def test_a_file_that_windows_does_not_let_replace_is_written_in_place(tmp_path, monkeypatch, times):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(os, "replace", refuse(errno.EACCES, times))
    path = tmp_path / "a.xml"
    path.touch()
    write_result(path, "<TIERS/>\n")
    assert path.read_bytes() == b"<TIERS/>\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(os, "replace", refuse(errno.EACCES))
    monkeypatch.setattr(Path, "write_text", refuse(errno.EACCES))
    with pytest.raises(U2UError, match="cannot be written"):
        write_result(tmp_path / "a.xml", "<TIERS/>")
