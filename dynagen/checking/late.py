"""Findings about plain manifests, save what is only wrong because kustomize and Flux have not finished them yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynagen.cluster.objects import Findings, Object
from dynagen.diagnostics import KeyPath, Origin, Pointed, Report, path_text, shortened
from dynagen.trees.nodes import value_at

# source: fluxcd.io/flux/components/kustomize/kustomizations (post build variable substitution), which takes drone/envsubst
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?:[-:=?+/#%^,][^{}]*)?\}")
# Words of command lines: a shell has variables of the same form, and substitutes them itself.
_OF_SHELLS = frozenset(("args", "command"))


class LateFindings(Findings):
    """What a variable will be there nobody knows, so its value is noted (DG660) and not judged.

    With `labels` a kustomization writes the selectors of workloads, so one that is missing is none.
    """

    def __init__(self, report: Report, place: Callable[[Origin], Pointed], labels: bool = False) -> None:
        super().__init__(report, place)
        self._labels = labels

    def add(self, code: str, subject: Object, path: KeyPath, message: str, *rest: Any, **named: Any) -> None:
        if self._labels and code == "DG212" and message.endswith("'selector' is missing"):
            return
        value = value_at(subject.data, path)
        found = _VARIABLE.search(value) if isinstance(value, str) and not re.search(r"\s", value) else None
        if found is None or _OF_SHELLS & set(path) or "unknown field '" in message:
            super().add(code, subject, path, message, *rest, **named)
            return
        shown = shortened(found[0], 60)
        words = f"{path_text(path)}: '{shown}' is substituted later, so it is not judged"
        super().add("DG660", subject, path, words, severity="note", cause=f"{shown} {path_text(path)}")
