"""Files and texts of YAML in, plain data with the position of every value out: a fast reader first, ruamel.yaml in any doubt."""

from __future__ import annotations

from pathlib import Path

from dynagen.diagnostics import Position, Report
from dynagen.text.document import Document
from dynagen.text.opening import MAX_BYTES, TooLarge, read_bytes, read_stream, reason
from dynagen.text.paths import is_file
from dynagen.text.plain_yaml import read_plain
from dynagen.text.scalars import parse_for_kubernetes, parse_plain


def read(
    path: Path, shown: str, report: Report, only_regular: bool = False, limit: int = MAX_BYTES, home: Path | None = None
) -> str | None:
    """The text of a file of UTF-8. `shown` is the name used in messages. Reports DG101 to DG103.

    With `only_regular` a pipe or a device is refused: nobody would ever write into it. A pipe with a name is refused
    anyway; what a shell passes as /dev/fd/63 is not. A file below a `home` is a regular one, also after its links are followed.
    """
    at = Position(shown)
    try:
        if only_regular or home is not None or is_file(path):
            raw = read_bytes(path, limit, home)
        elif path.is_fifo() and not str(path).startswith(("/dev/", "/proc/")):
            hint = "write '-' to read standard input"
            report.add("DG101", f"cannot read '{shown}': not a regular file", at, hint)
            return None
        else:
            raw = read_stream(path, limit)
    except TooLarge:
        report_size(shown, report, limit)
        return None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        report.add("DG101", f"cannot read '{shown}': {reason(error)}", at)
        return None
    return decode(raw, shown, report, limit)


def decode(raw: bytes, shown: str, report: Report, limit: int = MAX_BYTES) -> str | None:
    if len(raw) > limit:
        report_size(shown, report, limit)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        line, column = good.count("\n") + 1, len(good) - (good.rfind("\n") + 1) + 1
        report.add(
            "DG103", f"not UTF-8: byte 0x{raw[error.start]:02x}", Position(shown, line, column),
            hint="save the file as UTF-8",
        )  # fmt: skip
        return None


def report_size(shown: str, report: Report, limit: int = MAX_BYTES) -> None:
    hint = "this is no profile or layer file" if limit == MAX_BYTES else "split it"
    report.add("DG102", f"larger than {limit // 1024} KiB", Position(shown), hint)


def parse(text: str, file: str, report: Report, for_kubernetes: bool = False) -> list[Document]:
    """The documents of a YAML text. What is wrong goes to `report`; a document with an error is left out.

    With `for_kubernetes` octal modes, dates, numbers as keys, merge keys and tabs behind values are read as kubectl reads
    them, which nobody else will.
    """
    if for_kubernetes and "\n\ufeff" in text:  # files with byte order marks, one after the other
        text = text.replace("\n\ufeff", "\n")
    found = read_plain(text, parse_for_kubernetes if for_kubernetes else parse_plain)
    if found is not None:
        if "dynagen:" in text:
            from dynagen.text.silences import read_silences

            read_silences(text, file, report)
        return [Document(file, data, marks) for data, marks in found]
    from dynagen.text.exact_yaml import parse_exactly

    return parse_exactly(text, file, report, for_kubernetes)
