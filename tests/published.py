"""Files that `schemas/SOURCES.yaml` finds in Go modules, fetched by the Go client: `python -m tests.published FOLDER`.

A source with a `module` has its `files` in the `path` of the module's `commit`. They are put where `from` says, below FOLDER. What cannot be had is
made from the schemas that are there, and said.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dynagen.schema_import.crds import custom_resource_definitions
from tests.conftest import ROOT


def sources() -> Iterator[dict[str, Any]]:
    catalogue = yaml.safe_load((ROOT / "schemas/SOURCES.yaml").read_text("utf-8"))
    for entry in catalogue["sets"].values():
        yield from (source for source in entry["sources"] if "module" in source)


class NotHad(Exception):
    pass


def fetch(module: str, version: str) -> Path:
    """The folder that the client keeps the module in; its checksum is the client's affair."""
    go = shutil.which("go")
    if go is None:
        raise NotHad("go is not there")
    with tempfile.TemporaryDirectory() as folder:  # where no go.mod is, the client takes one of a parent
        Path(folder, "go.mod").write_text("module published\n")
        found = subprocess.run(
            [go, "mod", "download", "-json", f"{module}@{version}"], cwd=folder, capture_output=True, text=True
        )
    answer = json.loads(found.stdout or "{}")
    if found.returncode or "Dir" not in answer:
        raise NotHad(str(answer.get("Error") or found.stderr.strip()))
    return Path(answer["Dir"])


def put(source: dict[str, Any], version: str, into: Path) -> str:
    """Says what became of it. Our sets hold all that an import reads: what is made of them becomes the same again."""
    try:
        folder = fetch(source["module"], version) / source["path"]
    except NotHad as error:
        for definition in custom_resource_definitions(ROOT / "schemas", [into.name]):
            group, names = definition["spec"]["group"], definition["spec"]["names"]
            for name in {f"{group}_{names['plural']}.yaml", f"{names['singular']}-crd.yaml"} & set(source["files"]):
                (into / name).write_text(json.dumps(definition))
        return f"left as it is: {error}"
    for name in source["files"]:
        shutil.copyfile(folder / name, into / name)
    return f"{len(source['files'])} files"


def main(target: Path) -> None:
    for source in sources():
        version = source["commit"]
        into = target / source["from"]
        into.mkdir(parents=True, exist_ok=True)
        print(f"{source['module']}@{version}: {put(source, version, into)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
