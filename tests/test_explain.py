"""What `explain` names is what a value follows from: nothing is missing and nothing is too much."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import KeyPath, Report, path_text
from dynagen.explain import Explainer, Explanation
from dynagen.layers.rendering import Skipped
from dynagen.manifests.versions import V1ALPHA1
from dynagen.origins.other_values import alternatives
from dynagen.schema.sets import Schemas
from dynagen.text.source import parse
from dynagen.trees.nodes import Map, leaves
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
# Whose graph takes another form than the one that layers are written in.
OLD = ROOT / "tests/cases/good/release-1.1-v1alpha1/profile.yaml"
# Changes that are tried for each value of the profile; all of them in the long run (`make e2e`).
TRIED = 2


def compiled(text: str, home: Path, skipped: list[Skipped] | None = None) -> Compilation:
    report = Report()
    return compile_profile(Request(parse(text, "profile.yaml", report), [], home, home), report, skipped)


def named_leaves(compilation: Compilation, finished: bool) -> dict[tuple[Any, ...], Any]:
    """Each leaf under a name that does not depend on what else is in its lists: its value, and the files that it and its object come from.

    `finished` in the form that the release takes, else in the one that layers are written in.
    """
    assert compilation.authoring
    found = {}
    for manifest, authored in zip(compilation.manifests, compilation.authored, strict=True):
        for path, leaf in leaves((manifest if finished else authored).tree):
            if has_digest(manifest) and path == ("metadata", "name"):
                continue  # follows from all the rest: docs/explain.md
            key = (*plain_identity(manifest), *stable(manifest if finished else authored, path, compilation.authoring))
            said = manifest.api_version if path == ("apiVersion",) else leaf.value
            found[key] = said, leaf.origin.written.file, manifest.at.file
    return found


def has_digest(manifest: Any) -> bool:
    return manifest.kind in ("Job", "Pod")


def plain_identity(manifest: Any) -> tuple[str, ...]:
    """Without the digest at the end of a name."""
    *rest, name = manifest.identity
    return (*rest, name.rpartition("-")[0] if has_digest(manifest) else name)


def is_old(compilation: Compilation) -> bool:
    return any(manifest.api_version == V1ALPHA1 for manifest in compilation.manifests)


def stable(manifest: Any, path: KeyPath, schemas: Schemas) -> Iterator[Any]:
    schema = schemas.find(manifest.api_version, manifest.kind)
    node, tree = schema.root if schema else None, manifest.tree
    for key in path:
        keys = node.merge_keys if node else ()
        tree = tree[key]
        if manifest.api_version == V1ALPHA1 and isinstance(key, int) and isinstance(tree, Map) and "name" in tree:
            keys = ("name",)
        yield tuple(str(tree[name].value) for name in keys if name in tree) if keys else key
        node = node.child(key) if node else None


def explained(profile: Path) -> tuple[Compilation, dict[tuple[Any, ...], Explanation]]:
    skipped: list[Skipped] = []
    compilation = compiled(profile.read_text("utf-8"), profile.parent, skipped)
    assert compilation.authoring
    explainer = Explainer(compilation, skipped)
    found = {}
    forms = compilation.manifests if is_old(compilation) else compilation.authored
    for manifest, compared in zip(compilation.manifests, forms, strict=True):
        for (path, _), explanation in zip(leaves(compared.tree), explainer.explain(manifest), strict=True):
            if has_digest(manifest) and path == ("metadata", "name"):
                continue
            found[*plain_identity(manifest), *stable(compared, path, compilation.authoring)] = explanation
    return compilation, found


def check_explanations(profile: Path, tried: int | None) -> tuple[int, int]:
    """Changes each value of a profile, and compares what changed with what was named. Returns both counts."""
    compilation, explanations = explained(profile)
    assert compilation.profile
    finished = is_old(compilation)
    before = named_leaves(compilation, finished)
    assert explanations.keys() == before.keys()
    named = {key: explanation.named for key, explanation in explanations.items()}
    changes: dict[KeyPath, list[dict[str, Any]]] = {}
    for path, data in alternatives(compilation.profile.data, compilation.library.schema):
        changes.setdefault(path, []).append(data)
    confirmed: set[tuple[Any, KeyPath]] = set()
    possible: set[KeyPath] = set()
    refused: set[KeyPath] = set()
    compiled_profiles = 0
    for path, several in changes.items():
        for data in random.Random(1).sample(several, min(len(several), tried or len(several))):
            other = compiled(json.dumps(data), profile.parent)
            if not other.manifests or not other.profile:
                refused.add(path)  # it might have mattered
                continue
            if other.profile.data == compilation.profile.data:
                continue  # it was the default
            compiled_profiles += 1
            possible.add(path)
            after = named_leaves(other, finished)
            for key, value in before.items():
                there = after.get(key)
                if there is None or there[0] != value[0]:
                    assert path in named[key], f"{key}: changed by {path_text(path)}, which is not named: {data}"
                if there != value:  # another file may make the same object then
                    confirmed.add((key, path))
    if tried is None:
        for key, paths in named.items():
            idle = [path_text(path) for path in (paths & possible) - refused if (key, path) not in confirmed]
            assert not idle, f"{key}: named, and no change of it changes the value: {idle}"
    return compiled_profiles, len(confirmed)


@pytest.mark.slow
@pytest.mark.parametrize("profile", [*EXAMPLES, OLD], ids=lambda path: path.stem)
def test_what_is_not_named_does_not_matter(profile: Path) -> None:
    compiled_profiles, confirmed = check_explanations(profile, TRIED)
    assert compiled_profiles > (50 if profile in EXAMPLES else 20)
    assert confirmed > 100


@pytest.mark.slow
def test_the_release_decides_the_version_and_the_form_of_a_graph() -> None:
    for profile in (EXAMPLES[0], OLD):
        compilation, explanations = explained(profile)
        for (_, kind, _, _, *path), explanation in explanations.items():
            if kind != "DynamoGraphDeployment":
                continue
            named = ("release",) in explanation.named
            if path == ["apiVersion"] or (is_old(compilation) and path[:2] == ["spec", "services"]):
                assert named, path
            elif path[0] in ("kind", "metadata"):
                assert not named, path


SECTION = {
    "type": "object",
    "properties": {
        "names": {"type": "array", "items": {"type": "string"}, "default": ["a", "b"]},
        "replicas": {"type": "integer", "minimum": 0, "default": 2},
    },
}
LOOPS = {
    # Over texts, which are names of objects, and over numbers that were computed.
    "resources/names.yaml": """forEach: {each: "${team.names}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "of-${each.replace('/', '-').lowerAscii()}"}
data: {name: "${each}", first: "${team.names[0]}"}
""",
    "resources/numbers.yaml": """forEach: {number: "${[0, 1, 2, 3].filter(each, each < team.replicas)}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "number-${number}"}
data: {number: "${string(number)}"}
""",
    # An object that says its namespace itself.
    "resources/elsewhere.yaml": """apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: "${team.replicas == 3 ? 'other' : metadata.namespace}"}
data: {a: b}
""",
    # What does not count now.
    "patches/fraction.yaml": """when: ${team.replicas > 0 && 100 / team.replicas == 25}
---
kind: ConfigMap
metadata: {name: number-0}
data: {number: four}
""",
}


@pytest.mark.slow
def test_loops_over_texts_and_numbers_are_explained_exactly(tmp_path: Path) -> None:
    for name, text in {**LOOPS, "schema.json": json.dumps(SECTION)}.items():
        (tmp_path / "team" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "team" / name).write_text(text)
    minimal = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
    (tmp_path / "profile.yaml").write_text(minimal + "overlays: [./team]\n")
    check_explanations(tmp_path / "profile.yaml", None)


@pytest.mark.slow
def test_a_value_is_addressed_by_the_names_of_list_items(dynagen) -> None:  # type: ignore[no-untyped-def]
    path = "spec.components[decode].podTemplate.spec.containers[main].resources.requests.memory"
    run = dynagen("explain", "examples/qwen3-32b-spot-h100.yaml", "dynamographdeployment/qwen3-32b", path)
    assert run.code == 0
    lines = run.stdout.splitlines()
    assert lines[:2] == ["DynamoGraphDeployment/qwen3-32b", f"{path}: 850Gi"]
    rows = [" ".join(line.split()) for line in lines]
    assert any(row.startswith("written ${worker.memory} base/patches/10-workers.yaml:") for row in rows)
    assert any(row.startswith("disagg.decode.gpus = 4 examples/qwen3-32b-spot-h100.yaml:") for row in rows)
    assert "disagg.decode.memory (not set)" in rows
    fact = "facts.gpus.nvidia-h100-80gb.machines[2].memoryGiB = 936 overlays/gke/facts/gpus/nvidia-h100-80gb.yaml:"
    assert any(row.startswith(fact) for row in rows)


@pytest.mark.slow
def test_what_a_value_replaced_is_shown(dynagen) -> None:  # type: ignore[no-untyped-def]
    path = "spec.components[decode].podTemplate.spec.terminationGracePeriodSeconds"
    run = dynagen("explain", "examples/qwen3-32b-spot-h100.yaml", "DynamoGraphDeployment/qwen3-32b", path)
    assert "replaced" in run.stdout
    assert "base/patches/30-worker-shutdown.yaml" in run.stdout


@pytest.mark.slow
def test_a_file_that_does_not_count_is_named_where_it_would_matter(dynagen) -> None:  # type: ignore[no-untyped-def]
    path = "spec.components[decode].podTemplate.spec.terminationGracePeriodSeconds"
    target = ("examples/gke-guide-vllm-disagg.yaml", "DynamoGraphDeployment/vllm-disagg", path)
    rows = [" ".join(line.split()) for line in dynagen("explain", *target).stdout.splitlines()]
    (row,) = [number for number, row in enumerate(rows) if row.startswith("changed if")]
    assert "overlays/gke/patches/30-spot-shutdown.yaml" in rows[row]
    assert rows[row + 1].startswith("spot = false schemas/profile.json:")


@pytest.mark.slow
def test_an_object_is_shown_as_a_tree(dynagen) -> None:  # type: ignore[no-untyped-def]
    target = ("examples/qwen3-32b-spot-h100.yaml", "PersistentVolumeClaim/qwen3-32b-model-cache")
    run = dynagen("explain", *target)
    assert run.code == 0
    assert "  accessModes:\n    - ReadWriteMany  " in run.stdout
    assert "<- modelCache.size" in run.stdout


def test_tools_get_every_value_of_every_object(dynagen) -> None:  # type: ignore[no-untyped-def]
    example = "examples/gke-guide-vllm-agg.yaml"
    shown = json.loads(dynagen("explain", example, "--all", "--format", "json").stdout)
    manifests = compiled((ROOT / example).read_text("utf-8"), ROOT / "examples").manifests
    assert [(each["kind"], each["name"]) for each in shown["objects"]] == [(each.kind, each.name) for each in manifests]
    values = [[tuple(value["path"]) for value in each["values"]] for each in shown["objects"]]
    assert values == [[path for path, _ in leaves(manifest.tree)] for manifest in manifests]
    for each in shown["objects"]:
        for value in each["values"]:
            assert value["written"]["line"] >= 1
            assert all(read["kind"] == "unset" or read["written"]["file"] for read in value["reads"])


@pytest.mark.slow
def test_old_releases_are_explained_in_their_own_form(dynagen) -> None:  # type: ignore[no-untyped-def]
    target = ("tests/cases/good/release-1.1-v1alpha1/profile.yaml", "--format", "json", "--all")
    (graph,) = [
        each
        for each in json.loads(dynagen("explain", *target).stdout)["objects"]
        if each["kind"] == "DynamoGraphDeployment"
    ]
    assert graph["apiVersion"] == "nvidia.com/v1alpha1"
    named = {tuple(value["path"]): [read["path"] for read in value["reads"]] for value in graph["values"]}
    assert named["apiVersion",] == [["release"], ["facts", "releases", "1.1.1", "apiVersion"]]
    replicas = next(path for path in named if path[-1] == "replicas" and "Frontend" not in path)
    assert named[replicas][0][-1] == "replicas"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Service/web"], "no object 'Service/web'"),
        (["dgd/qwen3-32b"], "did you mean 'DynamoGraphDeployment/qwen3-32b'?"),
        (["PersistentVolumeClaim/web"], "did you mean 'PersistentVolumeClaim/qwen3-32b-model-cache'?"),
        (["web"], "'web' is not Kind/name"),
        (["Namespace/inference", "metadata.nam"], "did you mean 'name'?"),
        (["Namespace/inference", "metadata[[["], "is not a path"),
        (["Namespace/inference", "apiVersion.x"], "no 'x' in apiVersion"),
        (["DynamoGraphDeployment/qwen3-32b", "spec.components[9]"], "no '9' in spec.components"),
        (["DynamoGraphDeployment/qwen3-32b", "spec.components[decod]"], "did you mean 'decode'?"),
    ],
)
def test_what_is_not_there_is_refused_with_the_closest_name(dynagen, words, message) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("explain", "examples/qwen3-32b-spot-h100.yaml", *words)
    assert run.code == 1
    assert run.stdout == ""
    assert message in run.stderr


def test_a_profile_that_is_refused_is_not_explained(dynagen) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("explain", "examples/qwen3-32b-spot-h100.yaml", "--all", "--set", "gpu=nvidia-h999")
    assert run.code == 1
    assert "error[DG204]" in run.stderr


@pytest.mark.slow
def test_what_is_in_a_secret_is_not_shown(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "team/resources").mkdir(parents=True)
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2}\n"
    (tmp_path / "team/resources/secret.yaml").write_text(secret)
    minimal = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
    (tmp_path / "profile.yaml").write_text(minimal + "overlays: [./team]\n")
    for words in (["Secret/login"], ["--all", "--format", "json"], ["Secret/login", "stringData.password"]):
        run = dynagen("explain", "profile.yaml", *words, cwd=tmp_path)
        assert run.code == 0, run.stderr
        assert "(hidden)" in run.stdout
        assert "hunter2" not in run.stdout


@pytest.mark.slow
def test_what_a_secret_is_made_from_is_not_shown(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name, text in {
        "schema.json": '{"type": "object", "properties": {"token": {"type": "string"}}}',
        "resources/a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: \"${'hunter3' + team.token}\"}\n",
        "patches/a.yaml": "when: ${team.token == 'x'}\n---\nkind: Secret\nstringData: {a: hunter4}\n",
    }.items():
        (tmp_path / "team" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "team" / name).write_text(text)
    minimal = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
    (tmp_path / "profile.yaml").write_text(minimal + "overlays: [./team]\nteam: {token: hunter2}\n")
    for words in (["Secret/a"], ["Secret/a", "stringData.a"], ["Secret/a", "--format", "json"]):
        run = dynagen("explain", "profile.yaml", *words, cwd=tmp_path)
        assert "team.token" in run.stdout.replace('"team",\n              "token"', "team.token")
        assert "hunter" not in run.stdout


def test_layers_do_not_steer_the_terminal(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "team/resources").mkdir(parents=True)
    config = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {\"a\\e[31m\": \"${'\\e[31m' + '\\u202e'}\"}\n"
    )
    (tmp_path / "team/resources/a\x1b[31m.yaml").write_text(config)
    minimal = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
    (tmp_path / "profile.yaml").write_text(minimal + "overlays: [./team]\n")
    for words in (["ConfigMap/x"], ["ConfigMap/x", "data['a\x1b[31m']"], ["ConfigMap/x", "data.a"]):
        run = dynagen("explain", "profile.yaml", *words, cwd=tmp_path)
        assert (run.stdout + run.stderr).replace("\n", "").isprintable()


def test_facts_that_only_a_layer_reads_are_named_and_so_is_the_key_into_them(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    team = tmp_path / "team"
    (team / "resources").mkdir(parents=True)
    (team / "facts").mkdir()
    (team / "schema.json").write_text('{"type": "object", "properties": {"name": {"type": "string"}}}')
    (team / "facts/teams.yaml").write_text("search: {channel: '#on-call', page: false}\n")
    resource = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: contact}\ndata: {to: '${facts.teams[team.name].channel}'}"
    )
    (team / "resources/contact.yaml").write_text(resource)
    minimal = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
    (tmp_path / "profile.yaml").write_text(minimal + "overlays: [./team]\nteam: {name: search}\n")
    run = dynagen("explain", "profile.yaml", "ConfigMap/contact", "data.to", "--format", "json", cwd=tmp_path)
    assert run.code == 0, run.stderr
    (value,) = json.loads(run.stdout)["objects"][0]["values"]
    read = [each["path"] for each in value["reads"]]
    assert read == [["team", "name"], ["facts", "teams", "search", "channel"]]
    run = dynagen("explain", "profile.yaml", "ConfigMap/contact", "data.to", cwd=tmp_path)
    assert 'data.to: "#on-call"' in run.stdout  # as YAML has it


def test_own_layers_are_marked_and_what_their_lists_replaced_is_said(dynagen: Any, tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(
        (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8") + "overlays: [./team]\n", "utf-8"
    )
    (tmp_path / "team/patches").mkdir(parents=True)
    (tmp_path / "team/patches/team.yaml").write_text(PATCH, "utf-8")
    graph = ["explain", "profile.yaml", "DynamoGraphDeployment/demo"]
    drop = "spec.components[Frontend].podTemplate.spec.containers[main].securityContext.capabilities.drop"
    text = dynagen(*graph, f"{drop}[0]", cwd=tmp_path).stdout
    assert "team/patches/team.yaml:9:55 (yours)\n" in text
    assert "lost        ALL (`- $patch: append` keeps it)  base/patches/" in text
    command = "spec.components[Frontend].podTemplate.spec.containers[main].command"
    words = dynagen(*graph, f"{command}[0]", cwd=tmp_path).stdout.split()
    assert words[-3:-1] == ["lost", "dynamo.frontend"]
    tree = dynagen(*graph, cwd=tmp_path).stdout
    assert "drop:" in tree and "# lost, of base/patches/" in tree and "(yours)\n" in tree
    data = json.loads(dynagen(*graph, "--format", "json", cwd=tmp_path).stdout)
    assert data["layers"] == [{"folder": "base", "shipped": True}, {"folder": "team", "shipped": False}]
    assert [(each["lost"], each["append"]) for each in data["objects"][0]["lists"]] == [
        (["dynamo.frontend"], False),
        (["ALL"], True),
    ]


def test_an_empty_value_is_explained(dynagen: Any, tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(
        (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8") + "overlays: [./team]\n", "utf-8"
    )
    (tmp_path / "team/resources").mkdir(parents=True)
    policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all}\nspec: {podSelector: {}}\n"
    (tmp_path / "team/resources/team.yaml").write_text(policy, "utf-8")
    run = dynagen("explain", "profile.yaml", "NetworkPolicy/all", "spec.podSelector", cwd=tmp_path)
    assert (run.code, run.stdout) == (0, "NetworkPolicy/all  spec.podSelector\n\n{}\n")


PATCH = """\
kind: DynamoGraphDeployment
spec:
  components:
    - name: Frontend
      podTemplate:
        spec:
          containers:
            - name: main
              securityContext: {capabilities: {drop: [NET_RAW]}}
              command: [python3, -m, dynamo.frontend2]
"""
