"""Whole folders: profiles, layers, sets of schemas and plain manifests, with links, pipes and odd files among them.

A bundle says what lies where, so a find is a text like all others: `# file: NAME` before a text, `# link: NAME -> TARGET`,
`# pipe: NAME`, `# folder: NAME` and `# large: NAME` for what is none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.conftest import ROOT

_MARK = re.compile(r"^# (file|link|pipe|folder|large): ([^\n]*)\n", re.MULTILINE)
_NAME = re.compile(r"(?:[A-Za-z0-9_.-]{1,60}/){0,4}[A-Za-z0-9_.-]{1,60}\Z")
CANARY = "nobody-may-see-this"
VALUES_THAT_ARE_SECRET = "AbCdEfGhIjKlMnOpQrStUvWx"


class Entry(NamedTuple):
    """`name` is relative; `text` is what a file holds, or what a link leads to."""

    kind: str
    name: str
    text: str = ""


def entries(bundle: str) -> list[Entry]:
    parts = _MARK.split(bundle)
    found = []
    for kind, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        name, _, target = name.partition(" -> ")
        found.append(Entry(kind, name, target if kind == "link" else text))
    return found


def bundle(found: Sequence[Entry]) -> str:
    text = ""
    for kind, name, content in found:
        text += f"# {kind}: {name}" + (f" -> {content}\n" if kind == "link" else "\n")
        text += "" if kind != "file" else content if content.endswith("\n") else f"{content}\n"
    return text


def lay_out(found: Sequence[Entry], home: Path) -> None:
    """Makes the folder. What the file system refuses is left out."""
    for kind, name, text in found[:40]:
        if not _NAME.match(name) or ".." in name.split("/"):
            continue
        path = home / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_fifo():
                continue  # nobody reads what is written there
            if kind == "file":
                path.write_text(text, "utf-8", "surrogatepass")
            elif kind == "link":
                path.symlink_to(text.replace("{home}", str(home)))
            elif kind == "pipe":
                os.mkfifo(path)
            elif kind == "folder":
                path.mkdir()
            else:
                with path.open("wb") as stream:
                    stream.truncate(1 << 36)
        except (OSError, ValueError):
            continue


PLACES = (
    "team/layer.yaml", "team/schema.json", "team/resources/a.yaml", "team/patches/a.yaml", "team/overrides/a.yaml", "team/common/a.yaml",
    "team/external/a.yaml", "team/facts/a.yaml", "team/facts/gpus.yaml", "team/facts/gpus/nvidia-l4.yaml", "team/facts/releases.yaml",
    "team/facts/drivers.yaml", "team/facts/zones.yaml", "team/facts/tolerations.yaml", "team/facts/slo.yaml", "team/facts/kinds.yaml",
    "team/facts/headers.yaml", "team/facts/storage.yaml", "team/facts/precision.yaml", "team/facts/models/Qwen.yaml", "team/facts/models.yaml",
    "team/facts/flags/vllm.yaml", "team/facts/flags/frontend.yaml", "team/facts/dashboards/vllm.yaml", "team/schemas/example.com/widget_v1.json",
    "team/schemas/example.com/_shared.json", "team/schemas/v1/configmap_v1.json", "team/schemas", "team/facts", "team/resources", "team",
    "config.json", "hf_quant_config.json", "deploy/a.yaml", "deploy/kustomization.yaml", "deploy/Chart.yaml", "more.yaml",
)  # fmt: skip
TARGETS = (
    "/dev/zero", "/dev/null", "/dev/stdin", "/proc/self/environ", "/proc/self/mem", "/", "..", ".", "{home}", "{home}/../outside.json", "../../outside.json",
    "../outside.json", "a.yaml", "nosuch", "{home}/team", "{home}/profile.yaml", "team", "/etc/passwd", "layer.yaml", "/dev/fd/0",
)  # fmt: skip
KEYWORDS = (
    "$ref", "$dynamicRef", "$id", "$anchor", "$schema", "$defs", "definitions", "properties", "patternProperties", "additionalProperties", "propertyNames",
    "items", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contains", "dependentSchemas", "required", "enum", "const", "type", "pattern", "minLength",
    "maxLength", "minimum", "maximum", "multipleOf", "uniqueItems", "minItems", "maxProperties", "default", "x-kubernetes-validations", "x-dynagen-rules",
    "x-dynagen-scope", "x-kubernetes-list-map-keys", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy", "format", "examples", "description",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1e308, 10**30, "", "a", "object", "string", "(a+)+$", "[", "#", "#/", "#/$defs/a", "#/$defs/b", "#/properties/spec",
    "_shared.json", "_shared.json#/$defs/a", "../../../outside.json", "/etc/passwd", "file:///etc/passwd", "http://example.com/a.json", "http://[", "urn:x",
    [], ["a"], [[]], [None], {}, {"a": {}}, {"a": {"$ref": "#/$defs/a"}}, {"$ref": "#"}, {"$ref": "#/$defs/a"}, [{"$ref": "#/$defs/b"}], "\x00", "\ud800", "::error::a",
    "##[b]", "${workers}", "${'a'.replace('', 'b')}", "${metadata.name}", "${null}", "${facts.gpus}", "${[1, 2, 3]}", "${{'a': null}}", {"$patch": "delete"},
    {"$patch": "replace"}, {"name": "worker", "$patch": "delete"}, {"$patch": None}, "hf_" + VALUES_THAT_ARE_SECRET, [{"rule": "self"}], [{"rule": "self.all(x, x == x)"}],
    [[]], ["spec", None, 0], "a" * 5_000, {str(number): number for number in range(60)}, list(range(200)),
)  # fmt: skip
WIDGET = {
    "type": "object", "required": ["spec"], "x-dynagen-scope": "Namespaced", "x-dynagen-rules": [["spec"]],
    "properties": {
        "apiVersion": {"type": "string", "enum": ["example.com/v1"]}, "kind": {"type": "string", "enum": ["Widget"]}, "metadata": {"type": "object"},
        "spec": {"$ref": "#/$defs/a"},
    },
    "$defs": {
        "a": {"type": "object", "additionalProperties": False, "x-kubernetes-validations": [{"rule": "has(self.size) ? self.size > 0 : true"}],
              "properties": {"size": {"type": "integer"}, "parts": {"type": "array", "x-kubernetes-list-map-keys": ["name"], "items": {"$ref": "_shared.json#/$defs/part"}}}},
        "b": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/a"}]},
    },
}  # fmt: skip
PART = {
    "$defs": {
        "part": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "value": {"type": ["string", "null"]}},
        }
    }
}
SECTION = {"type": "object", "additionalProperties": False, "properties": {"size": {"type": "integer", "default": 1}, "parts": {"type": "array", "items": {"$ref": "#/$defs/p"}}},
           "$defs": {"p": {"type": "object", "properties": {"name": {"type": "string", "default": "a"}}}}}  # fmt: skip


def seeds(head: str) -> list[str]:
    """A valid tree with something of everything, and one for each file of facts that ships."""
    profile = f"{head}overlays: [gke, monitoring, ./team]\nengineArgs: [--seed, '1']\nrouter: {{mode: kv}}\nmodelConfig: config.json\nteam: {{size: 2, parts: [{{name: b}}]}}\n"
    whole = [
        Entry("file", "profile.yaml", profile), Entry("file", "config.json", '{"num_hidden_layers": 28, "hidden_size": 1024}\n'),
        Entry("file", "team/layer.yaml", "description: a\ndefaults: {spot: true}\n"), Entry("file", "team/schema.json", json.dumps(SECTION)),
        Entry("file", "team/schemas/example.com/widget_v1.json", json.dumps(WIDGET)), Entry("file", "team/schemas/example.com/_shared.json", json.dumps(PART)),
        Entry("file", "team/resources/a.yaml", "forEach: {part: '${team.parts}'}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: '${part.name}'}\nspec: {size: '${team.size}', parts: [{name: a, value: b}]}\n"),
        Entry("file", "team/resources/b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\nstringData: {a: '${string(team.size)}'}\n"),
        Entry("file", "team/patches/a.yaml", "kind: Widget\nspec:\n  size: 3\n  parts:\n    - {name: a, $patch: delete}\n    - {name: d, value: null}\n---\nkind: DynamoGraphDeployment\nmetadata: {labels: {a: b}}\nspec: {env: [{name: A, value: b}], priorityClassName: null}\n"),
        Entry("file", "team/overrides/a.yaml", "when: ${spot}\n---\nkind: DynamoGraphDeployment\nspec: {annotations: {$patch: replace, a: b}}\n"),
        Entry("file", "team/common/a.yaml", "metadata: {labels: {team: a}}\n"), Entry("file", "team/external/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: d}\n"),
        Entry("file", "team/facts/a.yaml", "a: {b: [1]}\n"), Entry("file", "deploy/a.yaml", "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\nspec: {size: 1}\n"),
        Entry("file", "more.yaml", "spot: false\nteam: {size: null}\n"), Entry("link", "team/resources/c.yaml", "b.yaml"),
    ]  # fmt: skip
    found = [bundle(whole)]
    for folder in (ROOT / "base/facts", *sorted(ROOT.glob("overlays/*/facts"))):
        for file in sorted(folder.rglob("*.yaml")):
            if file.stat().st_size < 12_000:
                name = f"team/facts/{file.relative_to(folder).as_posix()}"
                found.append(
                    bundle([*whole[:2], Entry("file", name, file.read_text("utf-8"))]).replace("team: {size", "# {size")
                )
    return found


def mutant_of_tree(text: str, random: Random, mutant: Any) -> str:
    """One to three changes: of what lies where, or of one file. `mutant` changes a text of YAML."""
    found = entries(text)
    for _ in range(random.choice([1, 1, 2, 3])):
        if not found or random.random() < 0.15:
            found.append(_odd(random))
            continue
        at = random.randrange(len(found))
        kind, name, content = found[at]
        choice = random.random()
        if choice < 0.05:
            del found[at]
        elif choice < 0.12:
            found[at] = Entry(kind, random.choice(PLACES), content)
        elif choice < 0.17:
            found[at] = _odd(random)._replace(name=name)
        elif kind != "file":
            found[at] = Entry("link", name, random.choice(TARGETS))
        elif name.endswith(".json") or random.random() < 0.25:
            found[at] = Entry(kind, name, _changed(content, random))
        else:
            found[at] = Entry(kind, name, mutant(content, random))
    return bundle(found)[:30_000]


def _odd(random: Random) -> Entry:
    kind = random.choice(["link", "link", "pipe", "folder", "large", "file"])
    target = random.choice(TARGETS) if kind == "link" else json.dumps({random.choice(KEYWORDS): random.choice(VALUES)})
    return Entry(kind, random.choice(PLACES), target)


def _changed(text: str, random: Random) -> str:
    """JSON, or YAML that is read as JSON would be, with another value, another key, or a part of itself elsewhere."""
    import yaml

    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return text
    if not documents:
        return json.dumps(random.choice(VALUES))
    number = random.randrange(len(documents))
    places: list[tuple[Any, Any]] = []
    _collect(documents[number], places)
    value = random.choice(VALUES)
    if not places or random.random() < 0.03:
        documents[number] = value
    else:
        holder, key = random.choice(places)
        choice = random.random()
        if choice < 0.4:
            holder[key] = value
        elif choice < 0.55:
            other, there = random.choice(places)
            holder[key] = json.loads(json.dumps(other[there], default=str))
        elif isinstance(holder, dict):
            holder[random.choice(KEYWORDS)] = value if choice < 0.8 else holder.pop(key)
        else:
            holder.append(value)
    try:
        return "---\n".join(json.dumps(each, default=str) + "\n" for each in documents)
    except (TypeError, ValueError, RecursionError):
        return text


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        places.append((value, key))
        _collect(inner, places)
