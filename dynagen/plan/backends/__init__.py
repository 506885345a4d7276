"""How each engine is started. One file per backend; the file's name is what the profile says.

A backend's file offers

- `MODULE`, the Python module that Dynamo starts, and `IMAGE`, the name of its runtime image;
- `arguments(launch)`; `OWN_FLAGS`, those that dynagen sets itself and where the profile says them instead;
- `setting(demand)`: what the engine does with the memory of a GPU, and `MEMORY_SHARE`, the flag for it;
- `SHARED_MEMORY_GIB`, the /dev/shm that it wants;
- `BLOCK_SIZE`, the flag for the size of a KV cache's block, and `block_size_problem(size, arguments)`: why a size is none;
- `METHODS` of speculative decoding, with the engine's word and the first release that has it, `SPECULATIVE_FLAGS`, which say the
  same as `speculative`, and `speculative_problem(wish, layout, block_size, arguments, release)`: why not, with a hint;
- `OFFLOAD_FLAGS`, which say the same as `kvOffload`, and `offload_problem(role, release)`: why not, with a hint;
- `CACHES`, the variables that lead what it compiles to folders of a compilation cache;
- where it has a file of its own, `settings(launch)`, what dynagen says in it, and `OWN_SETTINGS` beside `OWN_FLAGS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

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
    `kv_events`: the frontend wants to hear what is cached, and the profile does not say how; `metrics`: somebody asks for them.
    `longest` is the longest sequence in any case, None for a model that nobody knows. `kv_offload` are bytes of memory for KV cache,
    of all nodes of the worker.
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
    metrics: bool = False
    longest: int | None = None
    block_size: int | None = None
    speculative: Speculative | None = None
    kv_offload: int = 0


class Demand(NamedTuple):
    """What the memory of a worker's GPU depends on. `memory` is that of one GPU, in bytes, as CUDA sees it.

    `arguments` and `config` are the profile's own for the engine; `is_latent` says that attention is (MLA).
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
    config: Mapping[str, Any] = MappingProxyType({})


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
