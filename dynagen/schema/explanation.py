"""What a schema refuses in a value, as a list for people. The door to jsonschema, which is slow to import.

Uses the same references, patterns and numbers as `conformance`, so that both give the same verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath, shortened
from dynagen.schema.conformance import Json, Source, canonical, is_multiple, is_type

# Of one value: nobody reads more, and finding them takes time.
MOST_PROBLEMS = 1_000


class Violation(NamedTuple):
    """`path` leads to `value`, which breaks `keyword`.

    `key` is the property that is missing (`required`) or unknown (`additionalProperties`); `path` is then its parent's.
    `known` holds the words that would have been right: property names, values of an enum.
    """

    path: KeyPath
    keyword: str
    message: str
    value: Any = None
    key: str | None = None
    known: tuple[Any, ...] = ()


def find_problems(value: Any, schema: Json, source: Source, secret: bool = False) -> list[Violation]:
    """Each problem once, sorted by path, no more than the first thousand. With `secret` no message or field holds a part of the value."""
    some = islice(_problems(value, schema, source), MOST_PROBLEMS)
    found = [_hidden(problem) if secret else problem for problem in some]
    unique = {(problem.path, problem.keyword, problem.key, problem.message): problem for problem in found}
    return sorted(unique.values(), key=lambda problem: (_order(problem.path), problem.key or "", problem.message))


def _order(path: KeyPath) -> list[tuple[str, int]]:
    return [("", part) if isinstance(part, int) else (part, 0) for part in path]


def _hidden(problem: Violation) -> Violation:
    message = problem.message.partition(", got ")[0]
    if problem.keyword not in ("required", "additionalProperties", "type"):
        message = f"not allowed here by '{problem.keyword}'"
    return problem._replace(message=message, value=None)


def _problems(value: Any, schema: Json, source: Source) -> Iterator[Violation]:
    for error in _validators(source)(_undialected(schema)).iter_errors(value):
        yield from _explained(error)


def _undialected(schema: Any) -> Any:
    """Where jsonschema sees `$schema` it falls back to its own keywords."""
    if isinstance(schema, dict) and "$schema" in schema:
        return {key: inner for key, inner in schema.items() if key != "$schema"}
    return schema


def _validators(source: Source) -> Any:
    """jsonschema's validators for what stands in a source: a class that knows the keywords of `conformance` and no others.

    References are followed by the source. jsonschema itself never opens anything, whatever stands in a schema.
    """
    if source.validators is None:
        from jsonschema.validators import create

        def reference(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
            target, home = source.resolve(wanted)
            yield from _validators(home)(_undialected(target)).iter_errors(instance)

        keywords = {**_keywords(source), "$ref": reference}
        source.validators = create(meta_schema={}, validators=keywords, id_of=lambda schema: "")
    return source.validators


# Those that jsonschema decides as `conformance` does.
_SAME = (
    "required", "properties", "propertyNames", "minProperties", "maxProperties", "items", "minItems", "maxItems",
    "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "allOf", "anyOf", "oneOf",
    "not",
)  # fmt: skip


def _keywords(source: Source) -> dict[str, Any]:
    """All keywords. Those that jsonschema decides differently are ours: its regular expressions are Python's."""
    from jsonschema import Draft202012Validator, ValidationError

    def check(refuses: Any) -> Any:
        def keyword(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            if refuses(instance, wanted):
                yield ValidationError("")

        return keyword

    def pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        for pattern, wanted in patterns.items() if isinstance(instance, dict) else ():
            for key, inner in instance.items():
                if source.matches(pattern, key):
                    yield from validator.descend(inner, wanted, path=key, schema_path=pattern)

    def additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        for key in _additional(instance, schema, source) if isinstance(instance, dict) else ():
            if wanted is False:
                yield ValidationError(key)
            elif wanted is not True:
                yield from validator.descend(instance[key], wanted, path=key)

    def required(validator: Any, names: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, dict) and any(name not in instance for name in names):
            yield ValidationError("")  # one for all of them: each is told apart when it is explained

    def has_type(value: Any, wanted: Any) -> bool:
        return any(is_type(value, kind) for kind in (wanted if isinstance(wanted, list) else [wanted]))

    return {
        **{word: Draft202012Validator.VALIDATORS[word] for word in _SAME},
        "required": required,
        "type": check(lambda value, wanted: not has_type(value, wanted)),
        "pattern": check(lambda value, pattern: isinstance(value, str) and not source.matches(pattern, value)),
        "enum": check(lambda value, words: canonical(value) not in [canonical(word) for word in words]),
        "const": check(lambda value, wanted: canonical(value) != canonical(wanted)),
        "uniqueItems": check(
            lambda value, wanted: (
                wanted and isinstance(value, list) and len({canonical(item) for item in value}) < len(value)
            )
        ),
        "multipleOf": check(lambda value, of: is_type(value, "number") and not is_multiple(value, of)),
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }


def _additional(instance: dict[str, Any], schema: Any, source: Source) -> list[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
    return [
        key for key in instance if key not in known and not any(source.matches(pattern, key) for pattern in patterns)
    ]


def _explained(error: Any, base: KeyPath = ()) -> Iterator[Violation]:
    path: KeyPath = (*base, *error.relative_path)
    keyword, wanted, value, schema = error.validator, error.validator_value, error.instance, error.schema
    if keyword is None:  # the schema is `false`
        yield Violation(path, "false", "nothing is allowed here", value)
    elif keyword == "required":
        known = tuple(schema.get("properties", ()))
        for key in dict.fromkeys(wanted):
            if key not in value:
                yield Violation(path, keyword, f"'{key}' is missing", value, key, known)
    elif keyword == "additionalProperties":
        yield Violation(
            path, keyword, f"unknown field '{error.message}'", value, error.message, tuple(schema.get("properties", ()))
        )
    elif keyword in ("anyOf", "oneOf"):
        yield from _explained_choice(error, path)
    elif keyword in ("enum", "const"):
        known = tuple(wanted) if keyword == "enum" else (wanted,)
        yield Violation(path, keyword, f"expected {_listed(known)}, got {_shown(value)}", value, known=known)
    else:
        # In these words editors say it, too (the YAML language server and VS Code).
        words = schema.get("patternErrorMessage") if keyword == "pattern" else None
        expectation = words or _expectation(keyword, wanted)
        yield Violation(path, keyword, f"expected {expectation}, got {_measured(keyword, value)}", value)


def _explained_choice(error: Any, path: KeyPath) -> Iterator[Violation]:
    """The branch that fits the value's type speaks, if it is the only one; else what the branches have in common."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        # A branch that is just `false` has no path.
        branches.setdefault(inner.relative_schema_path[0] if inner.relative_schema_path else -1, []).append(inner)
    meant = [errors for errors in branches.values() if not any(_is_about_type(inner) for inner in errors)]
    keys = _alternatives(error.validator_value)
    if keys:
        given = [key for key in keys if isinstance(error.instance, dict) and key in error.instance]
        got = " and ".join(map(repr, given)) or "none"
        most = "exactly one" if error.validator == "oneOf" and not _may_be_empty(error.validator_value) else "one"
        most = "at most one" if error.validator == "oneOf" and _may_be_empty(error.validator_value) else most
        yield Violation(
            path, error.validator, f"expected {most} of {_listed(keys)}, got {got}", error.instance, known=keys
        )
    elif len(meant) == 1:
        for inner in meant[0]:
            yield from _explained(inner, path)
    elif all(_is_about_type(inner) for inner in error.context) and error.context:
        kinds = _listed(tuple(inner.validator_value for inner in error.context), quote=False)
        yield Violation(path, "type", f"expected {kinds}, got {_measured('type', error.instance)}", error.instance)
    else:
        count = "several" if not error.context or len(branches) < len(error.validator_value) else "none"
        one = "exactly one" if error.validator == "oneOf" else "one"
        yield Violation(
            path, error.validator, f"expected {one} of {len(error.validator_value)} forms, got {count}", error.instance
        )


def _is_about_type(error: Any) -> bool:
    return error.validator == "type" and not error.relative_path


def _alternatives(branches: Any) -> tuple[str, ...]:
    """The properties that choose between branches such as `{required: [a]}`, `{required: [b]}`."""
    keys: list[str] = []
    for branch in branches:
        if not isinstance(branch, dict) or set(branch) - {"required", "not", "properties"}:
            return ()
        keys += branch.get("required", [])
    return tuple(dict.fromkeys(keys))


def _may_be_empty(branches: Any) -> bool:
    return any("required" not in branch for branch in branches)


_EXPECTATIONS = {
    "minimum": "at least {}", "maximum": "at most {}",
    "exclusiveMinimum": "more than {}", "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters", "maxLength": "at most {} characters", "minItems": "at least {} items",
    "maxItems": "at most {} items", "minProperties": "at least {} keys", "maxProperties": "at most {} keys",
    "multipleOf": "a multiple of {}", "pattern": "a text like {}", "uniqueItems": "no item twice",
}  # fmt: skip


def _expectation(keyword: str, wanted: Any) -> str:
    if keyword == "type":
        return _listed(tuple(wanted) if isinstance(wanted, list) else (wanted,), quote=False)
    return _EXPECTATIONS.get(keyword, f"something that satisfies '{keyword}'").format(wanted)


def _measured(keyword: str, value: Any) -> str:
    if keyword.endswith(("Length", "Items", "Properties")) and keyword != "uniqueItems":
        return str(len(value))
    if keyword == "type" and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return f"{'string' if isinstance(value, str) else 'number'} {_shown(value)}"
    return _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return shortened(text, 80)


def _listed(words: tuple[Any, ...], quote: bool = True) -> str:
    shown = [_shown(word) if quote else str(word) for word in words] or ["nothing"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " or " + shown[-1]
