"""Rules of CRDs under test: what Kubernetes' own code says of objects, and objects made to satisfy rules and to break them."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dynagen.crd_rules.evaluating import BrokenRule, Rules
from dynagen.crd_rules.rule_nodes import Part, RuleNode, Step, child, find_rule_paths, resolved
from dynagen.diagnostics import KeyPath
from dynagen.memory import Memory
from dynagen.schema.conformance import Source
from tests import tools
from tests.conftest import ROOT

Finding = tuple[str, str]

# Expressions, each with whether it is an error; the others are true.
EXPRESSIONS = [
    (line.removeprefix("! "), line.startswith("! "))
    for line in (ROOT / "tests/unit/cel_functions.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def ask(**question: Any) -> dict[str, list[Any]]:
    """The answer of tests/tools/go/cel-judge."""
    judge = [str(tools.path("cel-judge"))]
    run = subprocess.run(judge, input=json.dumps(question), text=True, capture_output=True, check=True)
    answer: dict[str, list[Any]] = json.loads(run.stdout)
    return answer


def theirs(finding: dict[str, str]) -> Finding:
    """Where, and what: the message of a rule, or `!` with the rule when it could not be evaluated."""
    detail = finding["detail"]
    failed = re.search(r"evaluating rule: (.*)|signature for rule: (.*)", detail, re.DOTALL)
    if failed:
        detail = "! " + (failed[1] or failed[2])
    path = re.sub(r"\.?\[([^\]]*)\]", r".\1", finding["path"].replace("<nil>", ""))
    return path.removeprefix("."), _rounded(detail.removeprefix("failed rule: "))


def _rounded(message: str) -> str:
    """CEL in C++ writes the fraction of a duration with three, six or nine digits, in Go with as few as will do."""
    return re.sub(r"\b(\d+\.\d+)s\b", lambda match: f"{float(match[1]):g}s", message)


def ours(schema: dict[str, Any], value: Any, earlier: Any = None) -> list[Finding]:
    """The same of our own, for a schema that stands alone."""
    source = Source(schema)
    place = RuleNode([resolved(schema, source)], list(find_rule_paths(schema, source)))
    return as_findings(Rules(place, Memory()).broken(value, [] if earlier is None else [earlier]))


def as_findings(several: Iterable[BrokenRule]) -> list[Finding]:
    found = []
    for broken in several:
        text = broken.rule.message or broken.rule.text.strip()
        detail = f"! {text}" if broken.reason else broken.message or text
        found.append((path_text(broken.path), _rounded(detail)))
    return sorted(found)


def path_text(path: KeyPath) -> str:
    """Keys of maps cannot be told from names here, so each part has a dot before it."""
    return ".".join(map(str, path))


class Specimen(NamedTuple):
    """A value made for the rules at a place, in an object that holds nothing else; the same before it was changed."""

    object: dict[str, Any]
    earlier: dict[str, Any] | None


class Breeder:
    """Makes objects of one kind: words of its rules and its enums in random places, so that rules decide differently."""

    def __init__(self, schema: dict[str, Any], seed: int) -> None:
        self._schema = schema
        self._random = random.Random(seed)
        self._source = Source(schema)
        text = json.dumps(list(rules_of(schema)))
        quoted = re.findall(r"'([^'\\\"]*)'|\\\"([^\"'\\]*)\\\"", text)
        self._words = sorted({one or other for one, other in quoted if len(one + other) < 40})
        self._names = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text.replace("__namespace__", "namespace")))

    def specimens(self, path: Sequence[Step], count: int) -> Iterator[Specimen]:
        part = resolved(self._schema, self._source)
        for _ in range(count):
            made = self._around(part, path)
            changed = self._around(part, path) if self._random.random() < 0.5 else self._changed(made)
            yield Specimen(made, changed if self._random.random() < 0.4 else None)

    def _around(self, part: Part, path: Sequence[Step]) -> Any:
        if not path:
            return self._value(part, 0)
        inner = child(part, path[0])
        assert inner is not None
        value = self._around(inner, path[1:])
        if path[0] == 0:
            return [value, *([self._around(inner, path[1:])] if self._random.random() < 0.3 else [])]
        return {self._key() if path[0] is None else path[0]: value}

    def _changed(self, value: Any) -> Any:
        """The same with some of it gone."""
        if isinstance(value, dict):
            return {key: self._changed(inner) for key, inner in value.items() if self._random.random() > 0.15}
        if isinstance(value, list):
            found = [self._changed(inner) for inner in value if self._random.random() > 0.15]
            self._random.shuffle(found)
            return found
        return value

    def _value(self, part: Part, depth: int) -> Any:
        schema, source = part
        either = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else "object"
        kinds = schema.get("type", either)
        kind = self._random.choice(kinds) if isinstance(kinds, list) else kinds
        if schema.get("enum") and self._random.random() < 0.9:
            return self._random.choice(schema["enum"])
        if kind == "object":
            return self._object(schema, source, depth)
        if kind == "array":
            items = child(part, 0)
            size = self._random.choice((0, 1, 1, 2, 2, 3, 40) if depth < 2 else (0, 1, 1, 2, 2, 3))
            return [self._value(items, depth + 1) for _ in range(size)] if items else []
        if kind == "string":
            return self._text(schema.get("format"))
        if kind == "integer":
            return self._random.choice((0, 1, 1, 2, 4, 5, 6, 10, 80, 81, 100, 443, 65535, 65536, -1))
        if kind == "number":
            return self._random.choice((0, 1, 1.5, -2.25))
        return self._random.random() < 0.5 if kind == "boolean" else None

    def _object(self, schema: dict[str, Any], source: Source, depth: int) -> Any:
        inner = schema.get("additionalProperties")
        if isinstance(inner, dict):
            known = resolved(inner, source)
            return {self._key(): self._value(known, depth + 1) for _ in range(self._random.choice((0, 1, 1, 2, 40)))}
        found = {}
        for name, each in schema.get("properties", {}).items():
            wanted = 0.9 if name in schema.get("required", ()) else 0.55 if name in self._names else 0.04
            if self._random.random() < wanted * (1 if depth < 7 else 0.2):
                found[name] = self._value(resolved(each, source), depth + 1)
        return found

    def _key(self) -> str:
        return self._random.choice(("a", "80", "0", "*", "", "a/b", "x" * 70, "Ray", "a" * 300 + "/b", *self._words))

    def _text(self, format_: str | None) -> str:
        if format_ == "duration":
            return self._random.choice(("0s", "1ms", "30s", "1m", "1h30m", "100us", "1.5s", "2d"))
        if format_ in ("date-time", "date"):
            return "2026-01-02" + ("T03:04:05.5Z" if format_ == "date-time" else "")
        if format_ == "byte":
            return self._random.choice(("", "aGVsbG8="))
        more = (
            "", "a", "a.b", "/a", "/a//b", "/a%2Fb", "10s", "1ms", "0s", "3m", "1Gi", "0", "5", "100", "70000", "auto", "*",
            "auto-x", "oci://r/x", "http://a@b", "https://a/b", "unix:///x", "unix://@", "unix://x", "/.", "a/../b", "/a#",
            "*.example.com", "A_b", "n2d-standard-4", "c3-standard-8", "a/b/c", "ray", "b" * 260, "/..", "x" * 254 + "/y",
        )  # fmt: skip
        return self._random.choice((*more, *self._words, *self._words))


def rules_of(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict) and isinstance(schema.get("x-kubernetes-validations"), list):
        yield from schema["x-kubernetes-validations"]
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from rules_of(inner)
