"""Texts without recordings, each format by a small file written by hand."""

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from u2u_hf.formats.texts import read_texts, suffixes
from u2u_hf.records import U2UError

FLEXTEXT = """<?xml version="1.0" encoding="utf-8"?>
<document version="2">
  <interlinear-text guid="1">
    <item type="title" lang="en">The dog</item>
    <paragraphs><paragraph><phrases>
      <phrase guid="2">
        <item type="txt" lang="nci">In  chichi
          tlacua.</item>
        <item type="segnum" lang="en">1</item>
        <words>
          <word><item type="txt" lang="nci">In</item><morphemes><morph><item type="txt" lang="nci">in-</item></morph>
          </morphemes><item type="gls" lang="en">the</item></word>
        </words>
        <item type="gls" lang="en">The dog eats.</item>
      </phrase>
      <phrase guid="3">
        <words>
          <word><item type="txt" lang="nci">Axcan</item><item type="gls" lang="en">today</item></word>
          <word><item type="txt" lang="nci">nican</item></word>
          <word><item type="punct" lang="nci">.</item></word>
        </words>
        <item type="txt" lang="en">Here today.</item>
      </phrase>
    </phrases></paragraph></paragraphs>
    <languages>LANGUAGES</languages>
  </interlinear-text>
</document>
"""

TOOLBOX = r"""\_sh v3.0  400  Text

\id dog
\ref dog.001
\tx In   chichi     tlacua
\mb in   chichi     tla- cua
\ge the  dog        it-  eat
\tx axcan.
\mb axcan
\ft The dog eats today.

\ref dog.002
\tx Nican
  cah.
\ft Here it is.
"""

DICTIONARY = r"""\_sh v3.0  400  MDF

\lx chichi
\ps n
\ge dog
\xv In chichi tlacua.
\xe The dog eats.

\lx calli
\ge house
"""


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_plain_text_is_read_line_by_line_in_usual_encodings(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        path = write(tmp_path, "a.TXT", "Ñandé “ka”.\r\nMi\r\n", encoding)
        assert read_texts(path) == {"": ["Ñandé “ka”.", "Mi", ""]}


def test_flextext_gives_the_baseline(tmp_path):
    vernacular = '<language lang="nci" vernacular="true"/><language lang="en"/>'
    path = write(tmp_path, "dog.flextext", FLEXTEXT.replace("LANGUAGES", vernacular))
    assert read_texts(path) == {"nci": ["In chichi tlacua."]}
    # The second phrase has an English text of its own here, which is taken for its baseline.
    path = write(tmp_path, "dog.flextext", FLEXTEXT.replace("LANGUAGES", ""))
    assert read_texts(path) == {"nci": ["In chichi tlacua."], "en": ["Here today."]}
    words = FLEXTEXT.replace('<item type="txt" lang="en">Here today.</item>', "")
    path = write(tmp_path, "dog.flextext", words.replace("LANGUAGES", vernacular))
    assert read_texts(path) == {"nci": ["In chichi tlacua.", "Axcan nican ."]}


def test_toolbox_lines_of_one_sentence_are_joined(tmp_path):
    path = write(tmp_path, "dog.txt", TOOLBOX)
    assert read_texts(path) == {"tx": ["In chichi tlacua axcan.", "Nican cah."]}
    old = TOOLBOX.replace("\\tx", "\\t").replace("\\ref", "\\n")  # no \ref: a blank line ends a sentence
    assert read_texts(write(tmp_path, "dog.sfm", old)) == {"t": ["In chichi tlacua axcan.", "Nican cah."]}


@pytest.mark.parametrize("marker", ["rf", "id", "utt"])
def test_toolbox_sentences_end_where_a_record_begins(tmp_path, marker):
    records = TOOLBOX.replace("\n\n", "\n").replace("\\ref", f"\\{marker}")
    assert read_texts(write(tmp_path, "dog.txt", records)) == {"tx": ["In chichi tlacua axcan.", "Nican cah."]}


def test_toolbox_dictionaries_give_headwords_and_examples(tmp_path):
    path = write(tmp_path, "words.db", DICTIONARY)
    assert read_texts(path) == {"lx": ["chichi", "calli"], "xv": ["In chichi tlacua."]}


def test_word_documents_give_paragraphs_and_columns(tmp_path):
    document = docx.Document()
    document.add_paragraph("In chichi tlacua.")
    document.add_paragraph("Axcan\nnican.")
    table = document.add_table(rows=2, cols=2)
    for row, words in zip(table.rows, (("chichi", "dog"), ("calli", "house")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    document.save(tmp_path / "a.docx")
    assert read_texts(tmp_path / "a.docx") == {
        "text": ["In chichi tlacua.", "Axcan", "nican."],
        "table 1, column 1": ["chichi", "calli"],
        "table 1, column 2": ["dog", "house"],
    }


def below(element, *fragments):
    """Put WordprocessingML before the last child of a body, or at the end of another element."""
    spaces = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    for fragment in fragments:
        new = parse_xml(f"<w:wrap {nsdecls('w')} {spaces}>{fragment}</w:wrap>")
        for child in list(new):
            if element.tag.endswith("}body"):
                element.insert(len(element) - 1, child)
            else:
                element.append(child)


def test_word_documents_give_tracked_changes_content_controls_and_text_boxes(tmp_path):
    def run(text):
        return f"<w:r><w:t>{text}</w:t></w:r>"

    document = docx.Document()
    below(
        document.element.body,
        # "In chichi tlacua": one word inserted, one deleted, one moved away; a smart tag; a tab stop is no tab.
        f'<w:p><w:pPr><w:tabs><w:tab w:val="left" w:pos="720"/></w:tabs></w:pPr>{run("In ")}<w:ins>{run("chichi ")}'
        f"</w:ins><w:del><w:r><w:delText>calli </w:delText></w:r></w:del><w:moveFrom>{run('axcan ')}</w:moveFrom>"
        f"<w:smartTag>{run('tlacua')}</w:smartTag></w:p>",
        f"<w:p>{run('Axcan')}<w:r><w:tab/><w:t>nican</w:t><w:br/><w:t>cah</w:t></w:r>"
        f"<w:sdt><w:sdtContent>{run('.')}</w:sdtContent></w:sdt></w:p>",
        f"<w:sdt><w:sdtContent><w:p>{run('Controlled')}</w:p></w:sdtContent></w:sdt>",
        f"<w:p>{run('Before')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:txbxContent><w:p>{run('Boxed')}"
        f"</w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p>{run('Boxed')}</w:p></w:txbxContent>"
        f"</mc:Fallback></mc:AlternateContent></w:r>{run(' after')}</w:p>",
    )
    document.save(tmp_path / "a.docx")
    assert read_texts(tmp_path / "a.docx") == {
        "text": ["In chichi tlacua", "Axcan\tnican", "cah.", "Controlled", "Before after", "Boxed"]
    }


def test_each_cell_of_a_word_document_is_read_once_in_its_column(tmp_path):
    document = docx.Document()
    table = document.add_table(rows=4, cols=2)
    for row, words in zip(table.rows, (("Words", ""), ("chichi", "dog"), ("", "hound"), ("calli", "")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(1, 0).merge(table.cell(2, 0))
    inner = table.cell(3, 1).add_table(rows=1, cols=1)
    inner.cell(0, 0).text = "house"
    document.save(tmp_path / "a.docx")
    found = {part: [line for line in lines if line] for part, lines in read_texts(tmp_path / "a.docx").items()}
    assert found == {
        "table 1, column 1": ["Words", "chichi", "calli"],
        "table 1, column 2": ["dog", "hound"],
        "table 2, column 1": ["house"],
    }


def test_word_lists_are_read_by_column(tmp_path):
    assert read_texts(write(tmp_path, "a.csv", "chichi\ncalli\n")) == {"": ["chichi", "calli"]}
    assert read_texts(write(tmp_path, "a.csv", "Word\nchichi\ncalli\n")) == {"": ["chichi", "calli"]}
    two = read_texts(write(tmp_path, "a.tsv", "nahuatl\tenglish\nchichi\tdog, hound\ncalli\t\n"))
    assert two == {"nahuatl": ["chichi", "calli"], "english": ["dog, hound"]}
    # Of utterances the text alone; in a word list the same names stand for IPA, or for an example.
    for utterances in ("audio,start,end,text\na.wav,0,1,in chichi\n", "file_name,text\na.wav,in chichi\n"):
        assert read_texts(write(tmp_path, "a.csv", utterances)) == {"text": ["in chichi"]}
    ipa = "word,transcription,gloss\nchichi,tʃitʃi,dog\n"
    assert read_texts(write(tmp_path, "a.csv", ipa)) == {
        "word": ["chichi"],
        "transcription": ["tʃitʃi"],
        "gloss": ["dog"],
    }
    example = "word,sentence\nchichi,In chichi tlacua.\n"
    assert read_texts(write(tmp_path, "a.csv", example)) == {"word": ["chichi"], "sentence": ["In chichi tlacua."]}
    for name in ("text", "sentence"):
        assert read_texts(write(tmp_path, "a.csv", f"{name}\nin chichi\n")) == {"": ["in chichi"]}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.pdf", "%PDF", r"not a kind of text that is read \(.flextext, .docx, .txt, .*save it as one"),
        ("a.docx", "no zip", r"is not a Word document, or a damaged one: save it again"),
        ("a.flextext", "<document>", r"is not XML .* can FLEx open it"),
        ("a.flextext", "<document/>", r"not a text of FLEx: export it again"),
        ("a.flextext", FLEXTEXT.replace('"txt"', '"x"').replace('"punct"', '"x"'), r"has no baseline"),
        ("a.flextext", '<!DOCTYPE a [<!ENTITY b "c">]><document/>', r"document type declaration"),
        ("a.sfm", "text", r"has no Toolbox markers \(\\tx …\): save it as plain text"),
        ("a.sfm", "\\ge dog\n\\ps n", r"none of the markers \\tx, .*; it has 'ge ps': rename one"),
        ("a.txt", "", r"is empty"),
        ("a.txt", "a\0b", r"is not a text file"),
        ("a.csv", 'a,b\n"c', r"is a quote not closed"),
        ("a.csv", "word\nka, mi\n", r"line 2: has 2 fields .* must be in quotes, or save the list as \.txt"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(tmp_path, name, content, problem):
    with pytest.raises(U2UError, match=problem) as error:
        read_texts(write(tmp_path, name, content))
    assert str(error.value).startswith(str(tmp_path / name))


def test_the_suffixes_of_all_readers_are_known():
    assert set(suffixes()) >= {".flextext", ".docx", ".txt", ".sfm", ".db", ".csv", ".tsv"}
