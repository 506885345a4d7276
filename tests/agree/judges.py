"""A text in, accepted or refused out: by our schema engine, and by kubeconform, many texts at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from dynagen.diagnostics import Report
from dynagen.schema.sets import Schemas
from dynagen.text.source import parse
from tests import tools

TEMPLATE = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


class Verdict(NamedTuple):
    """`why` says what is wrong; for a text that our reader refuses it begins with a code."""

    accepted: bool
    why: str


def ours(text: str, schemas: Schemas) -> Verdict:
    """The reader and the schema engine. Fails when the fast yes or no and its explanation differ."""
    report = Report()
    documents = parse(text, "mutant.yaml", report)
    if report.failed:
        found = report.diagnostics[0]
        return Verdict(False, f"{found.code} {found.message}")
    data = documents[0].data
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("apiVersion"), str)
        or not isinstance(data.get("kind"), str)
    ):
        return Verdict(False, "no object")
    schema = schemas.find(data["apiVersion"], data["kind"])
    if schema is None:
        return Verdict(False, "no schema")
    conforms, problems = schema.conforms(data), schema.problems(data)
    assert conforms == (not problems), f"conforms: {conforms}, problems: {problems}\n{text}"
    return Verdict(conforms, "; ".join(f"{each.path} {each.keyword}: {each.message}" for each in problems))


def kubeconform(texts: Sequence[str], folders: Sequence[Path]) -> list[Verdict]:
    """All texts in one process. A text with several objects is accepted when each of them is."""
    locations = [word for folder in folders for word in ("-schema-location", f"{folder}/{TEMPLATE}")]
    with TemporaryDirectory(prefix="dynagen-agree-") as name:
        folder = Path(name)
        for number, text in enumerate(texts):
            (folder / f"{number:06}.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        command = [str(tools.path("kubeconform")), "-strict", "-verbose", "-output", "json", *locations, str(folder)]
        judged = subprocess.run(command, capture_output=True, text=True)
        resources = json.loads(judged.stdout)["resources"]
    found: dict[int, list[dict[str, str]]] = {}
    for each in resources:
        found.setdefault(int(Path(each["filename"]).stem), []).append(each)
    return [_verdict(found.get(number, [])) for number in range(len(texts))]


def _verdict(resources: list[dict[str, str]]) -> Verdict:
    wrong = [each for each in resources if each["status"] != "statusValid"]
    return Verdict(bool(resources) and not wrong, "; ".join(f"{each['status']} {each['msg']}" for each in wrong))
