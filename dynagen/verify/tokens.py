"""Tokens that stand in plain text in the environment of a container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import pod_templates
from dynagen.diagnostics import KeyPath
from dynagen.diagnostics.masks import NAMES, masked

# What stands where somebody else puts the token, or where none is asked for, as in OPENAI_API_KEY=EMPTY.
_PLACEHOLDERS = (
    "<", "...", "xxx", "***", "your", "replace", "change", "todo", "example", "placeholder", "insert", "dummy", "fake",
    "test", "empty", "none", "null", "not", "token", "key", "secret", "local",
)  # fmt: skip
# Of a token under one of the names; `disabled` and `unused-by-vllm` are none.
_LEAST = 20


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG478, a warning. The value is never quoted."""
    for template in pod_templates(objects):
        for path, container in template.containers():
            for at, name in _tokens(container.get("env"), (*path, "env")):
                # Without the component's name: what a profile says once is said of it once.
                findings.add("DG478", template.subject, (*template.path, *at), *_text(name), "warning")
    for subject in objects:
        if subject.kind == "DynamoGraphDeployment":
            for field in ("env", "envs"):
                for at, name in _tokens((subject.data.get("spec") or {}).get(field), ("spec", field)):
                    findings.add("DG478", subject, at, *_text(name), "warning")


def _tokens(variables: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for index, variable in enumerate(variables or ()):
        name, value = str(variable.get("name", "")), str(variable.get("value") or "")
        if "$" in value or not (masked(value) != value or (name in NAMES and _could_be_one(value))):
            continue
        if value.startswith("/") or not value.isascii() or any(each in value.lower() for each in _PLACEHOLDERS):
            continue
        yield (*path, index, "value"), name


def _could_be_one(value: str) -> bool:
    """Whether it is long and of more than words: letters and digits, or small letters and capitals."""
    kinds = [any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit)]
    return len(value) >= _LEAST and not any(map(str.isspace, value)) and sum(kinds) > 1


def _text(name: str) -> tuple[str, str]:
    reference = f"secretKeyRef: {{name: NAME, key: {name}}}"
    hint = f"put it into a Secret: 'valueFrom: {{{reference}}}', under env of a profile '{name}: {{{reference}}}'"
    if name == "HF_TOKEN":
        hint += ", or 'huggingFaceSecret: NAME' there"
    return f"'{name}' holds a token in plain text, for everybody who can read the manifest", hint
