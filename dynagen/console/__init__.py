"""What was found -> text for people and for machines. One file per format, with `render`; nobody lists them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dynagen.console.text import to_text
from dynagen.outcome import Outcome

__all__ = ["formats", "render", "to_text"]


def formats() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def render(outcome: Outcome, format: str) -> str:
    """The outcome in the format of this name. May hold lone surrogates, from file names that are not UTF-8."""
    text: str = import_module(f"dynagen.console.{format}").render(outcome)
    return text
