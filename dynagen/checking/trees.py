"""Finished trees that lie side by side and seem to be for one cluster: what one of them takes from the other.

A tree is what one kustomization reaches, such as one of ours, or else one folder of files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from dynagen.checking.clusters import Stream
from dynagen.checking.definitions import is_list
from dynagen.checking.inputs import File
from dynagen.cluster.objects import listing, mapping
from dynagen.diagnostics import KeyPath, Position
from dynagen.manifests.record import Record, read_record

# Words in the name of a folder that say which cluster it is for, and names of folders that hold a folder for each.
_STAGES = frozenset(
    [
        "dev",
        "development",
        "test",
        "testing",
        "qa",
        "uat",
        "int",
        "stage",
        "staging",
        "preprod",
        "prod",
        "prd",
        "production",
        "live",
        "sandbox",
        "canary",
        "dr",
    ]
)
_PER_CLUSTER = frozenset(
    [
        "cluster",
        "clusters",
        "env",
        "envs",
        "environment",
        "environments",
        "region",
        "regions",
        "stage",
        "stages",
        "site",
        "sites",
    ]
)
_MOST = 200  # trees in one folder: each is held against each


class Claim(NamedTuple):
    """What a tree has of a cluster that has it once: `what` with its `content`, at a place; `of_istio` if Istio's rules say it."""

    code: str
    what: str
    name: str
    content: dict[str, Any]
    at: Position
    file: File
    of_istio: bool = False


class Tree:
    def __init__(self, stream: Stream, folder: Path, files: Sequence[File]) -> None:
        self.stream, self.folder, self.files = stream, folder, files
        self.shown = os.path.commonpath([os.path.dirname(file.shown) for file in files]) or "."  # noqa: PTH120
        words = folder.name.lower().replace("_", "-").replace(".", "-").split("-")
        self.stages = _STAGES.intersection(words)

    @cached_property
    def record(self) -> Record | None:
        return read_record(self.folder)

    @cached_property
    def singular(self) -> set[Hashable]:
        return Stream(self.files).singular

    @cached_property
    def claims(self) -> list[Claim]:
        return [claim for file in self.files for claim in _claims(file)]

    def may_be_beside(self, other: Tree) -> bool:
        """Whether two trees may be for one cluster: nothing speaks of two."""
        if self.folder == other.folder or self.stages != other.stages:
            return False
        ours, theirs = self.record, other.record
        return not (ours and theirs) or (ours.release, ours.kubernetes) == (theirs.release, theirs.kubernetes)


def check_trees(groups: Sequence[Sequence[Stream]]) -> None:
    """Reports DG663 and DG664, at the later one of two trees in one folder."""
    for streams in groups:
        beside: dict[Path, list[Tree]] = {}
        for tree in (each for stream in streams for each in _trees(stream)):
            if tree.folder.parent.name.lower() not in _PER_CLUSTER:
                beside.setdefault(tree.folder.parent, []).append(tree)
        for trees in beside.values():
            if _are_variants(trees):
                continue
            found = sorted((each for each in trees[:_MOST] if each.claims), key=lambda tree: tree.shown)
            for one, other in combinations(found, 2):
                if one.may_be_beside(other):
                    _compare(one, other)


def _are_variants(trees: Sequence[Tree]) -> bool:
    """Whether two of them hold one object, and so are for different clusters: then nobody knows of the others either."""
    seen: set[Hashable] = set()
    for tree in trees:
        if not seen.isdisjoint(tree.singular):
            return True
        seen |= tree.singular
    return False


def _trees(stream: Stream) -> Iterator[Tree]:
    files = [file for file in stream.files if file.path is not None]
    if stream.is_whole:
        if files and stream.folder is not None:
            yield Tree(stream, stream.folder, files)
        return
    folders: dict[Path, list[File]] = {}
    for file in files:
        assert file.path is not None
        folders.setdefault(Path(os.path.realpath(file.path.parent)), []).append(file)
    yield from (Tree(stream, folder, found) for folder, found in folders.items())


def _compare(one: Tree, other: Tree) -> None:
    known = {(claim.code, claim.what): claim for claim in one.claims}
    said: set[tuple[str, str]] = set()
    apart = (
        f"if they are for different clusters, check them apart: `dynagen check {quote(one.shown)} {quote(other.shown)}`"
    )
    for claim in other.claims:
        first = known.get((claim.code, claim.what))
        if first is None or (claim.code, claim.name) in said or (claim.of_istio and one.stream is other.stream):
            continue
        if claim.code == "DG663":
            owned = one.record is not None and other.record is not None
            differing = [key for key, value in claim.content.items() if first.content.get(key, value) != value]
            if not (owned or differing):
                continue
            also = f", with another '{differing[0]}'" if differing else ""
            message = f"the tree '{one.shown}' brings Namespace '{claim.name}' as well{also}"
            keep = "'createNamespace: false' in the profile of one of them" if owned else "keep it in one of them"
        else:
            message = f"the tree '{one.shown}' serves the host '{claim.name}' as well"
            keep = "give each a host or a path of its own"
        said.add((claim.code, claim.name))
        related = (("also here", first.at),)
        claim.file.report.add(claim.code, message, claim.at, f"{keep}; {apart}", related, "warning")


def _claims(file: File) -> Iterator[Claim]:
    for document in file.documents:
        if not isinstance(document.data, dict):
            continue
        items = document.data["items"] if is_list(document.data) else [document.data]
        for index, data in enumerate(items):
            start: KeyPath = ("items", index) if is_list(document.data) else ()
            if not isinstance(data, dict) or not isinstance(data.get("apiVersion"), str):
                continue
            metadata = mapping(data.get("metadata"))
            if (data["apiVersion"], data.get("kind")) == ("v1", "Namespace"):
                content = {**mapping(metadata.get("annotations")), **mapping(metadata.get("labels"))}
                at, name = document.at((*start, "metadata", "name")), str(metadata.get("name"))
                yield Claim("DG663", name, name, content, at, file)
            for what, host, path, of_istio in _hosts(data, metadata):
                if host == "*":
                    continue  # a name that leads to one address is meant
                yield Claim("DG664", what, host, {}, document.at((*start, "spec", *path)), file, of_istio)


# What another one would take by serving the same, the host, the path in the spec, whether Istio's rules say it.
Served = tuple[str, str, KeyPath, bool]


def _hosts(data: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Served]:
    """Each host that an object serves."""
    key = data["apiVersion"].partition("/")[0], str(data.get("kind"))
    if key in _SERVING:
        yield from _SERVING[key](mapping(data.get("spec")), metadata)


def _of_servers(spec: dict[str, Any], _: dict[str, Any]) -> Iterator[Served]:
    for index, server in enumerate(listing(spec.get("servers"))):
        port = mapping(server.get("port")).get("number")
        for number, host in enumerate(_names(server.get("hosts"))):
            what = _text(["servers", spec.get("selector"), port, host])
            yield what, host.rpartition("/")[2], ("servers", index, "hosts", number), True


def _of_listeners(spec: dict[str, Any], _: dict[str, Any]) -> Iterator[Served]:
    for index, each in enumerate(listing(spec.get("listeners"))):
        if isinstance(host := each.get("hostname"), str):
            what = _text(["listeners", spec.get("gatewayClassName"), each.get("port"), host])
            yield what, host, ("listeners", index, "hostname"), False


def _of_http_route(spec: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Served]:
    gateways = [
        [each.get("namespace") or metadata.get("namespace"), each.get("name"), each.get("sectionName")]
        for each in listing(spec.get("parentRefs"))
    ]
    rules = [each for each in listing(spec.get("rules")) if each.get("backendRefs")]
    for what, host, number in _routed(gateways, _names(spec.get("hostnames")), rules, "matches"):
        yield what, host, ("hostnames", number), False


def _of_virtual_service(spec: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Served]:
    names = [each for each in _names(spec.get("gateways")) if each != "mesh"]
    gateways = [[each if "/" in each else f"{metadata.get('namespace')}/{each}"] for each in names]
    rules = [each for each in listing(spec.get("http")) if each.get("route")]
    for what, host, number in _routed(gateways, _names(spec.get("hosts")), rules, "match"):
        yield what, host, ("hosts", number), True


def _of_ingress(spec: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Served]:
    notes = mapping(metadata.get("annotations"))
    name = spec.get("ingressClassName") or notes.get("kubernetes.io/ingress.class")
    for index, rule in enumerate(listing(spec.get("rules"))):
        for path in listing(mapping(rule.get("http")).get("paths")):
            if isinstance(host := rule.get("host"), str):
                yield _text(["ingress", name, host, path.get("path")]), host, ("rules", index, "host"), False


_SERVING = {
    ("networking.istio.io", "Gateway"): _of_servers,
    ("gateway.networking.k8s.io", "Gateway"): _of_listeners,
    ("gateway.networking.k8s.io", "HTTPRoute"): _of_http_route,
    ("networking.istio.io", "VirtualService"): _of_virtual_service,
    ("networking.k8s.io", "Ingress"): _of_ingress,
}


def _routed(
    gateways: list[Any], hosts: list[str], rules: list[dict[str, Any]], match: str
) -> Iterator[tuple[str, str, int]]:
    for number, host in enumerate(hosts):
        for each in (each for rule in rules for each in listing(rule.get(match)) or [{}]):
            for gateway in gateways:
                yield _text([match, gateway, host, each]), host, number


def _names(given: Any) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str, skipkeys=True)
