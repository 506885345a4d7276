"""An object's data in, the same with what an API server fills in out, so that two versions can be compared.

What the server fills in by a value is in `defaults.yaml`; what it works out is here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from dynagen.cluster.objects import listing, mapping
from dynagen.compiled.reading import table
from dynagen.text.quantities import amount

Shape = Any
_QUANTITIES = ("limits", "requests", "capacity", "overhead")
# Pointers in Go: an empty one is not the same as none.
_PRESENT = ("emptyDir", "labelSelector", "namespaceSelector", "securityContext")
_USE = "$use"


class Defaults:
    """`defaults.yaml`, opened once."""

    def __init__(self) -> None:
        data = table("verify/updates/defaults.yaml")
        self._kinds, self._shapes = data["kinds"], data["shapes"]

    def filled(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """`kind` is group and kind, or the kind of the group without a name."""
        found: dict[str, Any] = _bare(data)
        _work_out(kind, found)
        return mapping(self._filled(found, self._kinds.get(kind, {})))

    def _filled(self, value: Any, shape: Shape) -> Any:
        if isinstance(value, list) and isinstance(shape, list):
            return [self._filled(item, shape[0]) for item in value]
        if not (isinstance(value, dict) and isinstance(shape, dict)):
            return value
        if _USE in shape:
            shape = {**self._shapes[shape[_USE]], **shape}
        found = dict(value)
        for key, default in shape.items():
            if key in value:
                found[key] = self._filled(value[key], default)
            elif key != _USE and _is_value(default):
                found[key] = default
        return found


def _is_value(shape: Shape) -> bool:
    """Whether it is filled in as it is; other maps and lists say what is below."""
    return not shape or not isinstance(shape[0] if isinstance(shape, list) else shape, dict)


def _bare(value: Any) -> Any:
    """Without what says nothing: null, empty texts, empty lists and maps that Go leaves out. Quantities in one form."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _QUANTITIES and isinstance(inner, dict):
            found[key] = {name: _quantity(quantity) for name, quantity in inner.items()}
        elif key == "sizeLimit":
            found[key] = _quantity(inner)
        else:
            found[key] = _bare(inner)
    return {
        key: inner for key, inner in found.items() if inner or inner in (0, False) or (key in _PRESENT and inner == {})
    }


def _quantity(value: Any) -> str:
    number = amount(value)
    return str(value) if number is None else f"{number.normalize():f}"


def _work_out(kind: str, data: dict[str, Any]) -> None:
    """Values that follow from others. Source: the same as that of `defaults.yaml`."""
    spec = mapping(data.get("spec"))
    if kind == "batch/Job":
        if "completions" not in spec and "parallelism" not in spec:
            spec["completions"] = 1
        _work_out_pod(mapping(mapping(spec.get("template")).get("spec")))
    elif kind == "Pod":
        _work_out_pod(spec)
        for container in (*listing(spec.get("containers")), *listing(spec.get("initContainers"))):
            resources = mapping(container.get("resources"))
            if limits := mapping(resources.get("limits")):
                resources["requests"] = {**limits, **mapping(resources.get("requests"))}
    elif kind == "PersistentVolumeClaim":
        # source: NormalizeDataSources in pkg/registry/core/persistentvolumeclaim/storage of k8s.io/kubernetes
        source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
        if source and not reference:
            spec["dataSourceRef"] = source
        elif reference and not source and "namespace" not in mapping(reference):
            spec["dataSource"] = reference
    elif kind == "Secret" and (texts := data.pop("stringData", None)):
        encoded = {key: b64encode(str(text).encode(errors="replace")).decode() for key, text in mapping(texts).items()}
        data["data"] = {**mapping(data.get("data")), **encoded}


def _work_out_pod(pod: dict[str, Any]) -> None:
    if account := pod.pop("serviceAccount", None):
        pod.setdefault("serviceAccountName", account)
    for volume in listing(pod.get("volumes")):
        if volume.keys() <= {"name"}:
            volume["emptyDir"] = {}
    for container in (*listing(pod.get("containers")), *listing(pod.get("initContainers"))):
        _, _, last = str(container.get("image", "")).partition("@")[0].rpartition("/")
        newest = "@" not in str(container.get("image", "")) and last.partition(":")[2] in ("", "latest")
        container.setdefault("imagePullPolicy", "Always" if newest else "IfNotPresent")
        if pod.get("hostNetwork"):
            for port in listing(container.get("ports")):
                port.setdefault("hostPort", port.get("containerPort"))
