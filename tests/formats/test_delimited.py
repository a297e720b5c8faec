import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.formats.delimited import read_metadata, read_table
from u2u_hf.records import U2UError

TRUTH = [
    ("dos.wav", [("Ana", "Ana", [(61500, 63250, "ña¹")])]),
    (
        "uno ñ.wav",
        [
            ("Luis", "Luis", [(1500, 2000, "dos\nlíneas"), (2000, 3000, "b")]),
            ("Ana", "Ana", [(0, 1500, 'dijo "a, b; c"')]),
        ],
    ),
]

COMMA = '''audio,start,end,text,speaker
dos.wav,61.5,63.25,ña¹,Ana
uno ñ.wav,2,3.0004,b,Luis
uno ñ.wav,0,1.5,"dijo ""a, b; c""",Ana
uno ñ.wav,1.5,2,"dos
líneas",Luis
'''
TABS = '''speaker\tNotes\tText \tEND\tstart\taudio
Ana\t\tña¹\t1:03.25\t1:01.5\tdos.wav

Luis\tx\tb\t00:00:03.0004\t00:00:02\tuno ñ.wav
 Ana \t\t"dijo ""a, b; c"""\t1.5\t0\t uno ñ.wav
\t\t\t\t\t
Luis\t\t"dos
líneas"\t2\t1.5\tuno ñ.wav'''
EXCEL = '''audio;start;end;text;speaker;;
dos.wav;61,5;63,25;ña¹;Ana;;
uno ñ.wav;2;3,0004;b;Luis;;
uno ñ.wav;0;1,5;"dijo ""a, b; c""";Ana;;
uno ñ.wav;1,5;2;"dos
líneas";Luis;;
;;;;;;
'''
FORMS = {
    "comma": ("a.csv", COMMA.encode()),
    "comma, Windows, byte order mark": ("a.CSV", COMMA.replace("\n", "\r\n").encode("utf-8-sig")),
    "comma, Latin-1": ("a.csv", COMMA.encode("latin-1")),
    "tabs, clocks, other columns and order": ("a.tsv", TABS.encode()),
    "tabs in a .csv, UTF-16": ("a.csv", b"\xff\xfe" + TABS.encode("utf-16-le")),
    "semicolons and decimal commas": ("a.csv", EXCEL.encode("utf-8-sig")),
    "semicolons, as Windows saves it": ("a.csv", EXCEL.replace("\n", "\r\n").encode("cp1252")),
}


def read(folder, data, name="a.csv"):
    path = folder / name
    path.write_bytes(data)
    return read_table(path)


def held(documents):
    def spans(tier):
        return [(a.start_ms, a.end_ms, a.value) for a in tier.annotations]

    return [(d.media[0].urls[0], [(t.name, t.participant, spans(t)) for t in d.tiers]) for d in documents]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_table_reads_the_same(form, tmp_path):
    name, data = FORMS[form]
    documents = read(tmp_path, data, name)
    assert held(documents) == TRUTH
    assert {d.path for d in documents} == {str(tmp_path / name)}
    assert {t.linguistic_type for d in documents for t in d.tiers} == {"transcription"}


def test_without_a_speaker(tmp_path):
    assert held(read(tmp_path, b"audio,start,end,text\na.wav,0,1,x\n")) == [
        ("a.wav", [("transcription", "", [(0, 1000, "x")])])
    ]
    both = read(tmp_path, b"audio,start,end,text,speaker\na.wav,0,1,x\na.wav,1,2,y,Ana\n")
    assert [t.name for t in both[0].tiers] == ["transcription", "Ana"]


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("0", 0),
        ("0.0004", 0),
        ("61.", 61_000),
        ("1:01", 61_000),
        ("1:1.5", 61_500),
        ("0:00:59.9996", 60_000),
        ("100:00:00,001", 360_000_001),
        (" 7 ", 7000),
    ],
)
def test_times(written, ms, tmp_path):
    (document,) = read(tmp_path, f"audio\tstart\tend\ttext\na.wav\t{written}\t999999\tx\n".encode(), "a.tsv")
    assert document.tiers[0].annotations[0].start_ms == ms


HEAD = "audio,start,end,text\n"
BAD = {
    "0 bytes": (b"", "is empty (0 bytes)"),
    "binary garbage": (bytes(range(256)) * 9, "is not a text file"),
    "only a header": (HEAD.encode(), "has a header but no row"),
    "no header": (b"a.wav,0,1,x\n", "has no column audio, start, end, text; its first line: 'a.wav,0,1,x'"),
    "wrong header": (b"file,start,end,text\n", "has no column audio; its first line: 'file,start,end,text'"),
    "blank first line": (f"\n{HEAD}".encode(), "has no column audio, start, end, text"),
    "too few fields": (f"{HEAD}a.wav,0,1,x\na.wav,0,1\n".encode(), "line 3: has 3 fields for 4 columns"),
    "a comma in the text": (f"{HEAD}a.wav,0,1,hola, tú\n".encode(), "line 2: has 5 fields for 4 columns"),
    "no audio": (f"{HEAD} ,0,1,x\n".encode(), "line 2: names no audio file: fix the line or take it out"),
    "no start": (f"{HEAD}a.wav,,1,x\n".encode(), "line 2: '' is not a time such as 61.5 or 00:01:01.500"),
    "a word for a time": (f"{HEAD}a.wav,0,end,x\n".encode(), "line 2: 'end' is not a time"),
    "a negative time": (f"{HEAD}a.wav,-1,1,x\n".encode(), "line 2: '-1' is not a time"),
    "61 seconds in a clock": (f"{HEAD}a.wav,0,1:61,x\n".encode(), "line 2: '1:61' is not a time"),
    "endless digits": (f"{HEAD}a.wav,0,{'9' * 400},x\n".encode(), "is not a time"),
    "not a number": (f"{HEAD}a.wav,0,nan,x\n".encode(), "line 2: 'nan' is not a time"),
    "other digits": (f"{HEAD}a.wav,0,١,x\n".encode(), "line 2: '١' is not a time"),
    "end before start": (f"{HEAD}a.wav,0,1,x\na.wav,2,1,x\n".encode(), "line 3: ends at 1, not after its start at 2"),
    "no length": (f"{HEAD}a.wav,1,1.0001,x\n".encode(), "line 2: ends at 1.0001, not after its start at 1"),
    "cut in a quote": (f'{HEAD}a.wav,0,1,"x\na.wav,1,2,y\n'.encode(), "line 3: unexpected end of data"),
    "quotes not doubled": (f'{HEAD}a.wav,0,1,"x" y\n'.encode(), "is a quote not closed, or not doubled?"),
    "a field without end": (f'{HEAD}a.wav,0,1,"{"x" * 200_000}\n'.encode(), "field larger than field limit"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_in_one_line_with_the_place(case, tmp_path):
    data, message = BAD[case]
    with pytest.raises(U2UError) as caught:
        read(tmp_path, data)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'a.csv'}: ")
    assert message in said
    assert "\n" not in said


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(U2UError, match=r"gone\.csv: there is no such file"):
        read_table(tmp_path / "gone.csv")


words = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"))
names = words.map(str.strip).filter(bool)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(".csv", ","), (".csv", ";"), (".tsv", "\t")]),
    st.lists(st.tuples(names, st.integers(0, 10**8), st.integers(1, 10**6), words), min_size=1, max_size=6),
)
def test_what_pythons_csv_writes_is_read_back(tmp_path_factory, form, rows):
    suffix, delimiter = form
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(["audio", "start", "end", "text"])
    for audio, start, length, text in rows:
        writer.writerow([audio, f"{start / 1000:.3f}", f"{(start + length) / 1000:.3f}", text])
    documents = read(tmp_path_factory.getbasetemp(), written.getvalue().encode(), f"round{suffix}")
    found = [
        (d.media[0].urls[0], a.start_ms, a.end_ms - a.start_ms, a.value)
        for d in documents
        for a in d.tiers[0].annotations
    ]
    assert sorted(found) == sorted(rows)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.data())
def test_whatever_the_bytes_either_a_table_or_one_error(tmp_path_factory, form, data):
    name, whole = FORMS[form]
    whole = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    documents, said = [], ""
    try:
        documents = read(tmp_path_factory.getbasetemp(), bytes(whole), name)
    except U2UError as error:
        said = str(error)
    assert bool(documents) != bool(said)
    assert "\n" not in said
    assert all(a.start_ms < a.end_ms for d in documents for t in d.tiers for a in t.annotations)


# Audio folders


def lengths(path: Path) -> int:
    """Files are as long, in ms, as their stem says; those called "broken" cannot be opened."""
    if path.stem == "broken":
        raise U2UError(f"{path}: not a sound file")
    return int(path.stem)


def metadata(folder, text, name="metadata.jsonl"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_metadata(path, lengths)


@pytest.mark.parametrize("column", ["text", "transcription", "sentence"])
def test_each_row_of_metadata_is_a_whole_file(column, tmp_path):
    truth = [
        ("data/1500.wav", [("Ana", "Ana", [(0, 1500, 'ña¹, "b"\u2028')])]),
        ("20.mp3", [("transcription", "", [(0, 20, "")])]),
    ]
    rows = [
        {"file_name": "data/1500.wav", column: 'ña¹, "b"\u2028', "speaker": "Ana", "age": 3},
        {"file_name": "20.mp3", column: ""},
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    table = f'file_name,{column},speaker,age\ndata\\1500.wav,"ña¹, ""b""\u2028",Ana,3\n20.mp3,,,\n'
    for text, name in ((lines, "metadata.jsonl"), (table, "metadata.csv")):
        documents, problems = metadata(tmp_path, text, name)
        assert held(documents) == truth
        assert problems == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"file_name": "broken.wav", "text": "a"}, "broken.wav: not a sound file"),
        ({"file_name": "1.wav", "text": None}, "has no text, transcription, sentence"),
        ({"file_name": "1.wav"}, "has no text, transcription, sentence"),
        ({"text": "a"}, "file_name '' is not a file in this folder"),
        ({"file_name": ["1.wav"], "text": "a"}, "is not a file in this folder"),
        ({"file_name": "../1.wav", "text": "a"}, "file_name '../1.wav' is not a file in this folder"),
        ({"file_name": "..\\1.wav", "text": "a"}, r"file_name '..\\1.wav' is not a file in this folder"),
        ({"file_name": "a" * 5000, "text": "a"}, f"file_name '{'a' * 79}…' is not a file in this folder"),
        ({"file_name": "/1.wav", "text": "a"}, "file_name '/1.wav' is not a file in this folder"),
    ],
)
def test_a_row_that_cannot_be_used_is_listed_and_the_rest_stays(row, problem, tmp_path):
    good = json.dumps({"file_name": "7.wav", "text": "x"})
    documents, (error,) = metadata(tmp_path, f"{good}\n\n{json.dumps(row)}\n")
    assert held(documents) == [("7.wav", [("transcription", "", [(0, 7, "x")])])]
    assert str(error).startswith(f"{tmp_path / 'metadata.jsonl'}: line 3: ")
    assert problem in str(error)
    with pytest.raises(U2UError) as caught:  # nor is anything else there
        metadata(tmp_path, json.dumps(row))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n", "has no row"),
        ('{"file_name": "1.wav", "text": "cut', "line 1: is not JSON"),
        ("[" * 100_000, "line 1: is not JSON"),
        ('["1.wav", "a"]', "line 1: is not of the form"),
        (r'{"file_name": "1.wav", "text": "a\ud800"}', "line 1: is not JSON"),
    ],
)
def test_metadata_that_is_none(text, message, tmp_path):
    with pytest.raises(U2UError) as caught:
        metadata(tmp_path, text)
    assert message in str(caught.value)
    with pytest.raises(U2UError, match="has no column file_name"):
        metadata(tmp_path, "audio,text\n1.wav,a\n", "metadata.csv")
