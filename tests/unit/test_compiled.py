"""What was compiled when the package was built is what the files say, and counts only while they say it."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from dynagen.compiled import reading, writing
from dynagen.compiled.reading import facts_of, look_up
from dynagen.compiled.writing import write_all
from dynagen.crd_rules.rule_nodes import find_rule_paths, parts_at
from dynagen.diagnostics import Position, Report
from dynagen.layers.finding import Layer, base_layer, documents, fact_files, files
from dynagen.memory import Memory
from dynagen.profile.facts import fact_tree, load_facts
from dynagen.schema.conformance import Source, read_source
from dynagen.text.paths import SCHEMAS
from tests.conftest import MEMORY, ROOT

EXAMPLE = "tests/cases/good/sglang-disagg-model-cache/profile.yaml"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is compiled when the package is built; it takes a second."""
    folder = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        for module in (reading, writing):
            patch.setattr(module, "FOLDER", folder)
        write_all()
    return folder


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of its own, empty at first."""
    for module in (reading, writing):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def test_a_build_is_the_same_with_and_without_it(store: Path, written: Path, dynagen) -> None:  # type: ignore[no-untyped-def]
    MEMORY.forget()
    without = dynagen("build", EXAMPLE)
    copytree(written, store, dirs_exist_ok=True)
    MEMORY.forget()
    assert dynagen("build", EXAMPLE) == without
    assert without.code == 0
    assert reading.open_store("base", Memory())["layer.yaml"]


def test_documents_are_the_same_with_and_without_it(store: Path, written: Path) -> None:
    names = [name for folder in ("resources", "patches", "facts") for name in files(base_layer(Memory()), folder)]

    def read(layer: Layer) -> dict[str, list[tuple[object, list[int]]]]:
        return {name: [(each.data, each.marks) for each in documents(layer, name, Report())] for name in names}

    without = read(base_layer(Memory()))
    copytree(written, store, dirs_exist_ok=True)
    assert read(base_layer(Memory())) == without


def test_an_edited_file_is_parsed_anew(store: Path, written: Path) -> None:
    copytree(written, store, dirs_exist_ok=True)
    text = (ROOT / "base/layer.yaml").read_text("utf-8")
    assert look_up("base", "layer.yaml", text, Memory()) is not None
    assert look_up("base", "layer.yaml", text + "\n", Memory()) is None
    assert look_up("base", "layer.yaml", text.replace("graph", "grahp"), Memory()) is None


def test_a_broken_store_is_no_store(store: Path) -> None:
    (store / "base.json").write_text("{")
    assert look_up("base", "layer.yaml", "", Memory()) is None


@pytest.mark.slow
def test_the_store_is_written_the_same_every_time(store: Path) -> None:
    write_all()
    first = {path.name: path.read_bytes() for path in store.iterdir()}
    write_all()
    assert {path.name: path.read_bytes() for path in store.iterdir()} == first
    layers = {"base.json", "overlays-gke.json", "overlays-istio.json", "overlays-monitoring.json"}
    assert {*layers, "table-verify-references-table.json"} <= first.keys()
    assert "base-facts-models-Qwen.json" in first  # looked up by itself
    assert {"rules-dynamo-1.5.json", "rules-gateway-api.json", "rules-istio.json"} <= first.keys()


@pytest.mark.parametrize("is_compiled", [False, True])
def test_shipped_facts_are_merged_as_all_facts_are(store: Path, written: Path, is_compiled: bool) -> None:
    from dynagen.layers.finding import find_overlay, shipped_overlays
    from dynagen.trees.nodes import to_data

    if is_compiled:
        copytree(written, store, dirs_exist_ok=True)
    overlays = [find_overlay(name, Position(""), Path(), Path(), Report(), Memory()) for name in shipped_overlays()]
    found = [base_layer(Memory()), *(layer for layer in overlays if layer)]
    assert load_facts(found, Report()) == to_data(fact_tree(found, Report()))


def test_merged_facts_count_only_while_their_files_say_the_same(store: Path, written: Path) -> None:
    copytree(written, store, dirs_exist_ok=True)
    files_of_base = [(f"base/{name}", (ROOT / "base" / name).read_bytes()) for name in fact_files(base_layer(Memory()))]
    assert facts_of(files_of_base) == load_facts([base_layer(Memory())], Report())
    (name, text), *others = files_of_base
    assert facts_of([(name, text + b"\n"), *others]) is None
    assert facts_of(others) is None


@pytest.mark.parametrize("name", ["dynamo-1.3", "dynamo-1.5", "gateway-api"])
def test_the_store_of_a_set_has_the_rules_that_stand_in_parts_of_several_sets(written: Path, name: str) -> None:
    def opened(file: Path) -> Source:
        return read_source(file, opened)

    found = set()
    for file in (SCHEMAS / name).rglob("*.json"):
        source = opened(file)
        for path in find_rule_paths(source.schema, source):
            for schema, _ in parts_at(source.schema, source, path):
                found |= {rule["rule"] for rule in schema.get("x-kubernetes-validations", ())}
    store = json.loads((written / f"rules-{name}.json").read_bytes())
    assert found and found <= {text for text, *_ in store["rules"]}
