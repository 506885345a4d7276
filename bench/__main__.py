"""Times whole processes in turn, so that a machine that slows down slows them all, and prints ratios of medians."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import sys
import time
from pathlib import Path

from bench.kustomize import EXAMPLE, ROOT, TREE
from dynagen.diagnostics import Report
from dynagen.kubeconform import locations
from dynagen.library import find_library
from dynagen.plan import backends
from dynagen.source import parse
from tests import tools

RUNS = 15


def measure(command: list[str]) -> tuple[float, float]:
    """Wall time in milliseconds and the peak memory of the largest process in MiB."""
    start = time.perf_counter()
    process = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    wall = (time.perf_counter() - start) * 1000
    assert status == 0, command
    return wall, usage.ru_maxrss / 1024


def commands() -> dict[str, list[str]]:
    report = Report()
    source = parse(EXAMPLE.read_text("utf-8"), EXAMPLE.name, report)
    library = find_library(source, [], EXAMPLE.parent, EXAMPLE.parent, backends.names(), [], report)
    release = library.facts["releases"][source[0].data["release"]]
    folders = library.schema_folders("1.35", release["crds"])
    kubectl = shutil.which("kubectl") or str(tools.path("kubectl"))
    kustomize = [kubectl, "kustomize", str(TREE / source[0].data["overlays"][-1])]
    conform = [str(tools.path("kubeconform")), "-strict", *locations(folders), "-"]
    # exec: the shell is replaced, and what it waits for counts as its child.
    pipe = f"set -o pipefail; {shlex.join(kustomize)} | {shlex.join(conform)}"
    return {
        "dynagen build": [str(Path(sys.executable).parent / "dynagen"), "build", str(EXAMPLE)],
        "kubectl kustomize": kustomize,
        "kubectl kustomize | kubeconform": [shutil.which("bash") or "/bin/bash", "-c", pipe],
    }


def main() -> None:
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    table = commands()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in table}
    for round_ in range(RUNS + 1):
        for name, command in table.items():
            result = measure(command)
            if round_:  # the first warms the caches
                found[name].append(result)
    wall = {name: statistics.median(time for time, _ in runs) for name, runs in found.items()}
    memory = {name: statistics.median(peak for _, peak in runs) for name, runs in found.items()}
    print(f"{'':34}{'wall':>10}{'memory':>12}   median of {RUNS} runs in turn")
    for name in table:
        print(f"{name:34}{wall[name]:7.0f} ms{memory[name]:8.0f} MiB")
    print()
    ours, kustomize, both = table
    print(f"wall   dynagen / kustomize               {wall[ours] / wall[kustomize]:.2f}   (aim: at most 0.60)")
    print(f"wall   dynagen / kustomize + kubeconform {wall[ours] / wall[both]:.2f}   (aim: at most 0.35)")
    print(f"memory dynagen / kustomize               {memory[ours] / memory[kustomize]:.2f}   (aim: at most 0.60)")


if __name__ == "__main__":
    main()
