"""The text in the bytes of a researcher's file.

A file says its encoding only if it begins with a mark. UTF-8 is recognised for certain, because text in another encoding is not
valid in it. GB18030 is not: most texts of other encodings are valid in it, too. So what is read as GB18030 must look like Chinese, and
the notes of the network show its first names.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from functools import lru_cache

from sim.build.reading.quoted import quoted, some
from sim.network.fixed_points import NetworkError

__all__ = ["AS_CSV", "known_encoding", "text_in"]

AS_CSV = "save it as CSV in UTF-8"
#: What files begin with that say their encoding; a longer mark stands before a shorter one that it begins with.
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: Encodings of text that can be named. Other codecs of Python unpack archives, read code, or decode what no table is written in.
TEXT = re.compile(
    r"ascii|utf-(8(-sig)?|(16|32)(-[lb]e)?)|gb(2312|k|18030)|hz|big5(hkscs)?|shift_jis\w*|euc_\w+|iso2022_\w+|johab|cp\d+|iso8859-\d+"
    r"|koi8-\w|mac-\w+|kz1048|ptcp154|tis-620|hp-roman8"
)
#: Largest share of letters outside GB2312, the usual characters of Chinese, in a text that is taken for GB18030.
MOST_UNUSUAL = 0.2
OTHERS = "network.encoding=big5, network.encoding=latin-1 or network.encoding=shift_jis"


def text_in(raw: bytes, file: str, encoding: str) -> tuple[str, str]:
    """Return the text of a file without its mark, and its encoding.

    Parameters
    ----------
    raw : bytes
    file : str
        Its name, for messages.
    encoding : str
        The name of an encoding, which is obeyed. Or "auto": what the mark says; without a mark UTF-16, if that is certain, then UTF-8,
        then GB18030, if the text looks like Chinese.

    Raises
    ------
    NetworkError
        One line: what is wrong, and what to type.
    """
    if encoding == "auto":
        text, name = _recognised(raw, file)
    else:
        name = known_encoding(encoding)
        decoded = _decoded(raw, name)
        if decoded is None:
            raise NetworkError(f"{file}, row {_wrong_row(raw, name)} is not in {encoding}; {AS_CSV}, or set network.encoding=auto")
        text = decoded
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise NetworkError(f"{file}, row {row} holds binary data (a NUL byte); {AS_CSV}")
    return text.removeprefix("\ufeff"), name


def known_encoding(encoding: str) -> str:
    """Return Python's name of an encoding of text.

    Raises
    ------
    NetworkError
        If there is none of that name, or it is one of Python's codecs for other things.
    """
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError, TypeError):
        name = ""
    if not TEXT.fullmatch(name):
        raise NetworkError(
            f"network.encoding={quoted(str(encoding))} is no text encoding; leave it at auto, or use one such as utf-8, gb18030 or big5"
        )
    return name


def _recognised(raw: bytes, file: str) -> tuple[str, str]:
    """Return the text in bytes whose encoding is not set, and the encoding."""
    for mark, name in MARKS.items():
        if raw.startswith(mark):
            if (text := _decoded(raw, name)) is None:
                row = _wrong_row(raw, name)
                raise NetworkError(f"{file}, row {row} is not in {name.upper()}, whose mark the file begins with; {AS_CSV}")
            return text, name
    if b"\0" in raw:
        for name in ("utf-16-le", "utf-16-be"):
            if (text := _decoded(raw, name)) is not None and _is_table(text):
                return text, name
    for name in ("utf-8", "gb18030"):
        if (text := _decoded(raw, name)) is not None:
            if name == "gb18030":
                _refuse_other_than_chinese(text, file)
            return text, name
    raise NetworkError(
        f"{file}, row {_wrong_row(raw, 'gb18030')} is neither UTF-8 nor GB18030; {AS_CSV}, or say in what encoding it is: such as {OTHERS}"
    )


def _decoded(raw: bytes, name: str) -> str | None:
    try:
        return raw.decode(name)
    except UnicodeError:
        return None


def _wrong_row(raw: bytes, name: str) -> int:
    """Return the row of the first bytes that do not belong to an encoding."""
    try:
        raw.decode(name)
    except UnicodeDecodeError as error:
        return raw[: error.start].decode(name, "ignore").count("\n") + 1
    except UnicodeError:  # an encoding that does not say where
        pass
    return 1


def _is_table(text: str) -> bool:
    """Whether a text that was decoded as UTF-16 without a mark is a table for certain.

    Its first row must hold a comma, and each of its first characters must be one that exists. With the two bytes of each character in
    the wrong order, commas and line ends become other characters; and two bytes of another text nearly always do.
    """
    head, end, _ = text[:100_000].partition("\n")
    return bool(end) and "," in head and all(letter in "\t\r" or unicodedata.category(letter)[0] != "C" for letter in head)


@lru_cache(maxsize=1)
def _usual() -> frozenset[str]:
    """Return the 6,763 Chinese characters of GB2312."""
    pairs = (bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return frozenset(pair for pair in pairs if pair)


def _refuse_other_than_chinese(text: str, file: str) -> None:
    """Refuse a text that was read as GB18030 and holds too many characters that are unusual in Chinese.

    Texts in Latin-1, Big5 or Shift-JIS are often valid in GB18030, but give characters that are seldom or never used. Counted are letters
    and what no character is assigned to; not ASCII and its full-width forms, nor punctuation and signs, which say little.
    """
    counts = Counter("".join(re.findall("[^\0-\x7f\uff01-\uff5e]+", text)))
    letters = {letter: count for letter, count in counts.items() if unicodedata.category(letter)[0] in "LC"}
    unusual = sum(count for letter, count in letters.items() if letter not in _usual())
    total = sum(letters.values())
    if unusual > MOST_UNUSUAL * total:
        cells = (cell.strip() for cell in re.split(r'[",\r\n]', text) if not cell.isascii())
        raise NetworkError(
            f"{file} is not UTF-8, and read as GB18030 it holds {some(list(dict.fromkeys(cells))[:2])}: {unusual} of its {total} letters "
            f"are unusual in Chinese; say in what encoding it is: {OTHERS}, or network.encoding=gb18030 if these are right"
        )
