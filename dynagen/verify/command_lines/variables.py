"""Environment variables of Dynamo whose value is none of theirs, and names that nobody reads.

Source: env_or_default and parse_bool in dynamo/common/configuration/utils.py of the wheels ai-dynamo 1.0.0 to 1.6.1: a number that is
none ends the process, a word that is neither true nor false counts as false, and one that is no choice as the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dynagen.cluster.graphs import Graph, graphs
from dynagen.cluster.objects import Cluster, Findings, Object, listing
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.diagnostics import Finding, KeyPath, closest, shortened
from dynagen.engine.options import Option, Section
from dynagen.verify.command_lines.images import version_of

_PREFIX = "DYN_"
# What is read as true, and as false; some words that are not known mean what they are taken for.
_YES = ("1", "true", "on", "yes")
_NO = ("", "0", "false", "off", "no", "n", "f", "none", "null", "disable", "disabled", "never")
_SHORTEST = 10  # of names that are compared with others
Coded = tuple[str, Finding]


def check_variables(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG686 for values, DG687 for names."""
    for template in pod_templates(objects):
        for path, container in template.containers():
            variables = _variables(container.get("env"), (*path, "env"))
            for code, finding in _judged(variables, _version(template, container, cluster), cluster):
                template.report(findings, code, *finding)
    for graph in graphs(objects):
        for code, finding in _of_graph(graph, cluster):
            graph.report(findings, code, *finding)


def _of_graph(graph: Graph, cluster: Cluster) -> Iterator[Coded]:
    """What is said for all components at once."""
    return _judged(_variables(graph.spec.get("env"), ("spec", "env")), "", cluster)


def _variables(env: Any, path: KeyPath) -> list[tuple[KeyPath, str, str | None]]:
    """Those of Dynamo; a value that is not known beforehand is None."""
    found = []
    for index, each in enumerate(listing(env)):
        name, value = str(each.get("name")), each.get("value")
        if name.startswith(_PREFIX):
            known = isinstance(value, str) and "$" not in value
            found.append(((*path, index), name, value if known else None))
    return found


def _version(template: PodTemplate, container: Mapping[str, Any], cluster: Cluster) -> str:
    """Empty for any."""
    component = template.component
    override = str(component.data.get("runtimeVersionOverride") or "") if component is not None else ""
    return version_of(str(container.get("image") or ""), override, "dynamo.frontend", cluster.releases).dynamo


def _judged(variables: Sequence[tuple[KeyPath, str, str | None]], version: str, cluster: Cluster) -> Iterator[Coded]:
    if not variables or cluster.look_up is None:
        return
    facts = cluster.look_up("flags", "variables")
    known = Section("dynamo", facts.get("dynamo", {}), version)
    others = facts.get("names", ())
    for path, name, value in variables:
        option = known.option(name)
        if option is None:
            near = _slip(name, known.flags) if name not in others else None
            if near:
                message = f"Dynamo has no variable '{name}'"
                yield "DG687", Finding((*path, "name"), message, f"did you mean '{near}'?", "warning")
        elif value is not None and option.is_here and (problem := _problem(option, value)):
            shown = shortened(value, 40)
            yield "DG686", Finding((*path, "value"), f"'{name}' cannot be '{shown}'", problem)


def _problem(option: Option, value: str) -> str:
    """What it can be, if the value is none of that."""
    word = value.strip().lower()
    if option.words:
        if value in option.words or not value:
            return ""
        near = closest(value, option.words)
        return f"did you mean '{near}'?" if near else "one of " + ", ".join(option.words)
    if option.kind == "switch":
        return "" if word in _YES or word in _NO else "true or false; anything else counts as false"
    if option.kind in ("int", "port") and not _is(int, value):
        return "a whole number, without a unit"
    if option.kind == "float" and not _is(float, value):
        return "a number, without a unit"
    return "a port is between 0 and 65535" if option.kind == "port" and not 0 <= int(value) <= 65535 else ""


def _is(number: type[int] | type[float], value: str) -> bool:
    if value in ("", "None"):  # stands for no value with some
        return True
    try:
        number(value)
    except ValueError:
        return False
    return True


def _slip(name: str, known: Mapping[str, Any]) -> str | None:
    """The name that differs by one letter, or by two that changed places."""
    if len(name) < _SHORTEST:
        return None
    return next((each for each in known if abs(len(each) - len(name)) < 2 and _differs_by_one(name, each)), None)


def _differs_by_one(one: str, other: str) -> bool:
    if len(one) > len(other):
        one, other = other, one
    at = next((index for index, letter in enumerate(one) if letter != other[index]), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    turned = one[at : at + 2][::-1] == other[at : at + 2] and one[at + 2 :] == other[at + 2 :]
    return one[at + 1 :] == other[at + 1 :] or turned
