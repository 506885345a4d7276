"""Many profiles in one process come out as each alone: what is kept from one for the next changes nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.console.formats.text import to_text
from dynagen.diagnostics import Report
from dynagen.manifests.yaml import to_stream
from dynagen.memory import Memory
from dynagen.origins.other_values import alternatives
from dynagen.text.source import parse
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
OF_EACH = 30
ALONE = 6
# Reads what shipped layers do not: keys of maps that may be missing, items of a loop beside the names outside of it.
LAYER = {
    "schema.json": json.dumps(
        {"type": "object", "properties": {"channel": {"type": "string"}, "sizes": {"type": "array", "default": [1, 2]}}}
    ),
    "resources/of-workers.yaml": """forEach: {worker: "${workers}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "${metadata.name}-${worker.name}-notes", labels: {gpu: "${gpu.name}"}}
data:
  channel: "${has(team.channel) ? team.channel : 'none of ' + metadata.namespace}"
  sizes: ${string(size(team.sizes)) + '-' + string(worker.replicas)}
  sum: ${string(team.sizes.map(each, each * worker.gpus).size())}
""",
    "patches/when.yaml": """when: ${has(team.channel) && team.sizes.exists(each, each == 2)}
---
kind: ConfigMap
data: {when: "${team.channel}"}
""",
}


def profiles(home: Path) -> list[tuple[Path, str]]:
    """Changed examples, as JSON, most of which are good: each beside the file that it was made of."""
    found: list[tuple[Path, str]] = []
    for number, file in enumerate(EXAMPLES):
        report = Report()
        compilation = compile_profile(
            Request(parse(file.read_text("utf-8"), file.name, report), [], home, home), report
        )
        assert compilation.profile
        several = [data for _, data in alternatives(compilation.profile.data, compilation.library.schema)]
        for data in random.Random(number).sample(several, OF_EACH):
            found.append((home / f"{file.stem}-{len(found)}.yaml", json.dumps(data)))
            team = {"channel": "blue"} if len(found) % 3 else {"sizes": [len(found) % 5]}
            own: dict[str, Any] = {**data, "overlays": [*data.get("overlays", []), "./team"], "team": team}
            found.append((home / f"{file.stem}-{len(found)}.yaml", json.dumps(own)))
    return found


def built(file: Path, text: str, memory: Memory) -> tuple[str, str]:
    """Standard output and standard error of `build`, without its last line, which counts."""
    report = Report()
    compilation = compile_profile(
        Request(parse(text, file.name, report), [], file.parent, file.parent, memory=memory), report
    )
    said = to_text(report.diagnostics, {})
    return "" if report.failed else to_stream(compilation.manifests), said


def test_many_profiles_come_out_as_each_alone(tmp_path: Path) -> None:
    for name, text in LAYER.items():
        (tmp_path / "team" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "team" / name).write_text(text, "utf-8")
    several = profiles(tmp_path)
    first = {file: built(file, text, Memory()) for file, text in several}  # nothing is remembered from one to the next
    memory = Memory()
    order = list(several)
    random.Random(1).shuffle(order)
    for file, text in order:
        assert built(file, text, memory) == first[file], f"{file.name} comes out otherwise after other profiles: {text}"
    outputs = [output for output, _ in first.values() if output]
    assert len(outputs) > len(several) / 2
    assert len(set(outputs)) > len(outputs) * 0.75  # most changes make a difference
    for file, text in random.Random(2).sample(several, ALONE * len(EXAMPLES)):
        file.write_text(text, "utf-8")
        command = [sys.executable, "-m", "dynagen", "build", file.name]
        alone = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        output, said = first[file]
        assert alone.stdout == output
        assert [line for line in said.splitlines() if "[DG" in line] == [
            line for line in alone.stderr.splitlines() if "[DG" in line
        ]
