"""One published schema in, the same in the dialect of `schemas/` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.crd_rules.soundness import rule_problem
from dynagen.memory import Memory
from dynagen.schema.conformance import conforms
from dynagen.schema.defined import MAX_PATTERNS, MAX_RULES, Budget
from dynagen.schema_import.dialect import BOUNDS, FORMATS, INT_OR_STRING, PUBLISHED_INT_OR_STRING, Schema
from dynagen.schema_import.errors import ImportRefused
from dynagen.text.patterns import LITTLE_MEMORY, compiled

PROSE = {
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "$schema",
    "$id",
    "id",
    "deprecated",
    "readOnly",
}
_NUMBERS = {
    "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties",
}  # fmt: skip
_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_FLAGS = {
    "uniqueItems", "nullable", "exclusiveMinimum", "exclusiveMaximum", "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource",
}  # fmt: skip
_TEXTS = {
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
}
_RULE = {"rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf"}

# A schema of a kind has some ten thousand values. More, and aliases of aliases are being written out.
MAX_SCHEMAS = 500_000
MAX_DEPTH = 100


class Tightening:
    """Translates the schemas of one file; counts them, because an alias in YAML can stand for millions."""

    def __init__(self, file: str, custom: bool = True, budget: Budget | None = None) -> None:
        """`custom` is False for built-in kinds: there an object without properties is one of any content."""
        self._file, self._custom, self._count, self._budget = file, custom, 0, budget
        self._memory = Memory()  # of the rules in it

    def reference(self, target: Any, where: str) -> str:
        """What a `$ref` becomes. CRDs have none."""
        raise self.refused(where, "references are not supported")

    def root(self, schema: Any) -> Schema:
        """The schema of a whole kind. `metadata` stays open: its place is taken by the API server's own ObjectMeta."""
        result: Schema = self.schema(schema, "schema")
        if not isinstance(result, dict) or result.get("type") != "object":
            raise self.refused("schema", "a kind must have 'type: object'")
        properties = dict(result.get("properties", {}))
        metadata = properties.get("metadata", {"type": "object"})
        if not isinstance(metadata, dict):
            raise self.refused("schema.properties.metadata", "expected an object")
        properties["metadata"] = _without(metadata, "additionalProperties")
        for name in ("apiVersion", "kind"):
            properties[name] = {"type": "string"}
        result["properties"] = properties
        if not result.get("x-kubernetes-preserve-unknown-fields"):
            result["additionalProperties"] = False
        return result

    def refused(self, where: str, message: str) -> ImportRefused:
        return ImportRefused(self._file, f"{where}: {message}")

    def schema(self, schema: Any, where: str, depth: int = 0, whole: bool = True) -> Any:
        """`whole` is False below `anyOf` and the like, which say something about a value and do not list its fields."""
        self._count += 1
        if self._count > MAX_SCHEMAS or depth > MAX_DEPTH:
            raise self.refused(
                where, "nested too deep" if depth > MAX_DEPTH else "too many schemas, aliases written out"
            )
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            raise self.refused(where, f"expected a schema, got {_named(schema)}")
        if "$ref" in schema:
            return {"$ref": self.reference(schema["$ref"], where)}
        result: Schema = {}
        for key, value in schema.items():
            if not isinstance(key, str):
                raise self.refused(where, f"expected a keyword, got {key!r}")
            if key in PROSE or value is None:
                continue
            at = f"{where}.{key}"
            if key in ("properties", "patternProperties"):
                self._expect(value, dict, at)
                for name in value:
                    self._expect(name, str, f"{at}: the name {name!r}")
                result[key] = {
                    name: self.schema(inner, f"{at}.{name}", depth + 1, whole) for name, inner in value.items()
                }
            elif key in ("items", "additionalProperties", "not"):
                result[key] = self.schema(value, at, depth + 1, whole and key != "not")
            elif key in ("allOf", "anyOf", "oneOf"):
                self._expect(value, list, at)
                if not value:
                    continue
                result[key] = [self.schema(inner, f"{at}[{n}]", depth + 1, False) for n, inner in enumerate(value)]
            else:
                result[key] = self._keyword(key, value, at)
        self._spell_out(result, where, whole)
        return result

    def _expect(self, value: Any, kind: type, at: str) -> None:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.refused(at, f"expected {_NAMES.get(kind, kind.__name__)}, got {_named(value)}")

    def _keyword(self, key: str, value: Any, at: str) -> Any:
        if key == "type":
            kinds = value if isinstance(value, list) else [value]
            if not kinds or any(not isinstance(kind, str) or kind not in _TYPES for kind in kinds):
                raise self.refused(at, f"unknown type {value!r}")
        elif key in ("required", "x-kubernetes-list-map-keys"):
            self._expect(value, list, at)
            for item in value:
                self._expect(item, str, at)
        elif key == "enum":
            self._expect(value, list, at)
            return [self.plain(item, at) for item in value]
        elif key == "pattern":
            self._expect(value, str, at)
            try:
                self._compile(value, at)
            except ValueError as error:
                raise self.refused(at, f"'{value}' is no pattern that every engine reads: {error}") from error
        elif key in ("exclusiveMinimum", "exclusiveMaximum") and not isinstance(value, bool):
            self._expect_number(value, at)
        elif key in _FLAGS:
            self._expect(value, bool, at)
        elif key in _NUMBERS:
            self._expect_number(value, at)
        elif key == "format" or key in _TEXTS:
            self._expect(value, str, at)
        elif key == "x-kubernetes-validations":
            self._expect(value, list, at)
            return [self._rule(rule, f"{at}[{n}]") for n, rule in enumerate(value)]
        elif key == "default" or key.startswith("x-kubernetes-"):
            return self.plain(value, at)
        else:
            raise self.refused(at, "this keyword is not supported")
        return value

    def _compile(self, pattern: str, at: str) -> None:
        if self._budget is None:
            compiled(pattern)
            return
        if not self._budget.takes_pattern(pattern):
            raise self.refused(at, f"more than {MAX_PATTERNS} regular expressions")
        compiled(pattern, LITTLE_MEMORY)

    def _expect_number(self, value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refused(at, f"expected a number, got {_named(value)}")

    def _rule(self, rule: Any, at: str) -> Schema:
        self._expect(rule, dict, at)
        self._expect(rule.get("rule"), str, f"{at}.rule")
        if unknown := sorted(set(map(str, rule)) - _RULE):
            raise self.refused(at, f"unknown key '{unknown[0]}' in a rule")
        if self._budget and not self._budget.takes_rule(rule["rule"]):
            raise self.refused(at, f"more than {MAX_RULES} rules")
        if problem := rule_problem(rule, self._memory):
            raise self.refused(at, problem)
        return {key: self.plain(value, at) for key, value in rule.items()}

    def plain(self, value: Any, at: str, depth: int = 0) -> Any:
        """Data without a schema, such as a default: refused unless JSON can say it."""
        self._count += 1
        if self._count > MAX_SCHEMAS or depth > MAX_DEPTH:
            raise self.refused(at, "too large")
        if isinstance(value, dict):
            return {str(key): self.plain(inner, at, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner, at, depth + 1) for inner in value]
        if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and value - value == 0):
            return value
        raise self.refused(at, f"JSON cannot hold {_named(value)}")

    def _spell_out(self, schema: Schema, where: str, whole: bool) -> None:
        for low, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if isinstance(flag := schema.get(exclusive), bool):  # the form of draft 4, which CRDs use
                del schema[exclusive]
                if flag and low in schema:
                    schema[exclusive] = schema.pop(low)
        if schema.get("x-kubernetes-int-or-string"):
            if schema.get("anyOf") == PUBLISHED_INT_OR_STRING:
                del schema["anyOf"]
            schema["type"] = INT_OR_STRING
        if schema.pop("nullable", False) and "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            schema["type"] = [*kinds, "null"]
            if "enum" in schema and None not in schema["enum"]:
                schema["enum"] = [*schema["enum"], None]
        format_ = schema.get("format")
        if format_ in BOUNDS:
            least, most = BOUNDS[format_]
            if "exclusiveMinimum" not in schema:
                schema["minimum"] = max(schema.get("minimum", least), least)
            if "exclusiveMaximum" not in schema:
                schema["maximum"] = min(schema.get("maximum", most), most)
        elif format_ in FORMATS:
            schema.setdefault("pattern", FORMATS[format_])
        if whole and self._custom:
            _mind_defaults(schema, _defaults(schema))
        if whole and (self._custom or "properties" in schema):
            _close(schema)


def _defaults(schema: Schema) -> dict[str, Any]:
    """What a server puts into the fields of an object that are not there. It fills in no null."""
    found = {
        name: inner.get("default") for name, inner in schema.get("properties", {}).items() if inner.__class__ is dict
    }
    return {name: value for name, value in found.items() if value is not None}


def _mind_defaults(schema: Schema, defaults: dict[str, Any]) -> None:
    """Defaults come before validation: a field with one is not missing, and its default is what a condition sees.

    source: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
    """
    properties = schema.get("properties", {})
    fits = {name: conforms(value, properties.get(name, True)) for name, value in defaults.items()}
    required = [name for name in schema.get("required", ()) if not fits.get(name, False)]
    required += [name for name, good in fits.items() if not good and name not in required]
    if required:
        schema["required"] = required
    else:
        schema.pop("required", None)
    for key in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(key, ()):
            if isinstance(inner, dict):
                _mind_defaults(inner, defaults)
    if isinstance(schema.get("not"), dict):
        _mind_defaults(schema["not"], defaults)


def _close(schema: Schema) -> None:
    if schema.get("x-kubernetes-list-type") == "set":
        schema["uniqueItems"] = True
    kinds = schema.get("type")
    is_object = (
        kinds == "object"
        or (isinstance(kinds, list) and "object" in kinds)
        or (kinds is None and "properties" in schema)
    )
    if schema.get("x-kubernetes-embedded-resource"):
        schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind"})
    if is_object and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)


def _named(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)


_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


def _without(schema: Mapping[str, Any], *keys: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}
