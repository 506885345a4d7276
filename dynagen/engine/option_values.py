"""Whether an option takes a value: the kinds and words of facts/flags."""

from __future__ import annotations

from dynagen.diagnostics import Finding, closest, shortened
from dynagen.engine.options import Option, Parser, Section
from dynagen.engine.words import Word

# Said by a check of its own, with more to say.
_ELSEWHERE = ("--kv-transfer-config", "--disaggregation-mode")
_UNITS = "kmgtKMGT"


def value_problem(option: Option, name: str, word: Word, parser: Parser) -> tuple[str, Finding] | None:
    """`None` and nothing at all stand for no value with every engine."""
    text, kind = word.text, option.kind.rstrip("?.")
    if not word.known or text in ("", "None") or option.name in _ELSEWHERE:
        return None
    shown = shortened(text, 40)
    if option.words:
        if text in option.words or (text.isdigit() and str(int(text)) in option.words):
            return None
        near = closest(text, option.words)
        listed = option.words if len(option.words) <= 12 else [*option.words[:12], "..."]
        hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(listed)
        severity = "warning" if option.is_open else "error"
        section = next((part for part in parser.sections if part.option(option.name)), None)
        later = section.since(option.name, text) if section is not None and section.name == "dynamo" else ""
        if later:
            hint = f"{hint.removesuffix('?')}, or release {later} or later{'?' if near else ''}"
        return "DG632", Finding(word.path, f"'{name}' cannot be '{shown}'{_whose(parser, section)}", hint, severity)
    if kind in ("int", "float", "size") and not _is_number(text, kind):
        hints = {"int": "a whole number", "float": "a number", "size": "a whole number, or one such as 8k or 8K"}
        return "DG632", Finding(word.path, f"'{name}' is '{shown}', which is no number", hints[kind])
    if kind in ("json", "braces") and not _is_json(text, kind):
        hint = (
            "quotes around it are for a shell"
            if text[0] in "'\""
            else "keys and texts stand in double quotes, and no comma is last"
        )
        return "DG632", Finding(word.path, f"'{name}' is no JSON: {shortened(text, 60)}", hint)
    return None


def _whose(parser: Parser, section: Section | None) -> str:
    if section is None or not section.version:
        return ""
    return f" in release {section.version}" if section.name == "dynamo" else f", says {parser.title} {section.version}"


def _is_number(text: str, kind: str) -> bool:
    text = text.strip()
    if kind == "size" and (text.lower() == "auto" or text[-1:] in _UNITS):
        kind, text = "float", "1" if text.lower() == "auto" else text[:-1]
    try:
        float(text) if kind == "float" else int(text)
    except ValueError:
        return False
    return True


def _is_json(text: str, kind: str) -> bool:
    import json

    if kind == "braces" and not (text.strip().startswith("{") and text.strip().endswith("}")):
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        # vLLM reads 8k as a number there (_expand_json_human_readable_numbers).
        return text.strip()[:1] in "{[" and any(f"{digit}{unit}" in text for digit in "0123456789" for unit in _UNITS)
    return True
