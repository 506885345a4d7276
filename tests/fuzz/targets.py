"""What is fuzzed: for each door of the compiler, texts to begin with, words that mean something there, and what to run."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any, NamedTuple

from dynagen.checking.manifests import Target as Cluster
from dynagen.checking.manifests import check_manifests
from dynagen.compiler import Request, compile_profile
from dynagen.console import to_text
from dynagen.diagnostics import Report
from dynagen.language.scope import ExpressionError, Scope, compile_expressions
from dynagen.language.template import names_in, parse_template
from dynagen.manifests.yaml import to_stream, to_yaml
from dynagen.memory import Memory
from dynagen.profile.schema import core_schema
from dynagen.schema.conformance import Source
from dynagen.schema.sets import Node, Schemas
from dynagen.schema_import.crds import custom_resource_definitions
from dynagen.schema_import.errors import ImportRefused
from dynagen.schema_import.importing import import_files
from dynagen.text.opening import MAX_BYTES
from dynagen.text.patterns import compiled
from dynagen.text.source import parse
from tests.conftest import ROOT
from tests.fuzz import trees
from tests.fuzz.texts import mutant_of
from tests.mutants import TRAPS
from tests.plain_texts import agree, edited, plain_text

HEAD = "apiVersion: dynagen.dev/v1alpha1\nkind: Profile\nmetadata: {name: demo}\nmodel: Qwen/Qwen3-0.6B\ngpu: nvidia-l4\nagg: {replicas: 1, gpus: 1}\nbackend: vllm\n"
EXPRESSIONS = (
    "${metadata.name}", "${workers}", "${workers.map(w, w.name)}", "${workers[0].gpus}", "${facts.gpus}", "${labels}", "${team}",
    "${1}", "${1.5}", "${null}", "${[1, 2]}", "${{'a': 1}}", "${{1: 2}}", "${b'a'}", "${duration('1s')}", "${timestamp('2024-01-01T00:00:00Z')}",
    "${1.0 / 0.0}", "${0.0 / 0.0}", "${'a'.replace('', 'aa')}", "${type(1)}", "${9223372036854775807}", "${18446744073709551615u}",
    "${", "$${a}", "${}", "a${metadata.name}b", "${has(metadata.a)}", "${workers.filter(w, w.spot)}", "${'a' + 1}", "${a.b}",
    "${[1].map(x, [2].map(y, x + y))}", "${{'a': 1, 'a': 2}}", "${'%s'.format([1])}", "${math.greatest(1, 2)}", "${-1}", "${!true}",
)  # fmt: skip
LAYER_WORDS = (
    *EXPRESSIONS, "when", "forEach", "$patch", "replace", "delete", "merge", "apiVersion", "kind", "metadata", "name", "spec",
    "components", "DynamoGraphDeployment", "ConfigMap", "v1", "nvidia.com/v1beta1", "Frontend", "data", "defaults", "description",
    "properties", "type", "object", "string", "$ref", "#/$defs/a", "$defs", "pattern", "^(a+)+$", "default", "enum", "items", "required",
    "x-kubernetes-validations", "rule", "self == self", "additionalProperties", "anyOf", "not", "env", "podTemplate", "containers",
)  # fmt: skip


class Target(NamedTuple):
    """`run` takes a text and returns when that ends in a report; anything else that happens is a find."""

    run: Callable[[str], None]
    seeds: Callable[[], Sequence[str]]
    mutate: Callable[[str, Random], str]


def _parsed(text: str, file: str, report: Report) -> list[Any]:
    return parse(text, file, report) if len(text.encode("utf-8", "surrogatepass")) <= MAX_BYTES else []


def _shown(report: Report, texts: dict[str, str]) -> None:
    """What a user sees of it must be sayable, too."""
    for diagnostic in report.diagnostics:
        assert re.fullmatch(r"DG[1-7][0-9]{2}", diagnostic.code)
        assert diagnostic.at.line >= 1 and diagnostic.at.column >= 1
    to_text(report.diagnostics, texts).encode()


def _read(text: str) -> None:
    report = Report()
    for document in _parsed(text, "text", report):
        paths = list(_paths(document.data))
        assert all(document.at(path).line >= 1 for path in paths)
        if isinstance(document.data, dict) and not report.failed:
            again = Report()
            assert parse(to_yaml(document.data), "again", again)[0].data == document.data
    _shown(report, {"text": text})


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(inner, (*path, key))


def _plain(text: str) -> None:
    agree(text)


def _mutate_plain(text: str, random: Random) -> str:
    """A slip of the hand most of the time; else another text altogether, or changed as the YAML that it is."""
    choice = random.random()
    if choice < 0.2:
        return plain_text(random)
    return edited(text, random) if choice < 0.9 else mutant_of(text, LAYER_WORDS, None, random)


def _profile(text: str) -> None:
    home = _folder("home")
    _compile([("profile.yaml", text)], home)


def _compile(texts: Sequence[tuple[str, str]], home: Path) -> None:
    report = Report()
    sources = [document for name, text in texts for document in _parsed(text, name, report)[:1]]
    if sources and all(source.data is not None for source in sources):
        compilation = compile_profile(Request(sources, [], home, home), report)
        stream = to_stream(compilation.manifests)
        assert not (report.failed and stream)
        again = Report()
        for document in parse(stream, "stream", again) if len(stream) < MAX_BYTES else []:
            assert isinstance(document.data, dict)
    _shown(report, dict(texts))


_MARK = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def _files(bundle: str) -> list[tuple[str, str]]:
    """A bundle taken apart: `# file: NAME` stands before the text of each file."""
    parts = _MARK.split(bundle)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _bundle(files: Sequence[tuple[str, str]]) -> str:
    return "".join(f"# file: {name}\n{text if text.endswith(chr(10)) else text + chr(10)}" for name, text in files)


def _layer(bundle: str) -> None:
    home = _folder("layer")
    team = home / "team"
    (team / "resources").mkdir(parents=True)
    profile = HEAD + "overlays: [./team]\n"
    for name, text in _files(bundle)[:8]:
        if name == "profile.yaml":
            profile = text
        elif re.fullmatch(r"(?:[a-z0-9_.]+/){0,3}[a-z0-9_]+\.(?:yaml|json)", name) and ".." not in name:
            (team / name).parent.mkdir(parents=True, exist_ok=True)
            (team / name).write_text(text, "utf-8", "surrogatepass")
    _compile([("profile.yaml", profile)], home)


def _mutate_bundle(bundle: str, random: Random) -> str:
    files = _files(bundle) or [("resources/a.yaml", bundle)]
    index = random.randrange(len(files))
    name, text = files[index]
    if random.random() < 0.05:
        name = random.choice(
            [
                "resources/a.yaml",
                "patches/a.yaml",
                "overrides/a.yaml",
                "external/a.yaml",
                "facts/a.yaml",
                "layer.yaml",
                "schema.json",
            ]
        )
    root = None if name != "profile.yaml" else _profile_root()
    files[index] = (name, mutant_of(text, LAYER_WORDS, root, random))
    return _bundle(files)


_SCOPE = Scope(
    {
        "metadata": {"name": "chat", "namespace": "ml"}, "labels": {"a": "b", "c/d": "e"}, "empty": {}, "none": None, "yes": True,
        "workers": [{"name": "prefill", "gpus": 1, "spot": True}, {"name": "decode", "gpus": 4, "spot": False, "half": 0.5}],
    },
    Memory(),
)  # fmt: skip


def _expression(text: str) -> None:
    compile_expressions(text)
    try:
        names_in(text, _SCOPE.memory)
        template = parse_template(text)
        if isinstance(template, str):
            return
        # A scope of its own: nothing that an input has computed may be left to the next one.
        value, reads = Scope({}, _SCOPE.memory, _SCOPE).evaluate(template)
    except ExpressionError as error:
        assert re.fullmatch(r"DG30[678]", error.code) and error.message
        return
    assert all(isinstance(path, tuple) and path for path in reads)
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise AssertionError("half a character in a value")
    json.dumps(value, allow_nan=False)
    to_yaml({"a": value})


def _import(text: str) -> None:
    folder = _folder("import")
    file = folder / "crd.yaml"
    file.write_text(text, "utf-8", "surrogatepass")
    try:
        made = import_files([file], folder / "sets" / "team", None, {})
    except ImportRefused:
        return
    schemas = Schemas([folder / "sets" / "team"])
    for each in made:
        path = folder / "sets" / "team" / each
        if path.suffix != ".json":
            continue
        properties = json.loads(path.read_bytes())["properties"]
        api_version, kind = properties["apiVersion"]["enum"][0], properties["kind"]["enum"][0]
        schema = schemas.find(api_version, kind)
        assert schema is not None
        for spec in ({}, {"a": 1}, "a", None):
            data = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
            assert schema.conforms(data) == (not schema.problems(data))
    custom_resource_definitions(folder / "sets" / "team")


@cache
def _release() -> str:
    release: str = core_schema()["properties"]["release"]["default"]
    return release


def _manifests(text: str) -> None:
    report = Report()
    documents = _parsed(text, "manifests.yaml", report)
    if not report.failed:
        check_manifests(documents, Cluster("1.35", _release()), report)
    _shown(report, {"manifests.yaml": text})


def _pattern(text: str) -> None:
    pattern, _, value = text.partition("\n")
    try:
        regular = compiled(pattern)
    except ValueError:
        return
    for each in (value, value * 50, "a" * 5000 + "!"):
        regular.search(each)


_ALL = ("text", "json", "sarif", "junit", "github")


def _tree(text: str) -> None:
    """All commands over a whole folder, as a user calls them, with a file outside of it that nobody may show."""
    from click.testing import CliRunner

    from dynagen.commands._group import dynagen

    home = _folder("tree") / "home"
    home.mkdir()
    (home.parent / "outside.json").write_text(
        json.dumps({"enum": [trees.CANARY], "required": [trees.CANARY], "$defs": {"a": {"const": trees.CANARY}}})
    )
    trees.lay_out(trees.entries(text), home)
    here, number = Path.cwd(), len(text)
    os.chdir(home)
    try:
        for words in (
            ["check", "profile.yaml", "--format", _ALL[number % 5]], ["check", ".", "--schemas", "team/schemas", "--format", _ALL[number // 5 % 5]],
            [["plan", "profile.yaml"], ["explain", "profile.yaml", "Namespace/dynamo"], ["build", "profile.yaml", "-f", "more.yaml"], ["build", "profile.yaml", "-o", "out"]][number % 4],
        ):  # fmt: skip
            run = CliRunner().invoke(dynagen, words, catch_exceptions=False)
            assert run.exit_code in (0, 1, 2), run.exit_code
            said = run.stdout + run.stderr
            assert trees.CANARY not in said
            assert not re.search(r"(?im)^\s*::(?!(?:error|warning|notice) (?:file=|title=))|##\[|##vso\[", said)
            assert len(said) < 3_000_000
            if words[0] != "build":
                assert trees.VALUES_THAT_ARE_SECRET not in said
    finally:
        os.chdir(here)


def _mutate_tree(text: str, random: Random) -> str:
    return trees.mutant_of_tree(text, random, lambda content, each: mutant_of(content, LAYER_WORDS, None, each))


_base: list[Path] = []


def _folder(name: str) -> Path:
    """A fresh folder, in memory where there is such a place; the one before of that name is gone."""
    if not _base:
        shared = Path("/dev/shm")
        _base.append(
            Path(
                mkdtemp(prefix="dynagen-fuzz-", dir=shared if shared.is_dir() and os.access(shared, os.W_OK) else None)
            )
        )
    folder = _base[0] / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder.resolve()


def clean_up() -> None:
    for folder in _base:
        shutil.rmtree(folder, ignore_errors=True)
    _base.clear()


@cache
def _profile_root() -> Node:
    schema = core_schema()
    return Node(schema, Source(schema))


def _texts(*patterns: str) -> list[str]:
    files = sorted({file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()})
    texts = [file.read_bytes().decode("utf-8", "replace") for file in files]
    return sorted({text for text in texts if len(text) < 15_000})


@cache
def _profiles() -> list[str]:
    return _texts("examples/*.yaml", "tests/cases/*/*/profile.yaml")


@cache
def _layers() -> list[str]:
    """The layers of all cases with their profiles, and the shipped ones with few files."""
    bundles = []
    for profile in sorted((ROOT / "tests/cases").glob("*/*/profile.yaml")):
        for layer in sorted(path for path in profile.parent.iterdir() if path.is_dir() and path.name != "expected"):
            files = [path for path in sorted(layer.rglob("*")) if path.is_file() and path.suffix in (".yaml", ".json")]
            texts = [(path.relative_to(layer).as_posix().lower(), path.read_text("utf-8", "replace")) for path in files]
            changed = re.sub(r"\./[\w-]+", "./team", profile.read_text("utf-8", "replace"))
            bundle = _bundle([("profile.yaml", changed), *texts])
            if len(bundle) < 8_000:
                bundles.append(bundle)
    for path in sorted(
        [*ROOT.glob("overlays/gke/*/*.yaml"), *ROOT.glob("base/*/*.yaml"), *ROOT.glob("overlays/istio/*/*.yaml")]
    ):
        if path.parent.name in ("patches", "resources") and path.stat().st_size < 4_000:
            bundles.append(_bundle([(f"{path.parent.name}/a.yaml", path.read_text("utf-8"))]))
    section = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string", "pattern": "^a+$", "default": "a"}, "b": {"$ref": "#/$defs/c"}}, "$defs": {"c": {"type": "integer", "minimum": 0}}}  # fmt: skip
    map_ = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "${team.a}"}\n'
    bundles.append(_bundle([("profile.yaml", HEAD + "overlays: [./team]\nteam: {a: aaa, b: 1}\n"), ("schema.json", json.dumps(section)), ("resources/a.yaml", map_)]))  # fmt: skip
    patch = "kind: DynamoGraphDeployment\nspec:\n  components:\n    - name: worker\n      $patch: delete\n    - name: Frontend\n      replicas: 2\n"
    bundles.append(_bundle([("profile.yaml", HEAD + "overlays: [./team]\nenv: {A: b}\n"), ("patches/a.yaml", patch), ("layer.yaml", "description: a\ndefaults: {spot: true}\n")]))  # fmt: skip
    return bundles


@cache
def _expressions() -> list[str]:
    shipped = [
        scalar
        for text in _texts("base/*/*.yaml", "overlays/*/*/*.yaml")
        for scalar in re.findall(r"\$\{[^{}\n]*\}", text)
    ]
    return sorted({*shipped, *EXPRESSIONS, *(each.replace("'", '"') for each in EXPRESSIONS)})


_CEL_WORDS = (
    *EXPRESSIONS, "metadata", "workers", "labels", "none", "empty", ".map(x, x)", ".filter(x, true)", ".all(x, x)", ".exists(x, x)", ".size()",
    "size(", "[0]", "['a']", " ? 1 : 2", " + ", " * ", " in ", " == ", "null", "true", "1u", "1e400", "0x7fffffffffffffff", "b'\\xff'", "r'\\'",
    "'''a'''", "duration('1h')", ".replace('a', 'aa')", ".split('')", ".join(',')", ".substring(1)", ".matches('(a+)+$')", ".format([1])",
    ".lowerAscii()", ".charAt(0)", ".indexOf('a')", "string(", "int(", "double(", "bytes(", "dyn(", "type(", "{", "}", "(", ")", "[", "]", ",", ":",
    "has(metadata.a)", "math.least(", "9223372036854775807", "-9223372036854775808", "google.protobuf.Timestamp{}", "'\\ud800'", "'\\U0001F600'",
    "optional.of(1)", "cel.bind(x, 1, x)", "strings.quote('a')", "'a'.repeat", "[1, 2, 3, 4, 5, 6, 7, 8]", "1.0 / 0.0", "timestamp(0)",
)  # fmt: skip


def _mutate_expression(text: str, random: Random) -> str:
    text = text[:300]
    for _ in range(random.choice([1, 1, 2, 4])):
        tokens = re.findall(r"\w+|\s+|'[^']*'|.", text, re.DOTALL) or ["${}"]
        at, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        change = random.randrange(6)
        if change == 0:
            del tokens[at]
        elif change == 1:
            tokens[at] = random.choice(_CEL_WORDS)
        elif change == 2:
            tokens.insert(at, random.choice(_CEL_WORDS))
        elif change == 3:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif change == 4:
            tokens[at:at] = tokens[min(at, other) : max(at, other)][:20]
        else:
            tokens[at] = random.choice([*_CEL_WORDS, *TRAPS])
        text = "".join(tokens)
    return text[:2_000]


_PATTERNS = (
    "^(a+)+$\naaaa!",
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$\na-b",
    r"\d{1,3}\s*[[:alpha:]]" + "\n1 a",
    r"(?i)\Qa.b\E|(?P<n>x)*" + "\na.b",
)
_PATTERN_WORDS = ("(a|a)*", "(a+)+", "a{1,1000}", "(a{1,100}){1,100}", "\\d", "\\s", "\\pL", "[^]", "[[:alpha:]]", "(?i)", "(?=a)", "\\1", "$", "^", "|", "\\z", "\\Q", "a", "!")  # fmt: skip


def _mutate_pattern(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    to = at + random.choice([0, 0, 1, 3])
    return (text[:at] + random.choice([*_PATTERN_WORDS, *"()[]{}*+?|.\\^$\n-a"]) + text[to:])[:200]


_CRD_WORDS = (
    "type", "object", "string", "integer", "array", "boolean", "properties", "items", "additionalProperties", "required", "enum", "pattern",
    "^(a+)+$", "minimum", "maximum", "exclusiveMinimum", "nullable", "default", "oneOf", "anyOf", "allOf", "not", "format", "int32", "date-time",
    "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "map", "set", "x-kubernetes-list-map-keys",
    "x-kubernetes-embedded-resource", "x-kubernetes-validations", "$ref", "#/definitions/a", "spec", "versions", "served", "storage", "schema",
    "openAPIV3Schema", "names", "kind", "plural", "group", "scope", "Cluster", "subresources", "status", "metadata", "multipleOf", "uniqueItems",
)  # fmt: skip


@cache
def _definitions() -> list[str]:
    return _texts("tests/fixtures/crds/*.yaml", "tests/fixtures/crds/*.json")


@cache
def _trees() -> list[str]:
    """Single manifests and whole small trees."""
    single = _texts("out/*/*.yaml", "tests/cases/good/*/expected/*.yaml")
    trees = []
    for folder in sorted(
        {path.parent for path in [*ROOT.glob("out/*/*.yaml"), *ROOT.glob("tests/cases/good/*/expected/*.yaml")]}
    ):
        stream = "".join(
            f"---\n{path.read_text('utf-8')}" for path in sorted(folder.glob("*.yaml")) if path.stat().st_size < 6_000
        )
        trees += [stream] if len(stream) < 15_000 else []
    return single + trees


_MANIFEST_WORDS = (
    "apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec", "List", "items", "v1", "nvidia.com/v1alpha1",
    "DynamoGraphDeployment", "services", "components", "ownerReferences", "finalizers", "generateName", "Service", "Deployment", "Pod", "containers",
    "image", "resources", "limits", "nvidia.com/gpu", "ports", "env", "volumes", "selector", "template", "$patch", "${metadata.name}", "http", "hosts",
)  # fmt: skip


def _yaml(words: Sequence[str], root: Callable[[], Node | None] = lambda: None) -> Callable[[str, Random], str]:
    return lambda text, random: mutant_of(text, words, root(), random)


_PROFILE_WORDS = (
    *sorted(core_schema()["properties"]),
    "replicas",
    "gpus",
    "./team",
    "istio",
    "gke",
    "monitoring",
    "0",
    "1",
    "-1",
    "1.6.1",
    "${a}",
    "vllm",
)
TARGETS: dict[str, Target] = {
    "reader": Target(_read, lambda: [*_profiles(), *_trees()], _yaml(LAYER_WORDS)),
    "plain": Target(_plain, lambda: [*_profiles(), *_trees()], _mutate_plain),
    "tree": Target(_tree, lambda: trees.seeds(HEAD), _mutate_tree),
    "profile": Target(_profile, _profiles, _yaml(_PROFILE_WORDS, _profile_root)),
    "layer": Target(_layer, _layers, _mutate_bundle),
    "expression": Target(_expression, _expressions, _mutate_expression),
    "import": Target(_import, _definitions, _yaml(_CRD_WORDS)),
    "manifests": Target(_manifests, _trees, _yaml(_MANIFEST_WORDS)),
    "pattern": Target(_pattern, lambda: _PATTERNS, _mutate_pattern),
}
