"""Texts for CEL rules, where CEL's own function is not that of Kubernetes."""

from __future__ import annotations


def substring(text: str, start: int, end: int | None = None) -> str:
    """cel-expr-python 0.1.3 refuses the end of a text as the end of a part, and offsets behind it; CEL in Go does not."""
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"index out of range: {start}, {end}")
    return text[start:end]
