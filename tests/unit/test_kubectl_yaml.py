"""Manifests are read as kubectl reads them: each text here is held against kubectl itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dynagen.diagnostics import Report
from dynagen.text.document import Document
from dynagen.text.source import parse
from tests import tools

HEAD = "apiVersion: v1\nkind: ConfigMap\n"
NAME = "metadata: {name: a}\n"
GOOD = {
    "a tab behind a value": "apiVersion: v1\t\nkind: ConfigMap\t\n" + NAME,
    "a tab before a comment": "apiVersion: v1\t# c\nkind: ConfigMap\n" + NAME,
    "a tab behind a colon": "apiVersion:\tv1\nkind: ConfigMap\n" + NAME,
    "a tab behind a key": HEAD + "metadata:\t\n  name: a\n",
    "a line of blanks and tabs": HEAD + "  \t\n" + NAME,
    "a comment behind blanks and tabs": HEAD + " \t# c\n" + NAME,
    "tabs between brackets": HEAD + "metadata: {\tname:\ta\t}\n",
    "tabs in a block scalar": HEAD + NAME + "data:\t\n  a: |\t\n    x\t\n    \tz\n",
    "a tab behind quotes": HEAD + NAME + 'data:\n  a: "x\\ty"\t\n',
    "a byte order mark in the middle": HEAD + NAME + "---\n\ufeff" + HEAD + NAME,
    "line ends of Windows": (HEAD + NAME + "---\n" + HEAD + NAME).replace("\n", "\r\n"),
    "line ends of Windows, tabs": (HEAD + NAME).replace("\n", "\t\r\n"),
    "documents with comments only": "# a\n---\n# b\n---\n" + HEAD + NAME + "---\n# c\n",
    "a comment behind the dashes": "--- # c\n" + HEAD + NAME + "---\t# d\n" + HEAD + NAME,
    "dots at the end": HEAD + NAME + "...\n---\n" + HEAD + NAME + "...\n",
    "a merge key": HEAD + NAME + "data:\n  <<: {a: x, b: z}\n  a: w\n",
    "a merge key behind what it replaces": HEAD + NAME + "data:\n  a: w\n  <<: {a: x, b: z}\n",
    "a merged list": HEAD + NAME + "data:\n  <<: [{a: x}, {a: w, b: z}]\n  c: z\n",
    "a merged alias": HEAD + "metadata: &m {name: a}\nother:\n  <<: *m\n  name: b\n",
    "merged aliases": HEAD + "metadata: &m {name: a}\nother: &o {x: [1, {z: 2}]}\nmore: {<<: [*m, *o], a: {<<: *o}}\n",
    "a merge in a merge": HEAD + NAME + "data: {<<: {<<: {a: x}, b: z}}\n",
    "two merge keys": HEAD + NAME + "data:\n  <<: {a: x}\n  <<: {b: z}\n",
    "a merge key in quotes": HEAD + NAME + 'data:\n  "<<": z\n',
    "a tag of texts": HEAD + NAME + "data:\n  a: !!str 1\n",
}
BAD = {
    "a tab at the beginning of a line": (HEAD + "\t\n" + NAME, "DG105", 3),
    "a tab that indents": (HEAD + "metadata:\n\tname: a\n", "DG105", 4),
    "a tab behind a dash": (HEAD + NAME + "items:\n-\tx\n", "DG105", 5),
    "a directive": ("%YAML 1.1\n---\n" + HEAD + NAME, "DG104", 1),
    "a value behind the dashes": ("--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n", "DG104", 1),
    "a merge of a text": (HEAD + NAME + "data:\n  <<: x\n", "DG107", 5),
}


def read(text: str) -> tuple[list[Document], list[tuple[str, int]]]:
    report = Report()
    found = [each for each in parse(text, "m.yaml", report, for_kubernetes=True) if each.data is not None]
    return found, [(each.code, each.at.line) for each in report.diagnostics]


def read_by_kubectl(text: str, folder: Path) -> list[Any] | None:
    (folder / "m.yaml").write_bytes(text.encode())
    command = [tools.path("kubectl"), "annotate", "--local", "--filename=m.yaml", "x=y", "--output=json"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        return None
    found, rest = [], run.stdout.strip()
    while rest:
        data, end = json.JSONDecoder().raw_decode(rest)
        del data["metadata"]["annotations"]
        found.append(data)
        rest = rest[end:].strip()
    return found


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_kubectl_reads_is_read(text: str) -> None:
    found, codes = read(text)
    assert (len(found), codes) == (text.count("kind: ConfigMap"), [])
    for document in found:  # every value has its place, and its line is there
        places = list(document.walk())
        assert all(1 <= at.line <= text.count("\n") for at in places)
        assert text.splitlines()[document.at(("metadata",)).line - 1].startswith("metadata:")


@pytest.mark.parametrize(("text", "code", "line"), BAD.values(), ids=BAD)
def test_what_kubectl_refuses_is_refused(text: str, code: str, line: int) -> None:
    assert read(text)[1] == [(code, line)]


@pytest.mark.oracle
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_the_same_comes_out_as_of_kubectl(text: str, tmp_path: Path) -> None:
    assert [each.data for each in read(text)[0]] == read_by_kubectl(text, tmp_path)


@pytest.mark.oracle
@pytest.mark.parametrize("text", [each[0] for each in BAD.values()], ids=BAD)
def test_kubectl_refuses_it_as_well(text: str, tmp_path: Path) -> None:
    assert read_by_kubectl(text, tmp_path) is None


@pytest.mark.parametrize("merge", ["[*v, *v, *v, *v]", "{<<: *v, a: {<<: *v}, b: {<<: *v}, c: {<<: *v}}"])
def test_merge_keys_do_not_make_much_of_little(merge: str) -> None:
    lines = ["x0: &x0 {a: 1, b: 2, c: 3}"]
    lines += [f"x{n + 1}: &x{n + 1} {{<<: {merge.replace('*v', f'*x{n}')}, k{n}: *x{n}}}" for n in range(40)]
    assert [code for code, _ in read(HEAD + "\n".join(lines) + "\n")[1]] == ["DG108"]


def test_a_profile_has_no_merge_keys() -> None:
    report = Report()
    parse("a: &a {b: c}\nd: {<<: *a}\n", "p.yaml", report)
    assert [each.code for each in report.diagnostics] == ["DG107"]
