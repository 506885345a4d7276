"""Fields that take one of a few words: Kubernetes' OpenAPI has them as any string. The words are in `enums.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath, closest


def check_enums(
    objects: Sequence[Object], templates: Sequence[PodTemplate], cluster: Cluster, findings: Findings
) -> None:
    """Reports DG444 for a word that is none of those."""
    kinds, shapes = cluster.memory.once(_words)
    for subject in objects:
        shape = kinds.get(f"{subject.api_version} {subject.kind}")
        if shape:
            for path, word, words in _wrong(subject.data, shape, (), shapes):
                findings.add("DG444", subject, path, *_text(path, word, words))
    for template in templates:
        for path, word, words in _wrong(template.spec, shapes["pod"], ("spec",), shapes):
            template.report(findings, "DG444", path, *_text(path, word, words))


def _words() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The shape of each kind, and shapes that several have in them: a list of words, or where to find some further down."""
    found = json.loads((Path(__file__).parent / "enums.json").read_bytes())
    return found["kinds"], found["shapes"]


def _wrong(
    value: Any, shape: Any, path: KeyPath, shapes: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, str, list[str]]]:
    """The words in `value` that its shape does not know. An empty one stands for the default."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong(item, shape, (*path, index), shapes)
        return
    if isinstance(shape, str):
        shape = shapes[shape]
    if isinstance(shape, list):
        if isinstance(value, str) and value and value not in shape:
            yield path, value, shape
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in shape:
                yield from _wrong(inner, shape[key], (*path, key), shapes)


def _text(path: KeyPath, word: str, words: list[str]) -> tuple[str, str]:
    field = next(part for part in reversed(path) if isinstance(part, str))
    near = closest(word, words)
    hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(words)
    return f"'{field}' cannot be '{word}'", hint
