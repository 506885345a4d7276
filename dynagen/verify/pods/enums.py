"""Fields that take one of a few words: Kubernetes' OpenAPI has them as any string. The words are in `enums.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dynagen.cluster.objects import Findings, Object
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import KeyPath, closest


def check_enums(objects: Sequence[Object], templates: Sequence[PodTemplate], findings: Findings) -> None:
    """Reports DG444 for a word that is none of those."""
    kinds, pod = _enums()["kinds"], _enums()["shapes"]["pod"]
    for subject in objects:
        shape = kinds.get(f"{subject.api_version} {subject.kind}")
        if shape:
            for path, word, words in _wrong(subject.data, shape, ()):
                findings.add("DG444", subject, path, *_text(path, word, words))
    for template in templates:
        for path, word, words in _wrong(template.spec, pod, ("spec",)):
            template.report(findings, "DG444", path, *_text(path, word, words))


@cache
def _enums() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "enums.json").read_bytes())
    return found


def _wrong(value: Any, shape: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, list[str]]]:
    """The words in `value` that its shape does not know. An empty one stands for the default."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong(item, shape, (*path, index))
        return
    if isinstance(shape, str):
        shape = _enums()["shapes"][shape]
    if isinstance(shape, list):
        if isinstance(value, str) and value and value not in shape:
            yield path, value, shape
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in shape:
                yield from _wrong(inner, shape[key], (*path, key))


def _text(path: KeyPath, word: str, words: list[str]) -> tuple[str, str]:
    field = next(part for part in reversed(path) if isinstance(part, str))
    near = closest(word, words)
    hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(words)
    return f"'{field}' cannot be '{word}'", hint
