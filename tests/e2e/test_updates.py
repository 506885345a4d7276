"""Updates on a real API server: what it refuses, `--against` refuses, and nothing else."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from dynagen.checking.manifests import Target, check_manifests, objects_of
from dynagen.cluster.objects import Object
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.e2e.plane import Plane, to_list
from tests.e2e.test_examples import use_dynamo

NAMESPACE = "updates"
KNOWN: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("updates.yaml").read_text("utf-8"))
CLUSTER_SCOPED = (
    "PersistentVolume", "StorageClass", "PriorityClass", "IngressClass", "RuntimeClass", "CustomResourceDefinition",
    "ClusterRoleBinding",
)  # fmt: skip
Data = dict[str, Any]
WEBHOOK = ("DG465", "DG466", "DG467", "DG468", "DG469")
_AT_ONCE = 4


class Flow(NamedTuple):
    name: str
    before: list[Data]
    after: list[Data]
    refused: bool
    bound: bool


class Verdicts(NamedTuple):
    """Of the server; of `--against` a tree, what the cluster says with its managed fields, the same applied by a client.

    `unchanged` is what is said when what is there is applied once more, with and without managed fields.
    """

    why: str
    tree: list[str]
    live: list[str]
    noted: list[str]
    unchanged: list[str]


def merged(value: Any, change: Any) -> Any:
    """A JSON merge patch. Source: RFC 7386."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    found = dict(value) if isinstance(value, dict) else {}
    for key, inner in change.items():
        if inner is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), inner)
    return found


def flows() -> Iterator[Flow]:
    for number, entry in enumerate(KNOWN["flows"]):
        listed = entry["before"] if isinstance(entry["before"], list) else [entry["before"]]
        before = [named(each, number) for each in listed]
        after = [merged(before[0], entry["change"]), *before[1:]]
        yield Flow(entry["name"], before, after, entry["refused"], entry.get("bound", False))


def named(data: Data, number: int) -> Data:
    if "of" in data:
        data = merged(data["of"], {key: value for key, value in data.items() if key != "of"})
    space = {} if data["kind"] in CLUSTER_SCOPED else {"namespace": NAMESPACE}
    return merged(data, {"metadata": {"name": f"flow-{number}", **space, **data.get("metadata", {})}})


FLOWS = list(flows())


def complaints(now: list[Data], after: list[Data]) -> list[str]:
    """What `dynagen check AFTER --against NOW` has against an update."""
    report = Report()
    earlier = objects_of(parse(to_list(now), "now.yaml", report), report)
    check_manifests(
        parse(to_list(after), "a.yaml", report), Target("1.37", "1.6.1", earlier=[*earlier, *classes()]), report
    )
    return [str(each.message) for each in report.diagnostics if each.code in ("DG670", "DG671")]


def classes() -> list[Object]:
    cluster = Path(__file__).with_name("cluster.yaml").read_text("utf-8")
    report = Report()
    return objects_of(
        [*parse(cluster, "cluster.yaml", report), *parse(to_list(KNOWN["classes"]), "b.yaml", report)], report
    )


@pytest.fixture(scope="module")
def verdicts(plane: Plane) -> Iterator[dict[str, Verdicts]]:
    plane.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, *KNOWN["classes"]])
    account = ("get", "serviceaccount", "default", f"--namespace={NAMESPACE}", "--ignore-not-found")
    plane.wait_until("the account is there", lambda: plane.kubectl(*account))
    everything = [each for flow in FLOWS for each in flow.before]
    plane.apply(everything)
    bound = to_list([flow.before[0] for flow in FLOWS if flow.bound])
    phases = ("get", "-f", "-", "-o", "jsonpath={.items[*].status.phase}")
    plane.wait_until("claims are bound", lambda: set(plane.kubectl(*phases, input=bound).split()) == {"Bound"})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(partial(answer_of, plane), FLOWS))
    live = iter(plane.get("-f", "-", "--show-managed-fields", input=to_list(everything)))
    yield {
        flow.name: judge(flow, why, [next(live) for _ in flow.before]) for flow, why in zip(FLOWS, answers, strict=True)
    }
    plane.kubectl(
        "delete",
        "-f",
        "-",
        "--wait=false",
        "--ignore-not-found",
        "--grace-period=0",
        "--force",
        input=to_list(everything),
    )


def answer_of(plane: Plane, flow: Flow) -> str:
    command = ("apply", "--server-side", "--dry-run=server", "-f", "-")
    answer = plane.try_kubectl(*command, input=to_list(flow.after))
    return answer.stderr if answer.returncode else ""


def judge(flow: Flow, why: str, live: list[Data]) -> Verdicts:
    bare = [merged(each, {"metadata": {"managedFields": None}}) for each in live]
    unchanged = [*complaints(live, flow.before), *complaints(bare, flow.before)]
    against = [complaints(now, flow.after) for now in (flow.before, live, noted(bare, flow.before))]
    return Verdicts(why, *against, unchanged)


def noted(live: list[Data], before: list[Data]) -> list[Data]:
    """As it is after `kubectl apply` without `--server-side`, which notes what it applied."""
    key = "kubectl.kubernetes.io/last-applied-configuration"
    return [
        merged(each, {"metadata": {"annotations": {key: json.dumps(manifest)}}})
        for each, manifest in zip(live, before, strict=True)
    ]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_server_says_what_is_written(flow: Flow, verdicts: dict[str, Verdicts]) -> None:
    assert bool(verdicts[flow.name].why) == flow.refused, verdicts[flow.name].why


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_against_a_tree_says_the_same(flow: Flow, verdicts: dict[str, Verdicts]) -> None:
    found = verdicts[flow.name]
    assert bool(found.tree) == bool(found.why), (found.tree, found.why)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_against_the_cluster_says_the_same(flow: Flow, verdicts: dict[str, Verdicts]) -> None:
    found = verdicts[flow.name]
    assert bool(found.live) == bool(found.noted) == bool(found.why), (found.live, found.noted, found.why)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_what_is_there_already_is_no_change(flow: Flow, verdicts: dict[str, Verdicts]) -> None:
    assert verdicts[flow.name].unchanged == []


class Rebuilt(NamedTuple):
    """What the server and `--against` the tree before have against a profile that changed."""

    why: str
    tree: list[str]
    unchanged: list[str]


@pytest.fixture(scope="module")
def rebuilt(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rebuilt]]:
    use_dynamo(plane, None)
    found = {}
    for number, entry in enumerate(KNOWN["profiles"]):
        folder, space = tmp_path_factory.mktemp("flow"), f"profile-{number}"
        plane.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}])
        files = [
            written(folder, name, merged(KNOWN["profile"], {"metadata": {"namespace": space}, **entry[name]}))
            for name in ("before", "after")
        ]
        streams = [dynagen("build", file).stdout for file in files]
        (folder / "now.yaml").write_text(streams[0], "utf-8")
        plane.kubectl("apply", "--server-side", "-f", "-", input=streams[0])
        live = plane.kubectl("get", "-f", "-", "-o", "yaml", input=streams[0])
        (folder / "live.yaml").write_text(live, "utf-8")
        answer = plane.try_kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", input=streams[1])
        found[entry["name"]] = Rebuilt(
            answer.stderr if answer.returncode else "",
            objections(files[1], folder / "now.yaml"),
            objections(files[0], folder / "live.yaml"),
        )
    yield found
    plane.kubectl(
        "delete", "namespace", "--wait=false", *(f"profile-{number}" for number in range(len(KNOWN["profiles"])))
    )


def written(folder: Path, name: str, profile: Data) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(profile), "utf-8")
    return file


def dynagen(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dynagen", *map(str, words)], cwd=ROOT, capture_output=True, text=True)


def objections(file: Path, now: Path) -> list[str]:
    found = json.loads(dynagen("check", file, "--against", now, "--format", "json").stdout)["findings"]
    return [each["message"] for each in found if each["severity"] == "error" and each["code"] not in WEBHOOK]


@pytest.mark.parametrize("entry", KNOWN["profiles"], ids=lambda entry: entry["name"])
def test_profiles_that_change(entry: Data, rebuilt: dict[str, Rebuilt]) -> None:
    found = rebuilt[entry["name"]]
    assert bool(found.tree) == bool(found.why), (found.tree, found.why)
    assert bool(found.why) == entry.get("refused", bool(found.why)), found.why
    assert found.unchanged == []
