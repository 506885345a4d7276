"""Small inputs that once took much memory or time: each ends in one clear error, within 2 s of the processor and 300 MiB."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

HEAD = (ROOT / "tests/cases/good/minimal/profile.yaml").read_text("utf-8")
TEAM = HEAD + "overlays: [./team]\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
LOOPED = "forEach: {x: '${[%s]}'}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'a${string(x)}'}\ndata: {a: '%s'}\n"
NAMES = [f"name{number}" for number in range(3_000)]
DEPLOYMENT = (
    "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a{0}, namespace: a}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, "
    "nosuch: 1, template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: a, image: 'a:1'}}]}}}}}}\n"
)
DIAMOND = {f"d{n}": {"properties": {key: {"$ref": f"#/$defs/d{n + 1}"} for key in "ab"}} for n in range(60)} | {
    "d60": {}
}


def many(text: str, number: int, between: str = ", ") -> str:
    return between.join(text.format(each) for each in range(number))


TAGS = ["\n    - {tags: [" + many(f"u{n}{{0}}", 90) + "]}" for n in range(600)]
WIDGETS = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                parts:
                  type: array
                  items:
                    type: object
                    properties: {tags: {type: array, items: {type: string}}}
                    x-kubernetes-validations: [{rule: "self.tags.all(x, self.tags.exists(y, y == x))"}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: a}
spec:
  parts:"""

CASES: dict[str, tuple[Mapping[str, str], list[str], str]] = {
    "aliases of a long text": ({"p.yaml": f"{HEAD}env:\n  A: &a '{'x' * 60_000}'\n" + many("  A{0}: *a\n", 2_000, "")}, ["build", "p.yaml"], "DG108"),
    "aliases in a manifest": ({"p.yaml": f"{MAP}data:\n  A: &a '{'x' * 60_000}'\n" + many("  A{0}: *a\n", 2_000, "")}, ["check", "p.yaml"], "DG108"),
    "keys that are missing": (
        {"p.yaml": f"{TEAM}team: {{}}\n", "team/schema.json": json.dumps({"type": "object", "required": NAMES, "properties": {name: {} for name in NAMES}})},
        ["check", "p.yaml"], "DG621",
    ),
    "keys that are misspelt": (
        {"p.yaml": f"{TEAM}team: {{{many('nam{0}: 1', 3_000)}}}\n", "team/schema.json": json.dumps({"type": "object", "required": NAMES, "additionalProperties": False, "properties": {name: {} for name in NAMES}})},
        ["check", "p.yaml"], "DG621",
    ),
    "objects": ({"p.yaml": many(DEPLOYMENT, 1_250, "")}, ["check", "p.yaml"], "DG621"),
    "objects of a layer": ({"p.yaml": TEAM, "team/resources/a.yaml": many(DEPLOYMENT, 1_250, "")}, ["check", "p.yaml"], "DG621"),
    "one line": ({"p.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{{many('a{0}: 1', 40_000)}}}}}\n"}, ["check", "p.yaml"], "DG621"),
    "one line, in SARIF": ({"p.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '\U0001f600', labels: {{{many('a{0}: 1', 40_000)}}}}}\n"}, ["check", "p.yaml", "--format", "sarif"], "DG621"),
    "keys twice": ({"p.yaml": HEAD + "a: 1\n" * 40_000}, ["check", "p.yaml"], "DG106"),
    "long loop over a long text": ({"p.yaml": TEAM, "team/resources/a.yaml": LOOPED % (many("{0}", 2_000), "x" * 500_000)}, ["build", "p.yaml"], "DG622"),
    "long loop over an expression": ({"p.yaml": TEAM, "team/resources/a.yaml": LOOPED % (many("{0}", 2_000), "${''" + "x" * 9_000 + "''}")}, ["build", "p.yaml"], "DG622"),
    "longer loop": ({"p.yaml": TEAM, "team/resources/a.yaml": LOOPED % (many("{0}", 9_000), "a")}, ["build", "p.yaml"], "DG622"),
    "expressions": ({"p.yaml": TEAM, "team/resources/a.yaml": MAP + "data:\n" + many("  a{0}: \"${{'" + "x" * 1_000 + "'.replace('x', '" + "y" * 1_000 + "') + '{0}'}}\"\n", 300, "")}, ["build", "p.yaml"], "DG622"),
    "conditions": ({"p.yaml": TEAM, **{f"team/resources/a{number}.yaml": f"when: \"${{'{'x' * 1_000}'.replace('x', '{'y' * 8_000}') == '{number}'}}\"\n---\n{MAP}" for number in range(100)}}, ["build", "p.yaml"], "DG622"),
    "long value": ({"p.yaml": HEAD.replace("backend: ", f"backend: '{'x' * 900_000}' #")}, ["check", "p.yaml"], "DG204"),
    "references that multiply": ({"p.yaml": TEAM, "team/schemas/example.com/widget_v1.json": json.dumps({"$ref": "#/$defs/d0", "$defs": DIAMOND})}, ["check", "p.yaml"], "DG214"),
    "deep schema": ({"p.yaml": TEAM, "team/schemas/example.com/widget_v1.json": '{"not":' * 100_000 + "{}" + "}" * 100_000}, ["check", "p.yaml"], "DG214"),
    "deep section": ({"p.yaml": TEAM, "team/schema.json": '{"not":' * 100_000 + "{}" + "}" * 100_000}, ["check", "p.yaml"], "DG305"),
    "rules that loop in loops": ({"p.yaml": WIDGETS + "".join(TAGS) + "\n"}, ["check", "p.yaml"], "DG701"),
    "folders that are not there": ({"p.yaml": f"{HEAD}overlays: [{many('./x{0}', 20_000)}]\n"}, ["check", "p.yaml"], "DG621"),
}  # fmt: skip


# What a child has used at most counts from its parent on, and would say what the tests need.
_LIMITED = """
import os, resource
os.chdir({!r})
resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
from dynagen.__main__ import main
main()
"""


@pytest.mark.parametrize("name", CASES)
def test_it_ends_soon_within_little_memory(name: str, tmp_path: Path) -> None:
    files, words, code = CASES[name]
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, "utf-8")
    out, err = (os.open(tmp_path / each, os.O_WRONLY | os.O_CREAT) for each in ("out", "err"))
    process = os.posix_spawn(
        sys.executable, [sys.executable, "-c", _LIMITED.format(str(tmp_path)), *words],
        os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, err, 2)],
    )  # fmt: skip
    _, status, used = os.wait4(process, 0)
    said = (tmp_path / "err").read_text("utf-8") + (tmp_path / "out").read_text("utf-8")
    assert os.waitstatus_to_exitcode(status) == 1, said[-3000:]
    assert code in said
    assert len(said) < 1_500_000
    assert used.ru_utime + used.ru_stime < 2.0


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github"])
def test_every_format_says_how_many_more_there_are(form: str, dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "m.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{{many('a{0}: 1', 500)}}}}}\n", "utf-8"
    )
    run = dynagen("check", "m.yaml", "--format", form, cwd=tmp_path)
    assert run.code == 1
    assert "and 200 more errors from here on" in run.stdout + run.stderr
    assert len(run.stdout + run.stderr) < 300_000


def test_what_is_not_shown_is_an_error_all_the_same(dynagen, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Warnings are counted for themselves, so that no error goes under."""
    env = many("{{name: A{0}, value: hf_AbCdEfGhIjKlMnOpQrStUvWx}}", 400)
    pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: a}}\nspec: {{containers: [{{name: a, image: 'a:1', env: [{env}]}}]}}\n"
    (tmp_path / "m.yaml").write_text(
        pod + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {nosuch: 1}\n", "utf-8"
    )
    run = dynagen("check", "m.yaml", cwd=tmp_path)
    assert run.code == 1
    assert "nosuch" in run.stderr
    assert "and 100 more warnings from here on" in run.stderr
