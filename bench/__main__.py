"""Times whole processes in turn, so that a machine that slows down slows them all, and prints ratios of medians."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.kustomize import EXAMPLE, ROOT, TREE
from dynagen.checking.kubeconform import locations
from dynagen.diagnostics import Report
from dynagen.plan import backends
from dynagen.profile import Request, find_library
from dynagen.text.source import parse
from tests import tools

RUNS = 15
MANY = 1000
DYNAGEN = str(Path(sys.executable).parent / "dynagen")
# The least that a profile says, and one with GKE's overlay, beside the example with all overlays.
HEAD = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nbackend: vllm\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-l4\n"
SMALL = {"without overlays": HEAD, "with gke": HEAD + "overlays: [gke]\n"}


def measure(command: list[str]) -> tuple[float, float, float]:
    """Wall time in milliseconds, the peak memory of the largest process in MiB, processor time in milliseconds."""
    start = time.perf_counter()
    process = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    wall = (time.perf_counter() - start) * 1000
    assert status == 0, command
    return wall, usage.ru_maxrss / 1024, (usage.ru_utime + usage.ru_stime) * 1000


def commands() -> dict[str, list[str]]:
    report = Report()
    source = parse(EXAMPLE.read_text("utf-8"), EXAMPLE.name, report)
    library = find_library(Request(source, [], EXAMPLE.parent, EXAMPLE.parent), backends.names(), [], report)
    release = library.facts["releases"][source[0].data["release"]]
    folders = library.schema_folders("1.35", release["crds"])
    kubectl = shutil.which("kubectl") or str(tools.path("kubectl"))
    kustomize = [kubectl, "kustomize", str(TREE / source[0].data["overlays"][-1])]
    conform = [str(tools.path("kubeconform")), "-strict", *locations(folders), "-"]
    # exec: the shell is replaced, and what it waits for counts as its child.
    pipe = f"set -o pipefail; {shlex.join(kustomize)} | {shlex.join(conform)}"
    return {
        "dynagen build": [DYNAGEN, "build", str(EXAMPLE)],
        "dynagen check": [DYNAGEN, "check", str(EXAMPLE)],
        "kubectl kustomize": kustomize,
        "kubectl kustomize | kubeconform": [shutil.which("bash") or "/bin/bash", "-c", pipe],
    }


def each_of_many() -> dict[str, float]:
    """Milliseconds of a processor that one more profile costs `dynagen check` in one process, for profiles that all differ."""
    example = EXAMPLE.read_text("utf-8").replace("metadata: {name: qwen3-32b,", "metadata: {name: model-NUMBER,")
    texts = {
        **{
            name: text + "metadata: {name: model-NUMBER}\nagg: {replicas: 2, gpus: 1}\n" for name, text in SMALL.items()
        },
        "with all overlays": example,
    }
    costs = {}
    for name, text in texts.items():
        with tempfile.TemporaryDirectory() as folder:
            times = []
            for count in (1, MANY):
                for number in range(count):
                    (Path(folder) / f"{number}.yaml").write_text(text.replace("NUMBER", str(number)))
                times.append(measure([DYNAGEN, "check", folder])[2])
            costs[name] = (times[1] - times[0]) / (MANY - 1)
    return costs


def main() -> None:
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    table = commands()
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in table}
    for round_ in range(RUNS + 1):
        for name, command in table.items():
            result = measure(command)
            if round_:  # the first warms the caches
                found[name].append(result)
    wall = {name: statistics.median(run[0] for run in runs) for name, runs in found.items()}
    memory = {name: statistics.median(run[1] for run in runs) for name, runs in found.items()}
    print(f"{sys.implementation.name} {sys.version}")
    print(f"{'':34}{'wall':>10}{'memory':>12}   median of {RUNS} runs in turn")
    for name in table:
        print(f"{name:34}{wall[name]:7.0f} ms{memory[name]:8.0f} MiB")
    print()
    ours, check, kustomize, both = table
    print(f"wall   dynagen / kustomize               {wall[ours] / wall[kustomize]:.2f}   (aim: at most 0.50)")
    print(f"wall   dynagen / kustomize + kubeconform {wall[ours] / wall[both]:.2f}   (aim: at most 0.35)")
    print(f"wall   dynagen check / build             {wall[check] / wall[ours]:.2f}   (aim: at most 1.50)")
    print(f"memory dynagen / kustomize               {memory[ours] / memory[kustomize]:.2f}   (aim: at most 0.45)")
    print(
        f"\ncheck of {MANY} profiles in one process: what each costs of a processor (aim: at most 4 ms with gke, 10 with all)"
    )
    cpu = statistics.median(run[2] for run in found[ours])
    for name, cost in each_of_many().items():
        print(f"  {name:32}{cost:7.1f} ms   {cost / cpu:.3f} of a build's")


if __name__ == "__main__":
    main()
