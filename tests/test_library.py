"""Walks over everything: what has to have a page, a case or a source does have one."""

from __future__ import annotations

import re
from pathlib import Path

from dynagen.diagnostics import Position, Report
from dynagen.layers.finding import base_layer, documents, files, find_overlay, shipped_overlays
from dynagen.memory import Memory
from tests.conftest import ROOT

CODE = re.compile(r"\bDG[0-9]{3}\b")
LAYERS = [
    base_layer(Memory()),
    *(find_overlay(name, Position(""), Path(), Path(), Report(), Memory()) for name in shipped_overlays()),
]


def codes_in(*paths: Path) -> set[str]:
    return {code for path in paths for code in CODE.findall(path.read_text("utf-8"))}


USED = {
    code for path in (ROOT / "dynagen").rglob("*.py") for code in re.findall(r'"(DG[0-9]{3})"', path.read_text("utf-8"))
} | {
    code
    for path in (ROOT / "dynagen/verify").rglob("rules.yaml")
    for code in re.findall(r"^  (DG[0-9]{3}):", path.read_text("utf-8"), re.MULTILINE)
}


def test_every_code_is_described() -> None:
    assert {path.stem for path in (ROOT / "dynagen/rules").glob("DG*.yaml")} == USED


def test_every_code_is_provoked_by_a_case_or_a_test() -> None:
    complaints = [
        path for name in ("expected.txt", "changes.txt") for path in (ROOT / "tests/cases").glob(f"*/*/{name}")
    ]
    cases = {code for path in complaints for code in re.findall(r"\[(DG[0-9]{3})\]", path.read_text("utf-8"))}
    tests = codes_in(*(ROOT / "tests").rglob("test_*.py"))
    assert USED - cases - tests == set()


def test_every_shipped_layer_is_readable() -> None:
    report = Report()
    for layer in LAYERS:
        assert layer is not None
        assert documents(layer, "layer.yaml", report)[0].data["description"]
        for folder in ("resources", "patches", "external", "facts"):
            for name in files(layer, folder):
                assert documents(layer, name, report), name
    assert report.diagnostics == []


def test_every_file_of_facts_names_its_source() -> None:
    for layer in LAYERS:
        assert layer is not None
        for name in files(layer, "facts"):
            assert "# source" in (layer.folder / name).read_text("utf-8"), f"{layer.shown}/{name}"


def test_every_shipped_overlay_is_used_by_an_example() -> None:
    used = " ".join(path.read_text("utf-8") for path in (ROOT / "examples").glob("*.yaml"))
    for name in shipped_overlays():
        assert name in used


def test_the_documents_show_output_that_is_true() -> None:
    """Links in the documents lead somewhere."""
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
