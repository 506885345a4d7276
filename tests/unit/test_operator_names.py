"""How long a graph's name may be is said once: profiles and plain manifests get the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynagen.compiler import Request, compile_profile
from dynagen.diagnostics import Report
from dynagen.text.source import parse
from tests.unit.linting import GROVE, report_of

GRAPH = """
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {{name: {name}, namespace: {space}}}
spec:
  components:
    - {{name: Frontend, type: frontend, podTemplate: {{spec: {{containers: [{{name: main, image: a:1.6.1}}]}}}}}}
    - {{name: {worker}, type: worker, podTemplate: {{spec: {{containers: [{{name: main, image: a:1.6.1}}]}}}}}}
"""


def of_manifest(name: str, space: str, worker: str, external: tuple[str, ...] = ()) -> list[str]:
    return too_long(GRAPH.format(name=name, space=space, worker=worker), external)


def too_long(text: str, external: tuple[str, ...]) -> list[str]:
    return [each.message for each in report_of(text, external=external).diagnostics if each.code == "DG406"]


def of_profile(name: str, space: str) -> list[str]:
    text = (
        "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\n"
        f"metadata: {{name: {name}, namespace: {space}}}\n"
        "backend: vllm\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-l4\nagg: {}\n"
    )
    report = Report()
    compile_profile(Request(parse(text, "profile.yaml", report), [], Path(), Path()), report)
    return [each.message for each in report.diagnostics if each.code == "DG406"]


# <graph>-worker-<hash> in a short namespace, <namespace>-<graph> in a long one.
@pytest.mark.parametrize(("space", "longest"), [("a", 63 - len("-worker") - 9), ("n" * 40, 63 - 41)])
def test_the_longest_name_is_the_same_for_a_profile_and_for_a_manifest(space: str, longest: int) -> None:
    name = "g" * longest
    assert (of_profile(name, space), of_manifest(name, space, "worker")) == ([], [])
    assert of_profile(name + "g", space) != []
    assert of_manifest(name + "g", space, "worker") != []


def test_the_name_of_a_worker_has_a_hash_unless_grove_makes_it() -> None:
    name = "g" * 50
    (message,) = of_manifest(name, "a", "worker")
    assert message.endswith(f"the operator makes '{name}-worker-<hash>' of it, of 66 characters: 63 are possible")
    assert of_manifest(name, "a", "worker", (GROVE,)) == []


def test_a_component_that_is_no_worker_has_its_plain_name() -> None:
    text = GRAPH.format(name="g" * 54, space="a", worker="w").replace("type: worker", "type: planner")
    assert too_long(text, ()) == []
    (message,) = too_long(text.replace("name: g", "name: gg"), ())
    assert message.endswith("g-frontend' of it, of 64 characters: 63 are possible")
