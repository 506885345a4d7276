"""The models that are known by name, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from dynagen.diagnostics import Report
from dynagen.layers.finding import base_layer
from dynagen.memory import Memory
from dynagen.plan.fit.gpu_memory import GIB, Layout, Setting, weights
from dynagen.plan.fit.models import known_config
from dynagen.plan.fit.quantization import quantization_of
from dynagen.plan.fit.shape import Shape, shape_of
from dynagen.profile.facts import look_up_facts


class Listed(NamedTuple):
    """`billions` is the published number of parameters, `weightsGiB` what they take when one GPU has them all."""

    model: str
    billions: float
    precision: str
    context: int
    weightsGiB: float
    experts: int | None
    type: str


def listed_models(wanted: Callable[[str], bool]) -> Iterator[Listed]:
    """Those of which `wanted` says yes to name and precision, by name."""
    layer = base_layer(Memory())

    @cache
    def look_up(folder: str, name: str) -> Mapping[str, Any]:
        return look_up_facts([layer], folder, name, Report())

    for owner in sorted(look_up("models", ""), key=str.lower):
        for name in sorted(look_up("models", owner), key=str.lower):
            config = known_config(f"{owner}/{name}", look_up)
            assert config is not None, name
            precision = precision_of(config)
            if wanted(f"{owner}/{name} {precision}"):
                yield _listed(f"{owner}/{name}", config["billions"], precision, shape_of(config))


def _listed(model: str, billions: float, precision: str, shape: Shape) -> Listed:
    plain = Setting(usable=0, fixed=0, batched_tokens=0, sequences=0)
    size = round(weights(shape, Layout(), plain) / GIB, 1)
    return Listed(model, billions, precision, shape.context, size, shape.experts or None, shape.type)


def precision_of(config: Mapping[str, Any]) -> str:
    """As people say it: bf16, fp8, nvfp4, mxfp4, int4; fp8/fp4 with experts in the second."""
    found = quantization_of(config)
    if not found:
        return "bf16"
    return f"{found.family}/fp4" if found.experts else found.family
