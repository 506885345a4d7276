"""How each engine is started. One file per backend; the file's name is what the profile says.

A backend's file offers `MODULE`, the Python module that Dynamo starts, `IMAGE`, the name of its runtime image, `MEMORY_SHARE`,
`arguments(launch)`, `setting(demand)`: what the engine does with the memory of a GPU, and for each key that engines spell differently:

- `OWN_FLAGS`: the flags that dynagen sets itself, and where the profile says them instead.
- `BLOCK_SIZE`: the flag for `blockSize`; `block_size_problem(size, arguments)`: why a size is none, empty if it is one.
- `METHODS` of `speculative`, each with the engine's word and the first release that has it; `SPECULATIVE_FLAGS`, which say the same;
  `speculative_problem(wish, layout, block_size, arguments, release)`: why the engine does not guess that way, with a hint.
- `OFFLOAD_FLAGS`, which say the same as `kvOffload`; `offload_problem(role, release)`: why the engine does not do it, with a hint.
- `CACHES`: the variables that lead what it compiles to folders of `compilationCache`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from dynagen.plan.fit.gpu_memory import Layout
from dynagen.text.versions import Version


class Speculative(NamedTuple):
    """How tokens are guessed: `method` in the profile's words; `model` None where no other model guesses."""

    method: str
    tokens: int
    model: str | None = None


class Launch(NamedTuple):
    """What a worker's command line follows from. `role` is `agg`, `prefill` or `decode`.

    `context` is the longest sequence, None for the model's own; `concurrency` None for the engine's own.
    `kv_events`: the frontend wants to hear what is cached, and the profile does not say how. `kv_offload` are bytes of memory for
    KV cache, of all nodes of the worker.
    """

    model: str
    served_model_name: str
    release: Version
    role: str
    layout: Layout
    context: int | None = None
    concurrency: int | None = None
    revision: str | None = None
    kv_events: bool = False
    block_size: int | None = None
    speculative: Speculative | None = None
    kv_offload: int = 0


class Demand(NamedTuple):
    """What the memory of a worker's GPU depends on. `memory` is that of one GPU, in bytes, as CUDA sees it.

    `arguments` are the profile's own for the engine; `is_latent` says that attention is (MLA).
    """

    release: Version
    role: str
    layout: Layout
    arguments: Sequence[str]
    memory: float
    gpu: str
    concurrency: int | None
    is_latent: bool
    has_experts: bool


def names() -> list[str]:
    """The backends there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def memory_share(name: str) -> tuple[str, tuple[float, ...]]:
    """The flag for the share of a GPU's memory that an engine may use, and shares above its own with which it still runs."""
    found: tuple[str, tuple[float, ...]] = load(name).MEMORY_SHARE
    return found


def load(name: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"dynagen.plan.backends.{name}")
