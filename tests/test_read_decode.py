"""Bytes become exactly the text that they are, or a reason why they are none."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsearch.errors import ReadError
from semsearch.read.decode import decode

SERBIAN = "Čovek je došao u Beograd, gde će žiteljima đačke škole govoriti o izborima."
ALBANIAN = "Presidenti tha se marrëveshja për çështjen e targave është një hap përpara, i pari këtë vit."
SAMPLES = [
    ("cp1252", "Der Bundestag hat am Donnerstag über die Rüstungshilfe abgestimmt; große Mehrheit."),
    ("cp1252", "Perché il governo è caduto? La città è divisa, più di metà degli elettori non sa cosa farà."),
    ("cp1252", "The minister said “we’re done” on Tuesday – and left."),
    ("cp1252", "He studied in Besançon for a year, and then at home."),
    ("cp1252", ALBANIAN),
    ("cp1250", SERBIAN),
    ("iso8859-2", SERBIAN),
    ("cp1251", "Човек је дошао у Београд, где ће житељима говорити о изборима."),
    ("iso8859-5", "Президент России выступил с обращением к нации."),
    ("koi8-r", "Президент России выступил с обращением к нации."),
    ("cp1253", "Ο πρωθυπουργός μίλησε σήμερα στη Βουλή για τις διαπραγματεύσεις."),
    ("cp1254", "Türkiye Cumhurbaşkanı bugün İstanbul’da konuştu, dışişleri bakanı da şöyle dedi."),
    ("cp1255", "ראש הממשלה נאם היום בכנסת על המשא ומתן."),
    ("cp1256", "ألقى الرئيس خطابا اليوم أمام البرلمان."),
    ("gb18030", "中国外交部发言人周三表示，双方将继续谈判。"),
    ("shift_jis", "首相は水曜日、国会で演説した。経済政策について述べた。"),
    ("euc_kr", "대통령은 수요일 국회에서 연설했다."),
]
PIECES = st.sampled_from(["\r\n", "\r", "\n", "e\u0301", "😀", "👩‍👩‍👧", "שלום", "安全", "\u2028", "\x85", "\t", " "])
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))).map("".join)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_utf8_round_trips(text: str) -> None:
    """Every character of a UTF-8 file is in the text, line ends and all."""
    assert decode(codecs.BOM_UTF8 + text.encode()) == text
    if not text.startswith("\ufeff"):
        assert decode(text.encode()) == text


@given(TEXTS, st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]))
@settings(max_examples=100, deadline=None)
def test_a_byte_order_mark_decides(text: str, encoding: str) -> None:
    """UTF-16 and UTF-32 are known by their mark, which is no part of the text."""
    assert decode(("\ufeff" + text).encode(encoding)) == text


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: codecs.BOM_UTF16_LE + data))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_text_or_a_reason(data: bytes) -> None:
    """Nothing else is raised, and what comes out could be stored: no NUL, no lone surrogate."""
    try:
        text = decode(data)
    except ReadError:
        return
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    "text",
    ["a\r\nb\r\n", "a\rb\r", "a\nb", "no final newline", "e\u0301 😀 👩‍👩‍👧", "עברית ו-English", "安全真空。", ""],
)
def test_text_is_kept_to_the_character(text: str) -> None:
    """Line ends, combining marks, emoji, right to left, CJK."""
    assert decode(text.encode()) == text


@pytest.mark.parametrize(("encoding", "text"), SAMPLES)
def test_legacy_encodings_are_recognised(encoding: str, text: str) -> None:
    """What old programs wrote is read, from a single sentence and from a long text."""
    assert decode(text.encode(encoding)) == text
    assert decode((text + "\r\n").encode(encoding) * 30) == (text + "\r\n") * 30


def test_what_a_file_declares_comes_before_a_guess_but_after_the_mark() -> None:
    """A page that says what it is written in is believed."""
    assert decode("čaša".encode("cp1250"), "windows-1250") == "čaša"
    assert decode("čaša".encode("iso8859-2"), "ISO-8859-2") == "čaša"
    assert decode(codecs.BOM_UTF8 + "čaša".encode(), "windows-1250") == "čaša"


def test_the_name_of_a_subset_stands_for_what_is_written_under_it() -> None:
    """Quotes of Windows in a page that calls itself Latin 1 are quotes, as in every browser."""
    assert decode(b"\x93Yes\x94", "iso-8859-1") == "“Yes”"
    assert decode("朱镕基".encode("gb18030"), "gb2312") == "朱镕基"


@pytest.mark.parametrize(
    "declared", ["utf-8", "utf-7", "rot13", "unicode_escape", "no-such-encoding", "cp037", "iso8859-2"]
)
def test_a_false_declaration_is_passed_over(declared: str) -> None:
    """An unknown, unsafe or wrong one does not spoil what can be recognised."""
    text = "Er sagte „Über alles“ und ging – über die Straße nach Österreich, wo er später wohnte."
    assert decode(text.encode("cp1252"), declared) == text


@pytest.mark.parametrize(
    "data",
    [
        b"abc\0def",
        b"\x89PNG\r\n\x1a\n\0\0",
        bytes(range(1, 32)) * 20 + b"\xff",
        b"\xef\xbb\xbfa\0b",
        "a\0".encode("utf-16"),
    ],
)
def test_binary_data_is_refused_as_such(data: bytes) -> None:
    """NUL characters and control characters are no text."""
    with pytest.raises(ReadError, match=r"^binary data, not text$"):
        decode(data)


def test_noise_is_in_no_encoding() -> None:
    """Bytes that make no words in any encoding are not made into some."""
    noise = random.Random(7)
    for size in (30, 300, 3000):
        data = bytes(noise.choice([*range(0x20, 0x7F), *range(0x80, 0x100)]) for _ in range(size))
        with pytest.raises(ReadError, match="neither UTF-8 nor a known legacy encoding"):
            decode(data)


def test_damaged_utf8_is_refused_rather_than_garbled() -> None:
    """A torn character is not a reason to read the rest as something else."""
    with pytest.raises(ReadError, match="UTF-8 with damaged characters"):
        decode(SERBIAN.encode()[:-1] + "š".encode()[:1])


@pytest.mark.parametrize(("mark", "name"), [(codecs.BOM_UTF8, "UTF-8"), (codecs.BOM_UTF16_LE, "UTF-16")])
def test_a_mark_that_lies_is_an_error(mark: bytes, name: str) -> None:
    """A file that says it is Unicode and is not is damaged."""
    with pytest.raises(ReadError, match=f"marked as {name} but damaged"):
        decode(mark + b"\xff\xfe\xdb")
