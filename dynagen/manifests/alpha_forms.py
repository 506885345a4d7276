"""A value in one API version of Dynamo's graphs in, the same in the other out: the forms that alpha.yaml names.

Source: deploy/operator/api/v1alpha1/shared_spec_conversion.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dynagen.text.quantities import amount
from dynagen.trees.nodes import Leaf, List, Map, Tree, scalar

SIDECAR = "sidecar-frontend"
_MODES = {"IntraPod": "intraPod", "InterPod": "interPod"}
_CACHE = {"pvcName": "name", "mountPath": "mountPoint"}
_SIDECAR = {"image": "image", "args": "args", "env": "envs", "envFrom": "envFromSecret"}
_GPU = "nvidia.com/gpu"


class Refused(NamedTuple):
    """Why v1alpha1 cannot say a value, and what helps."""

    message: str
    hint: str


class Form(NamedTuple):
    """`down` makes the value of v1alpha1, `up` that of v1beta1: a tuple where the row has several paths, None for nothing.

    `join` makes one value of two for one place: what is written there, and what stands beside it.
    """

    down: Callable[..., Any]
    up: Callable[..., Any]
    join: Callable[[Tree, Tree], Tree]


def _same(value: Tree) -> Tree:
    return value


def joined(written: Tree, beside: Tree) -> Tree:
    """What is written wins; mappings become one."""
    if not isinstance(written, Map) or not isinstance(beside, Map):
        return written
    both = {key: joined(written[key], beside[key]) for key in written.keys() & beside.keys()}
    return Map({**beside, **written, **both}, written.origin, written.replaced)


def _appended(written: Tree, beside: Tree) -> Tree:
    if not isinstance(written, List) or not isinstance(beside, List):
        return written
    return List([*written, *beside], written.origin, written.replaced)


def _joined_env(written: Tree, beside: Tree) -> Tree:
    """Of two variables with one name that of `written` counts, where the other stands."""
    if not isinstance(written, List) or not isinstance(beside, List):
        return written
    variables = {scalar(each, "name"): each for each in (*beside, *written)}
    return List(variables.values(), written.origin, written.replaced)


def _type_down(kind: Tree) -> tuple[Tree, Tree | None]:
    if isinstance(kind, Leaf) and kind.value in ("prefill", "decode"):
        return Leaf("worker", kind.origin), kind
    return kind, None


def _type_up(kind: Tree, part: Tree | None) -> Tree | None:
    if not isinstance(kind, Leaf) or not kind.value:
        return None
    promoted = isinstance(part, Leaf) and kind.value == "worker" and part.value in ("prefill", "decode")
    return part if promoted else kind


def _shared_memory_down(size: Tree) -> Tree:
    off = isinstance(size, Leaf) and amount(size.value) == 0
    return Map({"disabled": Leaf(True, size.origin)} if off else {"size": size}, size.origin)


def _shared_memory_up(memory: Tree) -> Tree | None:
    if scalar(memory, "disabled") and isinstance(memory, Map):
        return Leaf("0", memory["disabled"].origin)
    size = memory.get("size") if isinstance(memory, Map) else None
    return size if isinstance(size, Leaf) and amount(size.value) else None


def _enabled_down(section: Tree) -> Tree:
    """v1beta1 says by its presence what has a switch in v1alpha1."""
    inner = section if isinstance(section, Map) else {}
    return Map({"enabled": Leaf(True, section.origin), **inner}, section.origin)


def _enabled_up(section: Tree) -> Tree | None:
    if not isinstance(section, Map) or not scalar(section, "enabled"):
        return None
    return Map({key: value for key, value in section.items() if key != "enabled"}, section.origin)


def _with_mode(section: Tree | None, modes: dict[str, str]) -> Tree | None:
    mode = scalar(section, "mode") if section is not None else None
    if isinstance(section, Map) and mode in modes:
        section["mode"] = Leaf(modes[mode], section["mode"].origin)
    return section


def _renamed(section: Tree, names: dict[str, str]) -> Tree:
    if not isinstance(section, Map):
        return section
    return Map({names.get(key, key): value for key, value in section.items()}, section.origin)


def _resources_down(resources: Tree) -> Tree:
    """Kubernetes' form -> Dynamo's, where GPUs are called `gpu` and all quantities are strings."""
    if not isinstance(resources, Map):
        return resources
    converted = Map({}, resources.origin)
    for section in ("requests", "limits"):
        amounts = resources.get(section)
        if not isinstance(amounts, Map):
            continue
        items, custom = Map({}, amounts.origin), Map({}, amounts.origin)
        for name, quantity in amounts.items():
            text = (
                Leaf(str(quantity.value), quantity.origin, quantity.replaced)
                if isinstance(quantity, Leaf)
                else quantity
            )
            if name == _GPU:
                items["gpu"] = text
            elif name in ("cpu", "memory"):
                items[name] = text
            else:
                custom[name] = text
        if custom:
            items["custom"] = custom
        converted[section] = items
    if "claims" in resources:
        converted["claims"] = resources["claims"]
    return converted


def _resources_up(resources: Tree) -> Tree:
    """Dynamo's own form -> Kubernetes': `gpu` is `nvidia.com/gpu` unless `gpuType` names another."""
    if not isinstance(resources, Map):
        return resources
    converted = Map({}, resources.origin)
    for section in ("limits", "requests"):
        amounts = resources.get(section)
        if not isinstance(amounts, Map):
            continue
        items = Map({key: amounts[key] for key in ("cpu", "memory") if scalar(amounts, key)}, amounts.origin)
        if scalar(amounts, "gpu"):
            items[str(scalar(amounts, "gpuType") or _GPU)] = amounts["gpu"]
        custom = amounts.get("custom")
        items.update(custom if isinstance(custom, Map) else {})
        converted[section] = items
    if "claims" in resources:
        converted["claims"] = resources["claims"]
    return converted


def _secret_up(secret: Tree) -> Tree | None:
    if not isinstance(secret, Leaf) or not secret.value:
        return None
    reference = Map({"secretRef": Map({"name": secret}, secret.origin)}, secret.origin)
    return List([reference], secret.origin)


def _secret_down(sources: Tree) -> Tree | None:
    """The name of the one Secret that there is; None when there is anything else."""
    if not isinstance(sources, List) or len(sources) != 1 or not isinstance(sources[0], Map) or len(sources[0]) != 1:
        return None
    reference = sources[0].get("secretRef")
    only = isinstance(reference, Map) and reference.keys() == {"name"} and isinstance(reference["name"], Leaf)
    return reference["name"] if only and isinstance(reference, Map) else None


def _mounts_up(mounts: Tree) -> Tree | None:
    """Claims that are mounted; a cache that is no place of its own has its own row."""
    found = [
        Map({"name": each["name"], "mountPath": each["mountPoint"]}, each.origin)
        for each in (mounts if isinstance(mounts, List) else ())
        if isinstance(each, Map) and "name" in each
        if scalar(each, "mountPoint") and not scalar(each, "useAsCompilationCache")
    ]
    return List(found, mounts.origin) if found else None


def _sidecar_down(name: Tree, container: Tree | None) -> Tree | Refused:
    """v1alpha1 makes a container of this name, of nothing but an image, arguments, variables and one Secret."""
    written = name.value if isinstance(name, Leaf) else None
    if written != SIDECAR or not isinstance(container, Map):
        message = f"'frontendSidecar' is '{written}': v1alpha1 has a container of its own for it, '{SIDECAR}'"
        return Refused(message, f"call the container '{SIDECAR}'")
    sidecar = _renamed(container, _SIDECAR)
    secret = _secret_down(container["envFrom"]) if "envFrom" in container else None
    if isinstance(sidecar, Map) and secret is not None:
        sidecar["envFromSecret"] = secret
    unknown = [key for key in container if key not in _SIDECAR or (key == "envFrom" and secret is None)]
    if unknown:
        message = (
            f"container '{SIDECAR}' has '{unknown[0]}': in v1alpha1 it has image, args, env and one Secret in envFrom"
        )
        return Refused(message, f"leave out '{unknown[0]}'")
    return sidecar


def _sidecar_up(sidecar: Tree) -> tuple[Tree, Tree] | None:
    if not isinstance(sidecar, Map):
        return None
    container = Map({key: sidecar[old] for key, old in _SIDECAR.items() if old in sidecar}, sidecar.origin)
    if "envFrom" in container:
        secret = _secret_up(container.pop("envFrom"))
        container.update({"envFrom": secret} if secret is not None else {})
    return Leaf(SIDECAR, sidecar.origin), container


_UP_MODES = {low: high for high, low in _MODES.items()}
_NAMES_UP = {low: high for high, low in _CACHE.items()}

FORMS = {
    "": Form(_same, _same, joined),
    "type": Form(_type_down, _type_up, joined),
    "sharedMemory": Form(_shared_memory_down, _shared_memory_up, joined),
    "enabled": Form(_enabled_down, _enabled_up, joined),
    "enabledMode": Form(
        lambda section: _with_mode(_enabled_down(section), _MODES),
        lambda section: _with_mode(_enabled_up(section), _UP_MODES),
        joined,
    ),
    "cache": Form(lambda cache: _renamed(cache, _CACHE), lambda mount: _renamed(mount, _NAMES_UP), joined),
    "resources": Form(_resources_down, _resources_up, joined),
    "env": Form(_same, _same, _joined_env),
    "secret": Form(_same, _secret_up, _appended),
    "mounts": Form(_same, _mounts_up, _appended),
    "sidecar": Form(_sidecar_down, _sidecar_up, joined),
}
