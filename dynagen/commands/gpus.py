"""`dynagen gpus`: the GPUs that are known, and the machines that have them."""

from __future__ import annotations

from typing import Any

import click

from dynagen.commands._tables import format_option, has_all, print_rows, text_of, words_argument


@click.command()
@words_argument
@format_option
def gpus(words: tuple[str, ...], format_: str) -> None:
    """List the GPUs that are known: memory in GiB, compute capability, formats, machine types on GKE, whether there is Spot, and
    in how many zones they were offered.

    With WORDs, those whose name, formats or machines have all of them.

    \b
      dynagen gpus
      dynagen gpus fp4 a4-highgpu
    """
    from dynagen.diagnostics import Report
    from dynagen.layers.finding import base_layer, gke_layer
    from dynagen.memory import Memory
    from dynagen.profile.facts import load_facts

    memory = Memory()
    facts = load_facts([base_layer(memory), gke_layer(memory)], Report())
    rows = [_row(name, gpu, facts["zones"]) for name, gpu in facts["gpus"].items()]
    rows.sort(key=lambda row: (row["memoryGiB"], row["gpu"]))
    found = [row for row in rows if has_all(" ".join(map(str, row.values())), words)]
    print_rows(found, dict.fromkeys(rows[0], text_of), format_)


def _row(name: str, gpu: dict[str, Any], zones: dict[str, Any]) -> dict[str, Any]:
    machines = gpu.get("machines", [])
    offered = {
        zone
        for machine in machines
        for prefix, where in zones["machines"].items()
        if machine["type"].startswith(prefix)
        for zone in where
    }
    precision = {"bf16": float(gpu["computeCapability"]) >= 8, "fp8": gpu["fp8"], "fp4": gpu["fp4"]}
    return {
        "gpu": name,
        "memoryGiB": gpu["memoryGiB"],
        "capability": gpu["computeCapability"],
        "formats": ["fp16", *(each for each, there in precision.items() if there)],
        "spot": "yes" if any(machine["spot"] for machine in machines) else "no",
        "zones": len(offered) or None,
        "regions": len(zones["gpus"].get(name, ())) or None,
        "rdma": "yes" if gpu.get("rdma") else "no",
        "machines": [f"{machine['type']} ({machine['gpus']})" for machine in machines],
    }
