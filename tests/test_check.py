"""`dynagen check`: many inputs of every kind, its options, and the referee."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests import tools
from tests.conftest import ROOT

BARE = re.sub(r" *#.*", "", (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8"))
PROFILE = BARE + "overlays: [gke]\n"
BROKEN = PROFILE.replace("vllm", "vlm")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: demo}\ndata: {a: b}\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write(tmp_path, {"a.yaml": PROFILE, "deploy/one.yaml": config("one"), "deploy/two.yml": config("two")})
    return tmp_path


def config(name: str, value: str = "b") -> str:
    return CONFIG.replace("NAME", name).replace("a: b", f"a: {value}")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def found(run) -> list[tuple[str, str, int]]:  # type: ignore[no-untyped-def]
    """Code, file and line of each finding."""
    data = json.loads(run.stdout)
    return [(each["code"], each["file"], each["line"]) for each in data["findings"]]


def test_profiles_and_manifests_are_checked_in_one_run(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"b.yaml": BROKEN, "deploy/one.yaml": config("one", "[1]"), "three.json": '{"apiVersion": "v1"}'})
    run = dynagen("check", "a.yaml", "b.yaml", "deploy", "--format", "json", cwd=home)
    assert run.code == 1
    assert found(run) == [("DG204", "b.yaml", 4), ("DG212", "deploy/one.yaml", 4)]
    assert json.loads(run.stdout)["files"] == ["a.yaml", "b.yaml", "deploy/one.yaml", "deploy/two.yml"]


def test_all_is_well_without_a_word(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("check", "a.yaml", "deploy", cwd=home) == (0, "", "")


def test_the_last_line_counts_what_was_found(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    spot = PROFILE.replace("agg: {", "spot: true\nagg: {")
    silenced = re.sub(r"(agg: .*)", r"\1  # dynagen: allow DG415: a test", spot)
    write(home, {"b.yaml": BROKEN, "c.yaml": spot, "d.yaml": silenced, "values.yaml": "a: 1\n"})
    run = dynagen("check", "a.yaml", "b.yaml", "c.yaml", "d.yaml", "values.yaml", cwd=home)
    assert run.stderr.splitlines()[-1] == "1 error, 1 warning, 1 note, 1 silenced"
    strict = dynagen("check", "c.yaml", "d.yaml", "--strict", cwd=home)
    assert (strict.code, strict.stderr.splitlines()[-1]) == (1, "1 error, 1 silenced")


def test_a_terminal_is_told_what_was_done(home: Path) -> None:
    import pty
    import subprocess
    import sys

    def said(*words: str) -> str:
        ours, theirs = pty.openpty()
        subprocess.run([sys.executable, "-m", "dynagen", "check", *words], cwd=home, stderr=theirs, check=False)
        os.close(theirs)
        with os.fdopen(ours, "rb") as stream:
            return os.read(stream.fileno(), 100_000).decode().replace("\r\n", "\n")

    write(home, {"deploy/three.yaml": config("three", "[1]"), "deploy/values.yaml": "a: 1\n"})
    assert said("a.yaml", "deploy/one.yaml") == "1 profile and 1 object in 2 files: all is well\n"
    assert said("a.yaml", "deploy").splitlines()[-1] == "1 profile and 3 objects in 4 files: 1 error, 1 note"


def test_named_files_are_one_stream_and_each_folder_another(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"other/one.yaml": config("one")})
    assert dynagen("check", "deploy", "other", cwd=home).code == 0
    assert dynagen("check", "deploy/one.yaml", "other/one.yaml", cwd=home).code == 0  # nobody says of one cluster
    write(home, {"deploy/three.yaml": config("one")})
    run = dynagen("check", "deploy/one.yaml", "deploy/three.yaml", "--format", "json", cwd=home)
    assert found(run) == [("DG314", "deploy/three.yaml", 1)]


def test_standard_input_may_be_manifests(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    stream = f"---\n{config('one')}---\n{config('two', '{}')}"
    run = dynagen("check", "-", cwd=home, stdin=stream.encode())
    assert run.code == 1
    assert "(standard input):10:8: error[DG212]" in run.stderr
    assert "data: {a: {}}" in run.stderr


def test_what_comes_out_of_build_is_fine_for_check(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for example in sorted((ROOT / "examples").glob("*.yaml")):
        built = dynagen("build", str(example))
        secret = (
            "--external",
            "Secret/hf-token-secret",
            "--external",
            "Secret/qwen-tls",
        )  # the profile says that they are there
        run = dynagen("check", "-", "--strict", *secret, cwd=tmp_path, stdin=built.stdout.encode())
        assert (run.code, run.stderr) == (0, ""), example


def test_layers_are_no_manifests(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """Those that a profile names, in whatever order they are found, and those that look like one."""
    write(
        home,
        {
            "p/z.yaml": BARE + "overlays: [./plain]\n",
            "p/plain/resources/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n",
            "p/plain/resources/b.yaml": "kind: ConfigMap\nmetadata: {name: a}\nspec: 1\n",
            "p/other/patches/c.yaml": 'kind: ConfigMap\nmetadata: {name: "${metadata.name}"}\n',
        },
    )
    wrong = "DG313" in dynagen("check", "p/z.yaml", cwd=home).stderr  # the layer itself is wrong: said once, not twice
    assert wrong
    shutil.copy(home / "p/plain/resources/a.yaml", home / "p/plain/resources/b.yaml")
    (home / "p/plain/resources/b.yaml").unlink()
    for arguments in (["p"], ["p/z.yaml", "p/plain/resources/a.yaml", "p/other/patches/c.yaml"]):
        run = dynagen("check", *arguments, "--format", "json", cwd=home)
        assert (run.code, json.loads(run.stdout)["files"]) == (0, ["p/z.yaml"])
        assert {code for code, _, _ in found(run)} == {"DG117"}


def test_findings_in_a_layer_name_its_file_from_the_current_folder(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    layer = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: [1]}\n"
    write(home, {"p/a.yaml": BARE + "overlays: [./team]\n", "p/team/resources/a.yaml": layer})
    write(home, {"p/b.yaml": PROFILE.replace("name: demo", "name: more") + "overlays: [./team]\n"})
    run = dynagen("check", "p", cwd=home)
    assert run.stderr.count("p/team/resources/a.yaml:4:8: error[DG212]") == 1  # of two profiles, said once
    assert "    4 | data: {a: [1]}" in run.stderr


def test_what_holds_no_object_is_noted(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(
        home,
        {
            "deploy/values.yaml": "<<: 1\nimage: on\n",
            "deploy/kustomization.yaml": "resources: [one.yaml]\n",
            "deploy/package.json": '{\n\t"name": "x"\n}\n',
            "deploy/.hidden/one.yaml": "kind: [",
            "deploy/.hidden.yaml": "kind: [",
            "deploy/empty.yaml": "# nothing\n",
            "deploy/notes.txt": "kind: [",
            "deploy/chart/Chart.yaml": "apiVersion: v2\nname: x\n",
            "deploy/chart/templates/a.yaml": "apiVersion: {{ .x }}\n",
        },
    )
    run = dynagen("check", "deploy", cwd=home)
    assert run.code == 0
    assert run.stderr == (
        "deploy:1:1: note[DG117] not checked: deploy/chart/templates belongs to a Helm chart: build it with `helm template`\n"
        "deploy:1:1: note[DG117] not checked: deploy/empty.yaml, deploy/package.json, deploy/values.yaml, deploy/chart/Chart.yaml: no Kubernetes object in there\n2 notes\n"
    )


def test_a_manifest_that_cannot_be_read_is_an_error_in_a_folder_too(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"deploy/one.yaml": "apiVersion: v1\nkind: [\n", "deploy/three.yaml": "kind: ConfigMap\nspec: {}\n"})
    (home / "deploy/four.yaml").symlink_to("/etc/hostname")
    (home / "deploy/five.yaml").symlink_to("five.yaml")
    os.mkfifo(home / "deploy/six.yaml")
    run = dynagen("check", "deploy", "--format", "json", cwd=home)
    assert found(run) == [
        ("DG101", "deploy/five.yaml", 1),
        ("DG303", "deploy/four.yaml", 1),
        ("DG104", "deploy/one.yaml", 3),
        ("DG101", "deploy/six.yaml", 1),
        ("DG313", "deploy/three.yaml", 1),
    ]


def test_null_is_a_key_that_is_not_there(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """As generators write it: `creationTimestamp: null`, `labels:`."""
    text = config("one").replace("metadata: {", "metadata: {creationTimestamp: null, labels: null, ") + "binaryData:\n"
    write(
        home,
        {
            "deploy/one.yaml": text,
            "deploy/list.yaml": "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}]\n",
        },
    )
    run = dynagen("check", "deploy", "--format", "json", cwd=home)
    assert found(run) == [("DG313", "deploy/list.yaml", 3)]


@pytest.mark.slow
def test_a_stream_of_some_megabytes_is_read(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    many = "".join(f"---\n{config(f'c{number}', 'x' * 200_000)}" for number in range(8))
    assert dynagen("check", "-", cwd=home, stdin=many.encode()) == (0, "", "")
    write(home, {"b.yaml": PROFILE + "# " + "x" * 1024 * 1024})
    for command in ("build", "check"):
        assert "error[DG102] larger than 1024 KiB" in dynagen(command, "b.yaml", cwd=home).stderr
    with (home / "huge.yaml").open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    assert (
        "huge.yaml:1:1: error[DG102] larger than 16384 KiB" in dynagen("check", "a.yaml", "huge.yaml", cwd=home).stderr
    )


def test_settings_of_other_programs_are_not_complained_about(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(
        home,
        {
            "deploy/values.yaml": "ingress:\n  apiVersion: networking.k8s.io/v1\n  enabled: yes\nlog: on\n",
            "deploy/schema.json": '{"properties": {"y": {"type": "string", "pattern": "a\\/b"}}}',
            "deploy/mkdocs.yml": "x: !!python/name:a.b ''\n",
            "deploy/compose.yaml": "services: {<<: *default}\n",
            "deploy/operator.yaml": "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {profile: minimal}\n",
            "deploy/skaffold.yaml": "apiVersion: skaffold/v4beta11\nkind: Config\nmetadata: {name: web}\n",
            "deploy/kubeconfig.yaml": "apiVersion: v1\nkind: Config\nclusters: []\n",
        },
    )
    run = dynagen("check", "deploy", cwd=home)
    assert (run.code, run.stderr.splitlines()[-1]) == (0, "1 note"), run.stderr


def test_yaml_of_other_programs_is_left_out_with_one_note(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(
        home,
        {
            "deploy/nemo.yaml": "name: x\nmodel: {data: {train_ds: ???}}\nbackend: nccl\nmax_time: 05:23:30:00\n",
            "deploy/litellm.yaml": "model: gpt\nenabled: yes\nbackend: vllm\n",
            "deploy/bench.yml": "backend: vllm\nmodel: a\ngpu: 1\nport: 012\n",
            "deploy/values.yaml": "kind: DaemonSet\nimage: {tag: 010}\n",
            "deploy/openapi.yaml": "openapi: 3.0.0\ninfo: {version: 1.0}\npaths: {/x: {get: {responses: {200: {}}}}}\n",
            "deploy/prometheus.yml": "global: {scrape_interval: 15s}\nalert: on\n",
            "deploy/ci.yaml": "on: push\njobs: {a: {<<: *b}}\n",
        },
    )
    run = dynagen("check", "deploy", cwd=home)
    assert (run.code, run.stderr.count("DG117")) == (0, 1), run.stderr
    assert "deploy/openapi.yaml and 2 more: no Kubernetes object in there" in run.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("apiVersoin: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "DG313"),
        ("apiVersion: v1\nKind: ConfigMap\nmetadata: {name: a}\n", "DG313"),
        ("apiversion: v1\nKind: Pod\nmetadata: {name: a}\nspec: {}\n", "DG313"),
        ("kind: Deployment\nmetadata: {name: a}\nspec: [\n", "DG104"),
        ("Kind: Profile\nmetadata: {name: a}\nbackend: vllm\nmodel: a/b\ngpu: nvidia-l4\n", "DG201"),
    ],
)
def test_an_object_whose_keys_are_misspelt_is_no_other_yaml(dynagen, home: Path, text: str, code: str) -> None:  # type: ignore[no-untyped-def]
    write(home, {"deploy/bad.yaml": text})
    run = dynagen("check", "deploy", cwd=home)
    assert (run.code, f"error[{code}]" in run.stderr) == (1, True), run.stderr


def test_plain_manifests_are_read_as_kubectl_reads_them(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    policy = "kind: PeerAuthentication\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {app: a}}\n  portLevelMtls: {8090: {mode: DISABLE}}\n"
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}, annotations: {since: 2024-01-01}}\n"
        "spec:\n  containers: [{name: a, image: 'a:1', volumeMounts: [{name: v, mountPath: /v}]}]\n"
        "  volumes: [{name: v, configMap: {name: one, defaultMode: 0440}}]\n"
    )
    write(home, {"deploy/mesh.yaml": f"apiVersion: security.istio.io/v1\n{policy}", "deploy/pod.yaml": pod})
    assert dynagen("check", "deploy", cwd=home) == (0, "", "")
    write(home, {"deploy/pod.yaml": pod.replace("0440", "0640 "), "deploy/env.yaml": config("three", "0644")})
    assert found(dynagen("check", "deploy", "--format", "json", cwd=home)) == [("DG212", "deploy/env.yaml", 4)]


def test_an_api_server_may_make_up_a_name(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    job = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: bench-}\n"
    write(home, {"jobs/a.yaml": f"{job}---\n{job}"})
    assert dynagen("check", "jobs", cwd=home) == (0, "", "")


def test_what_is_missing_is_said_once_in_a_file(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    pods = [
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a{n}}}\nspec:\n  containers:\n"
        f"    - {{name: a, image: 'a:1', envFrom: [{{secretRef: {{name: login}}}}]}}\n"
        for n in range(7)
    ]
    write(home, {"pods/a.yaml": "---\n".join(pods), "pods/b.yaml": pods[0].replace("a0", "b0")})
    run = dynagen("check", "pods", "--format", "json", cwd=home)
    assert found(run) == [("DG470", "pods/a.yaml", 6), ("DG470", "pods/b.yaml", 6)]
    related = json.loads(run.stdout)["findings"][0]["related"]
    assert [(each["message"], each["line"]) for each in related] == [
        ("also here", 13), ("also here", 20), ("also here", 27), ("also here, and at 2 more places", 34),
    ]  # fmt: skip
    write(
        home, {"pods/a.yaml": "---\n".join(pods).replace("login}}]}\n", "login}}]} # dynagen: allow DG470: later\n", 1)}
    )
    assert found(dynagen("check", "pods/a.yaml", "--format", "json", cwd=home)) == [
        ("DG470", "pods/a.yaml", 6), ("DG470", "pods/a.yaml", 13),
    ]  # fmt: skip


def test_a_template_is_said_to_be_one(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"})
    run = dynagen("check", "web.yaml", cwd=home)
    assert "hint: a template? check what comes out of it: `helm template CHART | dynagen check -`" in run.stderr


def test_patches_of_a_kustomization_are_no_manifests(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"
    write(
        home,
        {
            "deploy/prod/kustomization.yaml": "resources: [../one.yaml]\npatches: [{path: replicas.yaml}]\n",
            "deploy/prod/replicas.yaml": patch,
        },
    )
    run = dynagen("check", "deploy", cwd=home)
    assert run.code == 0, run.stderr
    assert "not checked: deploy/prod/replicas.yaml is a patch: build it with `kubectl kustomize`" in run.stderr
    (home / "deploy/prod/kustomization.yaml").unlink()
    assert "error[DG212]" in dynagen("check", "deploy", cwd=home).stderr


def test_an_imported_crd_is_used_from_a_relative_folder(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    properties = "{spec: {type: object, properties: {size: {type: integer}}}}"
    crd = f"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.example.com}}
spec:
  group: example.com
  names: {{kind: Thing, plural: things}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, properties: {properties}}}}}
"""
    (home / "crd.yaml").write_text(crd)
    (home / "thing.yaml").write_text("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: b}\n")
    assert dynagen("schemas", "import", "crd.yaml", "-o", "own", cwd=home).code == 0
    run = dynagen("check", "thing.yaml", "--schemas", "own", cwd=home)
    assert run.stderr.startswith("thing.yaml:4:8: error[DG212] Thing 'a': spec.size: expected integer"), run.stderr


def test_profiles_of_one_folder_do_not_bring_the_same(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    other = PROFILE.replace("name: demo", "name: other")
    bare = BARE.replace("name: demo", "name: other")
    istio = "overlays: [gke, istio]\nistio: {host: a.example.com, tlsCredential: a-tls}\n"
    gke = "overlays: [gke]\ngke: {gateway: {host: a.example.com}}\n"
    write(home, {"b.yaml": other, "prod/b.yaml": other, "c.yaml": other + "createNamespace: false\n"})
    assert dynagen("check", "a.yaml", "prod/b.yaml", "c.yaml", cwd=home) == (0, "", "")
    run = dynagen("check", "a.yaml", "b.yaml", "--format", "json", cwd=home)
    assert (run.code, found(run)) == (0, [("DG661", "b.yaml", 3)])
    for section in (istio, gke):
        write(home, {"a.yaml": BARE + section, "c.yaml": bare + "createNamespace: false\n" + section})
        run = dynagen("check", "a.yaml", "c.yaml", "--format", "json", cwd=home)
        line = (home / "c.yaml").read_text().count("\n")
        assert found(run) == [("DG662", "c.yaml", line)], run.stdout
        write(home, {"d.yaml": (BARE + section).replace("minReplicas", "")})
        assert "DG66" not in dynagen("check", "a.yaml", "d.yaml", cwd=home).stderr  # the same graph, elsewhere


def test_trees_side_by_side_do_not_bring_the_same(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """One Namespace and one host of two profiles, but not in the trees of one profile, and not with two releases."""
    text = BARE + "overlays: [gke]\ngke: {gateway: {host: a.example.com}}\n"
    write(home, {"a.yaml": text, "b.yaml": text.replace("name: demo", "name: other")})
    for name in "ab":
        assert dynagen("build", f"{name}.yaml", "-o", f"out/{name}", cwd=home).code == 0
    run = dynagen("check", "out", "--format", "json", cwd=home)
    assert {code for code, _, _ in found(run)} == {"DG663", "DG664"}, run.stdout
    assert dynagen("check", "out/a", "out/b", cwd=home) == (0, "", "")
    assert dynagen("build", "b.yaml", "--set", "release=1.5.1", "-o", "out/b", cwd=home).code == 0
    assert dynagen("check", "out", cwd=home) == (0, "", "")
    assert dynagen("build", "a.yaml", "-o", "out/c", cwd=home).code == 0
    shutil.rmtree(home / "out/b")
    assert dynagen("check", "out", cwd=home) == (0, "", "")


def test_a_rule_with_a_function_that_is_not_here_is_noted(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """A CRD with such a rule can be imported, and only an object for which the function is called gets the note."""
    crd = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {to: {type: string}}
          x-kubernetes-validations: [{rule: "!has(self.to) || isIP(self.to)", message: an address}]
"""
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"
    write(home, {"crd.yaml": crd, "thing.yaml": thing + "to: 10.0.0.1\n", "other.yaml": thing})
    assert dynagen("schemas", "import", "crd.yaml", "-o", "own", cwd=home).code == 0
    run = dynagen("check", "thing.yaml", "--schemas", "own", cwd=home)
    assert run.code == 0
    assert run.stderr.startswith(
        "thing.yaml:4:1: note[DG216] Thing 'a': rule '!has(self.to) || isIP(self.to)' cannot be evaluated here, because it"
        " calls 'isIP'; the API server will\n"
    ), run.stderr
    assert dynagen("check", "other.yaml", "--schemas", "own", cwd=home).stderr == ""
    write(home, {"crd.yaml": crd.replace("isIP", "isEmail")})
    run = dynagen("schemas", "import", "crd.yaml", "-o", "other", cwd=home)
    assert run.code == 1
    assert "unknown function 'isEmail'" in run.stderr


@pytest.mark.oracle
def test_kinds_of_ones_own_have_schemas(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nsize: "
    schema = {"properties": {"apiVersion": {}, "kind": {}, "metadata": {}, "size": {"type": "integer"}}}
    write(home, {"deploy/thing.yaml": thing + "big\n", "sets/example.com/thing_v1.json": json.dumps(schema)})
    assert "error[DG211]" in dynagen("check", "deploy", cwd=home).stderr
    assert "deploy/thing.yaml:4:1: error[DG212]" in dynagen("check", "deploy", "--schemas", "sets", cwd=home).stderr
    write(home, {"deploy/thing.yaml": thing + "1\n"})
    program = tools.path("kubeconform")
    assert dynagen("check", "deploy", "--schemas", "sets", f"--kubeconform={program}", cwd=home).code == 0
    write(home, {"sets/example.com/thing_v1.json": '{"properties": 1}'})
    run = dynagen("check", "deploy", "--schemas", "sets", cwd=home)
    assert (run.code, "sets/example.com/thing_v1.json:1:1: error[DG214]" in run.stderr) == (1, True)
    assert dynagen("check", "deploy", "--schemas", "missing", cwd=home).code == 2


def test_json_with_tabs_is_fine(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": 1}}
    write(home, {"a.json": json.dumps(data, indent="\t")})
    assert found(dynagen("check", "a.json", "--format", "json", cwd=home)) == [("DG212", "a.json", 8)]


def test_nothing_to_check_is_an_error_unless_allowed(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"values.yaml": "a: 1\n", "empty/x.txt": ""})
    for arguments in (["values.yaml"], ["empty"], ["values.yaml", "empty"]):
        run = dynagen("check", *arguments, cwd=home)
        assert run.code == 1
        assert "error[DG116] nothing to check" in run.stderr
        assert dynagen("check", "--allow-empty", *arguments, cwd=home).code == 0
    assert dynagen("check", "--allow-empty", cwd=home).code == 0
    assert dynagen("check", cwd=home).code == 2


@pytest.mark.parametrize(
    "text",
    [
        "model: llama\ntrainer:\n  max_time: 05:23:30:00\n",
        "model: gpt\nenabled: yes\n",
        "backend: vllm\nport: 012\n",
        "enabled: yes\nreplicas: 012\n",
        "model: {name: x}\ngpu: 1\ndata: {}\noptim: {}\n",
    ],
)
def test_the_file_of_another_program_is_told_what_it_is_not(dynagen, home: Path, text: str) -> None:  # type: ignore[no-untyped-def]
    write(home, {"train.yaml": text})
    for arguments, stdin in ((["train.yaml"], None), (["-"], text.encode())):
        run = dynagen("check", *arguments, "--format", "json", cwd=home, stdin=stdin)
        assert [code for code, _, _ in found(run)] == ["DG116"]
        assert "apiVersion: dynagen.dev/v1alpha1" in run.stdout


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("model: Qwen/Qwen3-0.6B\n", {"DG203"}),
        (PROFILE.replace("kind: Profile\n", ""), {"DG203"}),
        (PROFILE.replace("apiVersion: dynagen.dev/v1alpha1\n", ""), {"DG203"}),
        (PROFILE.replace("kind: Profile", "kind: Profil"), {"DG205"}),
    ],
)
def test_a_profile_without_its_first_lines_is_still_helped(dynagen, home: Path, text: str, codes: set[str]) -> None:  # type: ignore[no-untyped-def]
    write(home, {"b.yaml": text})
    run = dynagen("check", "b.yaml", "--format", "json", cwd=home)
    assert {code for code, _, _ in found(run)} == codes


def test_a_profile_that_says_the_wrong_version_is_still_one(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"b.yaml": PROFILE.replace("apiVersion:", "apiVersionn:"), "c.yaml": PROFILE.replace("v1alpha1", "v2")})
    run = dynagen("check", "a.yaml", "b.yaml", "c.yaml", "--format", "json", cwd=home)
    assert {(code, file) for code, file, _ in found(run)} == {("DG201", "b.yaml"), ("DG205", "c.yaml")}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a.yaml", "--set", "spot=true"], 0),
        (["a.yaml", "deploy", "--set", "spot=true"], 0),
        (["a.yaml", "b.yaml", "--set", "spot=true"], 2),
        (["deploy", "-f", "a.yaml"], 2),
        (["deploy/one.yaml", "--set", "spot=true"], 2),
        (["missing.yaml", "--set", "spot=true"], 1),
        (["deploy", "--release", "1.6.1", "--kubernetes", "1.31"], 0),
        (["deploy", "--release", "9.9"], 2),
        (["deploy", "--kubernetes", "1.3"], 2),
        (["deploy", "--external", "Secret/login", "--external", "Secret/team/login"], 0),
        (["deploy", "--external", "login"], 2),
        (["deploy", "--external", "Secret/login\n"], 2),
        (["deploy", "--kubeconform=/no/such/program"], 2),
        (["deploy", "--format", "xml"], 2),
        (["-", "-"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_fit_the_inputs(dynagen, home: Path, arguments: list[str], code: int) -> None:  # type: ignore[no-untyped-def]
    write(home, {"b.yaml": PROFILE})
    run = dynagen("check", *arguments, cwd=home, stdin=PROFILE.encode())
    assert run.code == code, run.stderr
    assert run.stdout == ""


def test_external_objects_may_be_told_to_profiles_and_manifests(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("check", "a.yaml", "deploy", "--external", "Secret/login", cwd=home).code == 0


@pytest.mark.slow
def test_profiles_that_are_fine_leave_nothing_in_memory(tmp_path: Path) -> None:
    import gc
    import tracemalloc

    from dynagen.checking.manifests import Target
    from dynagen.checking.paths import check_paths
    from dynagen.checking.streams import Options

    def kept(count: int) -> int:
        folder = tmp_path / str(count)
        write(folder, {f"{number}.yaml": PROFILE for number in range(count)})
        gc.collect()
        tracemalloc.start()
        outcome = check_paths([str(folder)], Options(Target("1.35", "1.6.1")), {}, set())
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(outcome.checked) == count and not outcome.failed
        return size

    kept(10)  # imports, and what is read once
    # One compilation takes megabytes. What may remain is a name, and what caches of a fixed size hold by chance.
    assert kept(60) < kept(10) + 2_000_000


def test_a_report_is_written_whole_or_not_at_all(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", "deploy", "--format", "json", "--output-file", "report.json", cwd=home)
    assert (run.code, run.stdout, run.stderr) == (0, "", "")
    assert json.loads((home / "report.json").read_text())["summary"]["files"] == 2
    (home / "report.json").chmod(0o640)
    run = dynagen("check", "deploy", "--format", "text", "--output-file", "report.json", cwd=home)
    assert (home / "report.json").read_text() == ""
    assert (home / "report.json").stat().st_mode & 0o777 == 0o640
    write(home, {"deploy/one.yaml": "kind: ["})
    for name in ("no/such/folder/x", "a" * 300, "deploy", "/dev/full"):
        refused = dynagen("check", "deploy", "--format", "json", "--output-file", name, cwd=home)
        assert refused.code == 1
        assert "error: cannot write" in refused.stderr
    assert sorted(path.name for path in home.iterdir()) == ["a.yaml", "deploy", "report.json"]


@pytest.mark.slow
def test_a_device_is_written_to(home: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "dynagen", "check", "a.yaml", "--format", "json", "--output-file", "/dev/stdout"]
    done = subprocess.run(command, cwd=home, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert json.loads(done.stdout)["files"] == ["a.yaml"]


# The referee.

STRICTER = {
    "type": "object",
    "properties": {"data": {"type": "object", "properties": {"a~/b": {"format": "date"}}}},
}


@pytest.mark.oracle
def test_the_referee_agrees_about_the_examples(dynagen) -> None:  # type: ignore[no-untyped-def]
    program = tools.path("kubeconform")
    secret = ("--external", "Secret/hf-token-secret")
    run = dynagen("check", "examples", "out/gke-guide-vllm-agg", *secret, f"--kubeconform={program}")
    assert (run.code, "error" in run.stderr) == (0, False), run.stderr


@pytest.mark.oracle
def test_the_referee_is_found_on_the_path(dynagen, home: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PATH", str(home))
    run = dynagen("check", "--kubeconform", "a.yaml", cwd=home)
    assert run.code == 2
    assert "there is no program 'kubeconform'" in run.stderr and "--kubeconform=PATH" in run.stderr
    monkeypatch.setenv("PATH", f"{tools.path('kubeconform').parent}:{os.environ['PATH']}")
    assert dynagen("check", "--kubeconform", "a.yaml", cwd=home).code == 0


@pytest.mark.oracle
def test_what_the_referee_finds_points_at_the_line(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """A schema with a keyword that we pass over and kubeconform does not: the two disagree, DG217 says where."""
    layer = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\ndata:\n  c: d\n  a~/b: ${model}\n"
    write(
        home,
        {
            "a.yaml": BARE + "overlays: [./team]\n",
            "team/resources/a.yaml": layer,
            "team/schemas/example.com/thing_v1.json": json.dumps(STRICTER),
        },
    )
    program = tools.path("kubeconform")
    assert dynagen("check", "a.yaml", cwd=home).code == 0
    run = dynagen("check", "a.yaml", f"--kubeconform={program}", "--format", "json", cwd=home)
    assert run.code == 1
    line = next(number for number, text in enumerate(PROFILE.splitlines(), 1) if text.startswith("model:"))
    (finding,) = json.loads(run.stdout)["findings"]
    assert (finding["code"], finding["file"], finding["line"]) == ("DG217", "a.yaml", line)
    assert finding["message"].startswith(
        "Thing 'a': kubeconform says data['a~/b']: 'Qwen/Qwen3-0.6B' is not valid date"
    )
    assert [(each["file"], each["line"]) for each in finding["related"]] == [("team/resources/a.yaml", 6)]


@pytest.mark.oracle
def test_manifests_get_the_referee_too(home: Path) -> None:
    from dynagen.checking.kubeconform import Finding, findings_of

    write(home, {"sets/v1/configmap_v1.json": json.dumps(STRICTER)})
    data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a~/b": "x"}}
    twin = {**data, "metadata": {"name": "b"}, "data": {"a~/b": "2026-01-31"}}
    stranger = {**data, "kind": "Stranger"}
    found = findings_of(str(tools.path("kubeconform")), [data, twin, stranger], [home / "sets"])
    assert [[each.path for each in against] for against in found] == [[("data", "a~/b")], [], [()]]
    assert isinstance(found[0][0], Finding)
    assert "could not find schema for Stranger" in found[2][0].message


@pytest.mark.parametrize(
    "script", ["exit 1", "echo nonsense", "echo '{}'", "echo '{\"resources\": []}'", "echo no >&2"]
)
def test_a_referee_that_does_not_answer_is_an_error(dynagen, home: Path, script: str) -> None:  # type: ignore[no-untyped-def]
    write(home, {"fake": f"#!/bin/sh\n{script}\n"})
    (home / "fake").chmod(0o755)
    run = dynagen("check", "deploy", "--kubeconform=./fake", cwd=home)
    assert run.code == 1
    assert "error[DG217] kubeconform gives no verdict: " in run.stderr


# An earlier tree.

EXAMPLE, TREE = "examples/qwen3-32b-spot-h100.yaml", "out/qwen3-32b-spot-h100"


def test_what_an_update_may_not_change_is_an_error(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lines = (ROOT / EXAMPLE).read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.lstrip().startswith(("prefill:", "decode:")))
    (tmp_path / "profile.yaml").write_text(text.replace("disagg:", "agg: {replicas: 2, gpus: 2}"))
    run = dynagen("check", "profile.yaml", "--against", str(ROOT / TREE), cwd=tmp_path)
    assert run.code == 1
    said = "components 'prefill', 'decode' are gone and component 'worker' is new"
    assert f"profile.yaml:10:1: error[DG465] DynamoGraphDeployment 'qwen3-32b': {said}" in run.stderr
    assert run.stderr.count("error[") == 1
    assert dynagen("check", "profile.yaml", cwd=tmp_path).code == 0


@pytest.mark.parametrize("paths", [[EXAMPLE], [TREE, "--external", "Secret/hf-token-secret"]])
def test_what_has_not_changed_is_fine(dynagen, paths: list[str]) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", *paths, "--against", TREE)
    assert (run.code, run.stderr.count("error")) == (0, 0), run.stderr


def test_rules_that_compare_with_what_was_count(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    graph = next((ROOT / TREE).glob("dynamographdeployment-*.yaml")).read_text("utf-8")
    (tmp_path / "graph.yaml").write_text(graph.replace("backendFramework: vllm", "backendFramework: sglang"))
    secret = ("--external", "Secret/hf-token-secret", "--external", "PersistentVolumeClaim/qwen3-32b-model-cache")
    run = dynagen("check", str(tmp_path / "graph.yaml"), "--against", TREE, *secret)
    assert run.code == 1
    assert "backendFramework is immutable" in run.stderr or "error[DG466]" in run.stderr
    assert "error[DG215]" in run.stderr or "error[DG466]" in run.stderr


def test_nothing_to_compare_with_is_an_error(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for path, code in ((str(tmp_path), "DG116"), (str(tmp_path / "none"), "DG101"), (EXAMPLE, "DG116")):
        run = dynagen("check", EXAMPLE, "--against", path)
        assert run.code == 1
        assert f"error[{code}]" in run.stderr


def test_null_is_not_there_unless_nobody_knows_the_field(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    known = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: }\ndata: null\n"
    assert dynagen("check", "-", cwd=tmp_path, stdin=known.encode()).code == 0
    empty = known.replace("data: null", "data: {a/b: null}")  # Go reads an empty text
    assert "error[DG441]" in dynagen("check", "-", cwd=tmp_path, stdin=empty.encode()).stderr
    run = dynagen("check", "-", cwd=tmp_path, stdin=f"{known}dta: null\n".encode())
    assert "error[DG212] ConfigMap 'a': dta: unknown field 'dta'" in run.stderr


def test_the_schemas_of_ones_own_may_refer_to_themselves(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    schema = {"type": "object", "properties": {"spec": {"$ref": "#/$defs/spec"}}, "$defs": {"spec": {"type": "string"}}}
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: 1\n"
    write(home, {"sets/example.com/thing_v1.json": json.dumps(schema), "thing.yaml": thing})
    run = dynagen("check", "thing.yaml", "--schemas", "sets", "--format", "json", cwd=home)
    assert found(run) == [("DG212", "thing.yaml", 4)]


def test_a_rule_in_a_schema_of_ones_own_is_checked(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.("}]}
    thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"
    write(home, {"sets/example.com/thing_v1.json": json.dumps(schema), "thing.yaml": thing})
    run = dynagen("check", "thing.yaml", "--schemas", "sets", "--format", "json", cwd=home)
    assert found(run) == [("DG214", "sets/example.com/thing_v1.json", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "kind: &kind Secret\nstringDat: {a: hunter2}\n",
        "kind: secret\nstringDat: {a: hunter2}\n",
        "kind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}, stringDat: {a: hunter2}}\n",
        "kind: Secret\nstringData: {a: 0123456}\n",
        "stringData: {a: 0123456}\nkind: Secret\n",
        "kind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: 0123456}}\n",
    ],
)
@pytest.mark.parametrize("format_", ["text", "json", "sarif", "junit", "github"])
def test_what_is_in_a_secret_is_never_shown(dynagen, home: Path, text: str, format_: str) -> None:  # type: ignore[no-untyped-def]
    write(home, {"secret.yaml": f"apiVersion: v1\nmetadata: {{name: a}}\n{text}"})
    run = dynagen("check", "secret.yaml", "--format", format_, cwd=home)
    assert run.code == 1
    assert "hunter2" not in run.stdout + run.stderr
    assert "0123456" not in run.stdout + run.stderr


def test_half_a_character_is_refused_and_two_halves_are_one_in_json(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    smile = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "\U0001f600"}}
    )
    write(home, {"whole.json": smile, "half.json": smile.replace("\\ude00", ""), "yaml.yaml": f"---\n{smile}"})
    assert found(dynagen("check", "whole.json", "--format", "json", cwd=home)) == []
    for name in ("half.json", "yaml.yaml"):  # kubectl takes no escape of YAML for half a character
        assert [code for code, _, _ in found(dynagen("check", name, "--format", "json", cwd=home))] == ["DG104"]


@pytest.mark.parametrize(
    "rest",
    [
        "v1beta1 SPEC 5",
        "v1beta1 SPEC {components: {a: b}}",
        "v1beta1 SPEC {components: [5]}",
        "v1alpha1 SPEC {services: [1], backendFramework: {}}",
    ],
)
def test_earlier_objects_that_are_none_are_refused(dynagen, home: Path, rest: str) -> None:  # type: ignore[no-untyped-def]
    version, spec = rest.split(" SPEC ")
    graph = (
        f"apiVersion: nvidia.com/{version}\nkind: DynamoGraphDeployment\nmetadata: {{name: demo, namespace: dynamo}}\n"
    )
    write(home, {"old.yaml": f"{graph}spec: {spec}\n"})
    run = dynagen("check", "a.yaml", "--against", "old.yaml", "--format", "json", cwd=home)
    assert {(code, file) for code, file, _ in found(run)} == {("DG212", "old.yaml")}


def test_standard_input_is_not_compared_with_itself(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    run = dynagen("check", "-", "--against", "-", cwd=home, stdin=config("one").encode())
    assert (run.code, "read only once" in run.stderr) == (2, True)


def test_a_release_that_a_layer_takes_away_is_no_default(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"p.yaml": BARE + "overlays: [./team]\n", "team/facts/releases.yaml": "1.6.1: null\n"})
    run = dynagen("check", "p.yaml", cwd=home)
    assert run.code == 1
    assert "'release' is missing" in run.stderr


def test_facts_that_are_looked_up_may_end_in_yml(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    write(home, {"p.yaml": BARE + "overlays: [./team]\n", "team/facts/models/Qwen.yml": "Qwen3-0.6B: 5\n"})
    run = dynagen("check", "p.yaml", "--format", "json", cwd=home)
    assert ("DG202", "team/facts/models/Qwen.yml", 1) in found(run)


def test_a_report_does_not_replace_what_is_checked(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    (home / "link.yaml").symlink_to("a.yaml")
    run = dynagen("check", "a.yaml", "--format", "json", "--output-file", "link.yaml", cwd=home)
    assert run.code == 2
    assert (home / "a.yaml").read_text("utf-8") == PROFILE


def test_strict_hides_nothing_that_comes_later(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """A warning that counts as an error stops no stage."""
    patch = "kind: DynamoGraphDeployment\nspec: {components: [{name: worker, replica: 3}]}\n"
    one = BARE.replace("replicas: 2", "replicas: 1") + "spot: true\noverlays: [gke, ./team]\n"
    write(home, {"one.yaml": one, "team/patches/a.yaml": patch})
    codes = [code for code, *_ in found(dynagen("check", "one.yaml", "--format", "json", cwd=home))]
    assert "DG212" in codes and len(codes) > 1
    assert [code for code, *_ in found(dynagen("check", "one.yaml", "--format", "json", "--strict", cwd=home))] == codes
    assert dynagen("build", "one.yaml", "--set", "overlays=gke", cwd=home).code == 0
    strict = dynagen("build", "one.yaml", "--set", "overlays=gke", "--strict", cwd=home)
    assert strict.code == 1 and strict.stdout == ""


def test_one_object_that_is_wrong_does_not_hide_what_is_wrong_with_others(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    """Others may name it all the same: nobody knows what is in it."""
    job = (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: NAME, namespace: demo}\nspec:\n  schedule: SCHEDULE\n"
        "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'x:1',"
        " envFrom: [{configMapRef: {name: CONFIG}}]}]}}}}\n"
    )
    broken = config("one").replace("a: b", "a: 1")
    bad = job.replace("NAME", "bad").replace("SCHEDULE", "often").replace("CONFIG", "two")
    good = job.replace("NAME", "good").replace("SCHEDULE", "'@daily'").replace("CONFIG", "one")
    write(home, {"deploy/one.yaml": broken, "deploy/bad.yaml": bad, "deploy/good.yaml": good})
    run = dynagen("check", "deploy", "--format", "json", cwd=home)
    assert [code for code, *_ in found(run)] == ["DG443", "DG212"]


def test_a_tree_that_is_not_as_it_was_built_is_told_so(dynagen, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert dynagen("build", "a.yaml", "-o", "out", cwd=home).code == 0
    assert dynagen("check", "out", "--strict", cwd=home) == (0, "", "")
    graph = next((home / "out").glob("dynamographdeployment-*"))
    graph.write_text(graph.read_text().replace("replicas: 2", "replicas: 7", 1))
    run = dynagen("check", "out", "--format", "json", cwd=home)
    assert (run.code, [code for code, *_ in found(run)]) == (0, ["DG507"])
    next((home / "out").glob("networkpolicy-*")).unlink()
    run = dynagen("check", "out", "--format", "json", cwd=home)
    assert run.code == 1 and {code for code, *_ in found(run)} >= {"DG507", "DG508"}
    assert dynagen("build", "a.yaml", "--force", "-o", "out", cwd=home).code == 0
    assert dynagen("check", "out", "--strict", cwd=home) == (0, "", "")
