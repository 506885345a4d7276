"""What `explain` names is what a value follows from: nothing is missing and nothing is too much."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dynagen.alternatives import alternatives
from dynagen.compiler import Compilation, Request, compile_profile
from dynagen.diagnostics import KeyPath, Report, path_text
from dynagen.explain import Explainer, Explanation
from dynagen.merge import leaves
from dynagen.render import Skipped
from dynagen.schemas import Schemas
from dynagen.source import parse
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
# Changes that are tried for each value of the profile; all of them in the long run (`make e2e`).
TRIED = 2


def compiled(text: str, home: Path, skipped: list[Skipped] | None = None) -> Compilation:
    report = Report()
    return compile_profile(Request(parse(text, "profile.yaml", report), [], home, home), report, skipped)


def named_leaves(compilation: Compilation) -> dict[tuple[Any, ...], Any]:
    """Each leaf under a name that does not depend on what else is in its lists: its value, and the files that it and its object come from."""
    assert compilation.authoring
    return {
        (*manifest.identity, *stable(manifest, path, compilation.authoring)): (
            leaf.value,
            leaf.origin.written.file,
            manifest.at.file,
        )
        for manifest in compilation.authored
        for path, leaf in leaves(manifest.tree)
    }


def stable(manifest: Any, path: KeyPath, schemas: Schemas) -> Iterator[Any]:
    schema = schemas.find(manifest.api_version, manifest.kind)
    node, tree = schema.root if schema else None, manifest.tree
    for key in path:
        keys = node.merge_keys if node else ()
        tree = tree[key]
        yield tuple(str(tree[name].value) for name in keys if name in tree) if keys else key
        node = node.child(key) if node else None


def explained(profile: Path) -> tuple[Compilation, dict[tuple[Any, ...], Explanation]]:
    skipped: list[Skipped] = []
    compilation = compiled(profile.read_text("utf-8"), profile.parent, skipped)
    assert compilation.authoring
    explainer = Explainer(compilation, skipped)
    found = {}
    for manifest, authored in zip(compilation.manifests, compilation.authored, strict=True):
        for (path, _), explanation in zip(leaves(authored.tree), explainer.explain(manifest), strict=True):
            found[*manifest.identity, *stable(authored, path, compilation.authoring)] = explanation
    return compilation, found


def check_explanations(profile: Path, tried: int | None) -> tuple[int, int]:
    """Changes each value of a profile, and compares what changed with what was named. Returns both counts."""
    compilation, explanations = explained(profile)
    assert compilation.profile
    before = named_leaves(compilation)
    assert explanations.keys() == before.keys()
    named = {key: explanation.named for key, explanation in explanations.items()}
    changes: dict[KeyPath, list[dict[str, Any]]] = {}
    for path, data in alternatives(compilation.profile.data, compilation.library.schema):
        changes.setdefault(path, []).append(data)
    confirmed: set[tuple[Any, KeyPath]] = set()
    possible: set[KeyPath] = set()
    compiled_profiles = 0
    for path, several in changes.items():
        for data in random.Random(1).sample(several, min(len(several), tried or len(several))):
            other = compiled(json.dumps(data), profile.parent)
            if not other.manifests or not other.profile or other.profile.data == compilation.profile.data:
                continue  # the change is refused, or is the default
            compiled_profiles += 1
            possible.add(path)
            after = named_leaves(other)
            for key, value in before.items():
                there = after.get(key)
                if there is None or there[0] != value[0]:
                    assert path in named[key], f"{key}: changed by {path_text(path)}, which is not named: {data}"
                if there != value:  # another file may make the same object then
                    confirmed.add((key, path))
    if tried is None:
        for key, paths in named.items():
            idle = [path_text(path) for path in paths & possible if (key, path) not in confirmed]
            assert not idle, f"{key}: named, and no change of it changes the value: {idle}"
    return compiled_profiles, len(confirmed)


@pytest.mark.parametrize("profile", EXAMPLES, ids=lambda path: path.stem)
def test_what_is_not_named_does_not_matter(profile: Path) -> None:
    compiled_profiles, confirmed = check_explanations(profile, TRIED)
    assert compiled_profiles > 50
    assert confirmed > 100
