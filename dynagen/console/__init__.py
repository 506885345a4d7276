"""What was found, what there is to say about it, and how: one file per format in `formats/`, with `render`; nobody lists them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from dynagen.console.formats.text import to_text
from dynagen.console.outcome import Outcome

__all__ = ["format_names", "render", "to_text"]


def format_names() -> list[str]:
    return sorted(
        path.stem for path in (Path(__file__).parent / "formats").glob("*.py") if not path.stem.startswith("_")
    )


def render(outcome: Outcome, format: str) -> str:
    """The outcome in the format of this name. May hold lone surrogates, from file names that are not UTF-8."""
    text: str = import_module(f"dynagen.console.formats.{format}").render(outcome)
    return text
