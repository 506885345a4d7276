"""Two versions of the same graphs in, what the webhook refuses to change out.

Source: validateDynamoGraphDeploymentUpdate and what it calls in
deploy/operator/internal/webhook/validation/{dynamographdeployment,shared_v1beta1}.go of ai-dynamo/dynamo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.apis import Apis
from dynagen.cluster.earlier import Earlier, manifest_of
from dynagen.cluster.graphs import MAIN, Component, Graph, graph_of, graphs
from dynagen.cluster.objects import Cluster, Findings, Object, listing, mapping
from dynagen.diagnostics import KeyPath, closest, path_text
from dynagen.verify.dynamo.grove import is_inter_pod

_PROVIDER, _POWER = "nvidia.com/workload-provider", "dynamo.nvidia.com/gpu-power-limit"
_ANEW = "delete the graph and make it anew, or give the new one another name"


def check_update(old: Sequence[Object], new: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports what a graph in `new` changes of the one of its name in `old` that cannot be: DG465 components, DG466
    fields that stay, DG467 nodes, DG468 replicas that an adapter owns, DG469 restarts."""
    apis = Apis(new, cluster)
    old = [subject for subject in old if subject.group == "nvidia.com" and _is_sound(subject, cluster, findings)]
    before = Earlier(old)
    for graph in graphs(new):
        earlier = before.of(graph.source)
        if earlier is not None:
            _Update(earlier.once(graph_of), graph, cluster, findings).check(apis)


def _is_sound(subject: Object, cluster: Cluster, findings: Findings) -> bool:
    """Whether the values of an earlier object are of the types that they should be. Fields of another release may stay."""
    schema = cluster.schemas.find(subject.api_version, subject.kind)
    if schema is None:
        message = f"not compared with: the release has no {subject.api_version} {subject.kind}"
        findings.add("DG211", subject, ("apiVersion",), message, severity="note")
        return False
    problems = [] if schema.conforms(subject.data) else schema.problems(subject.data)
    wrong = [problem for problem in problems if problem.keyword == "type"]
    for problem in wrong:
        findings.add("DG212", subject, problem.path, f"{path_text(problem.path)}: {problem.message}")
    return not wrong


class _Update:
    """One graph, before and after."""

    def __init__(self, old: Graph, new: Graph, cluster: Cluster, findings: Findings) -> None:
        self._old, self._new, self._findings, self._release = old, new, findings, cluster.release
        self._said = _Said(manifest_of(old.source), old)

    def check(self, apis: Apis) -> None:
        old, new = ({each.name: each for each in graph.components} for graph in (self._old, self._new))
        if not self._new.alone:
            self._check_names(list(old), list(new))
            self._check_graph()
        self._check_same("backendFramework", self._old.spec, self._new.spec, ("spec",), ("spec",))
        for name, component in new.items():
            if name in old:
                self._check_component(old[name], component, apis.has_grove(self._new))

    def _check_names(self, old: list[str], new: list[str]) -> None:
        """One finding, whatever comes and goes: it is one change to whoever made it."""
        added = [each for each in self._new.components if each.name not in old]
        removed = [each for each in self._old.components if each.name not in new]
        if not added and not removed:
            return
        names = [each.name for each in removed]
        near = closest(added[0].name, names) if len(added) == 1 else None
        hint = f"it was '{near}' before: keep the name, or {_ANEW}" if near else _ANEW
        message = " and ".join([*_counted(names, "gone"), *_counted([each.name for each in added], "new")])
        path: KeyPath = (*added[0].path, "name") if added else ("spec", "components")
        self._add("DG465", path, message, hint, removed[0].path if removed else ("spec", "components"))

    def _check_graph(self) -> None:
        spec: KeyPath = ("spec",)
        self._check_same("topologyConstraint", self._old.spec, self._new.spec, spec, spec)
        old, new = (_policy(graph) for graph in (self._old, self._new))
        if old != new:
            path: KeyPath = ("spec", "experimental", "kvTransferPolicy")
            self._add("DG466", path, "'kvTransferPolicy' cannot change", _ANEW, path)
        if self._release >= (1, 5, 0):
            provider, before = self._new.annotations.get(_PROVIDER), self._old.annotations.get(_PROVIDER)
            path = ("metadata", "annotations", _PROVIDER)
            if before != provider and not (provider is None and not self._said.of_graph(_PROVIDER)):
                message = f"the annotation '{_PROVIDER}' cannot change from {_shown(before)} to {_shown(provider)}"
                self._add("DG466", path, message, "leave it to the operator", path)
        restart = self._new.spec.get("restart")
        if restart is not None:
            self._check_restart(restart)

    def _check_restart(self, restart: dict[str, Any]) -> None:
        path: KeyPath = ("spec", "restart")
        strategy = restart.get("strategy") or {}
        order, names = strategy.get("order") or [], [component.name for component in self._new.components]
        at: KeyPath = (*path, "strategy", "order")
        if order and strategy.get("type") == "Parallel":
            self._add("DG469", at, "'order' with 'type: Parallel'", "all restart at once: leave it out", path)
        elif order:
            for index, name in enumerate(order):
                if name in order[:index]:
                    self._add("DG469", (*at, index), f"'{name}' is in 'order' already", "", path)
                elif name not in names:
                    near = closest(name, names)
                    hint = f"did you mean '{near}'?" if near else "components: " + ", ".join(names)
                    self._add("DG469", (*at, index), f"there is no component '{name}'", hint, path)
            missing = [name for name in names if name not in order]
            if missing:
                message = "'order' lacks " + ", ".join(f"'{name}'" for name in missing)
                self._add("DG469", at, message, "name every component, or leave it out", path)
        phase = ((self._old.subject.data.get("status") or {}).get("rollingUpdate") or {}).get("phase")
        before = (self._old.spec.get("restart") or {}).get("id")
        if phase in ("Pending", "InProgress") and restart.get("id") != before:
            message = f"'restart.id' cannot change while a rolling update is {phase}"
            self._add("DG469", (*path, "id"), message, "wait for it to end", path)

    def _check_component(self, old: Component, new: Component, grove: bool) -> None:
        if self._release >= (1, 5, 0) and old.type and old.type != new.type:
            self._changed("type", old, new)
        self._check_same("topologyConstraint", old.data, new.data, old.path, new.path, new.name)
        before, after = old.data.get("minAvailable"), new.data.get("minAvailable")
        if grove:
            before, after = before or 1, after or 1
        if before is not None and before != after and self._is_said("minAvailable", new):
            self._changed("minAvailable", old, new)
        if not self._new.alone and self._release >= (1, 5, 0):
            self._check_power(old, new)
        self._check_nodes(old, new)
        replicas = old.data.get("replicas", 1), new.data.get("replicas", 1)
        scaled = "scalingAdapter" in old.data or "scalingAdapter" in new.data
        if scaled and self._is_said("replicas", new) and replicas[0] != replicas[1] and not self._new.alone:
            message = f"component '{new.name}': 'replicas' cannot change from {replicas[0]} to {replicas[1]}"
            hint = "the scaling adapter owns it: leave it as it is, and scale the adapter"
            self._add("DG468", (*new.path, "replicas"), message, hint, (*old.path, "replicas"))

    def _is_said(self, field: str, new: Component) -> bool:
        """Whether an apply changes the field at all: what the webhook or a scaler wrote stays when nobody speaks of it."""
        return field in new.data or self._said.of_component(new.name, field)

    def _check_power(self, old: Component, new: Component) -> None:
        path: KeyPath = ("podTemplate", "metadata", "annotations", _POWER)
        before, after = (
            ((each.template.get("metadata") or {}).get("annotations") or {}).get(_POWER) for each in (old, new)
        )
        if before != after:
            message = f"component '{new.name}': '{_POWER}' cannot change from {_shown(before)} to {_shown(after)}"
            self._add("DG466", (*new.path, *path), message, _ANEW, (*old.path, *path))
        if before is not None and _gpus(old) != _gpus(new):
            message = f"component '{new.name}': its GPUs cannot change beside '{_POWER}'"
            self._add("DG466", (*new.path, *new.container(MAIN)[0]), message, _ANEW, old.path)

    def _check_nodes(self, old: Component, new: Component) -> None:
        many = [component.nodes > 1 for component in (old, new)]
        path: KeyPath = ("multinode",)
        if many[0] != many[1]:
            before, after = ("many nodes" if each else "one node" for each in many)
            message = f"component '{new.name}' cannot go from {before} to {after}"
            self._add("DG467", (*new.path, *path), message, _ANEW, (*old.path, *path))
        elif old.nodes != new.nodes and self._release >= (1, 5, 0):
            message = f"component '{new.name}': 'nodeCount' cannot change from {old.nodes} to {new.nodes}"
            self._add("DG467", (*new.path, *path, "nodeCount"), message, _ANEW, (*old.path, *path))
        for field in ("gpuMemoryService", "failover"):
            joined = [is_inter_pod(each.experimental.get(field)) for each in (old, new)]
            at: KeyPath = ("experimental", field)
            if joined[0] != joined[1]:
                message = f"component '{new.name}': '{field}' of mode InterPod cannot be switched {'on' if joined[1] else 'off'}"
                self._add("DG467", (*new.path, *at), message, _ANEW, (*old.path, *at))
            elif joined[1] and field == "failover":
                shadows = [each.experimental[field].get("numShadows") or 1 for each in (old, new)]
                if shadows[0] != shadows[1]:
                    message = f"component '{new.name}': 'numShadows' cannot change from {shadows[0]} to {shadows[1]}"
                    self._add("DG467", (*new.path, *at, "numShadows"), message, _ANEW, (*old.path, *at))
        forced = [bool((each.experimental.get("grove") or {}).get("forceScalingGroup")) for each in (old, new)]
        if forced[0] != forced[1]:
            at = ("experimental", "grove", "forceScalingGroup")
            message = f"component '{new.name}': 'forceScalingGroup' cannot be switched {'on' if forced[1] else 'off'}"
            self._add("DG467", (*new.path, *at), message, _ANEW, (*old.path, *at))

    def _changed(self, field: str, old: Component, new: Component) -> None:
        before, after = _shown(old.data.get(field)), _shown(new.data.get(field))
        message = f"component '{new.name}': '{field}' cannot change from {before} to {after}"
        self._add("DG466", (*new.path, field), message, _ANEW, (*old.path, field))

    def _check_same(
        self, field: str, old: dict[str, Any], new: dict[str, Any], was: KeyPath, path: KeyPath, name: str = ""
    ) -> None:
        before, after = old.get(field), new.get(field)
        if before != after:
            where = f"component '{name}': " if name else ""
            change = f" from {_shown(before)} to {_shown(after)}" if not isinstance(before or after, dict) else ""
            self._add("DG466", (*path, field), f"{where}'{field}' cannot change{change}", _ANEW, (*was, field))

    def _add(self, code: str, path: KeyPath, message: str, hint: str, was: KeyPath) -> None:
        self._findings.add(code, self._new.subject, path, message, hint, also=[("before", self._old.subject, was)])


class _Said:
    """What the manifest of the earlier graph said, so that an apply takes it away when the new one does not."""

    def __init__(self, manifest: Any, old: Graph) -> None:
        spec = mapping(mapping(manifest).get("spec"))
        self._annotations = mapping(mapping(mapping(manifest).get("metadata")).get("annotations"))
        self._components: dict[str, Any] = {str(each.get("name")): each for each in listing(spec.get("components"))}
        self._components |= mapping(spec.get("services"))
        self._alone = spec if old.alone else None

    def of_graph(self, annotation: str) -> bool:
        return annotation in self._annotations

    def of_component(self, name: str, field: str) -> bool:
        return field in mapping(self._components.get(name) if self._alone is None else self._alone)


def _policy(graph: Graph) -> dict[str, Any] | None:
    policy = (graph.spec.get("experimental") or {}).get("kvTransferPolicy")
    return None if policy is None else {"enforcement": "required", **policy}


def _gpus(component: Component) -> Any:
    resources = (component.main or {}).get("resources") or {}
    name = "nvidia.com/gpu"
    value = (resources.get("limits") or {}).get(name, (resources.get("requests") or {}).get(name))
    return None if value is None else str(value)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"'{value}'"


def _counted(names: Sequence[str], what: str) -> list[str]:
    """`component 'a' is gone`, `components 'a', 'b' are new`."""
    if not names:
        return []
    shown = ", ".join(f"'{name}'" for name in names)
    return [f"component {shown} is {what}" if len(names) == 1 else f"components {shown} are {what}"]
