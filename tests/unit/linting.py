"""Manifests as a text in, complaints out: what the tests of checks share."""

from __future__ import annotations

from collections.abc import Sequence

from dynagen.checking.manifests import Target, check_manifests
from dynagen.cluster.objects import Object
from dynagen.diagnostics import Report
from dynagen.text.source import parse

GROVE = "CustomResourceDefinition/podcliquesets.grove.io"


def report_of(text: str, release: str = "1.6.1", external: Sequence[str] = (), kubernetes: str = "1.34") -> Report:
    report = Report()
    check_manifests(parse(text, "manifests.yaml", report), Target(kubernetes, release, external), report)
    return report


def complaints(text: str, release: str = "1.6.1", external: Sequence[str] = (), kubernetes: str = "1.34") -> list[str]:
    """Each as `code message`, without the object's name; what checks of references and of the fit say is left out."""
    found = [each for each in report_of(text, release, external, kubernetes).diagnostics if judges(each.code)]
    return [f"{each.code} {each.message.partition(': ')[2]}" for each in found]


def judges(code: str) -> bool:
    """Whether this is a code of schemas, of pods or of Dynamo's webhook."""
    return code < "DG300" or code == "DG416" or "DG444" <= code < "DG470"


def objects_of(text: str, release: str = "1.6.1") -> list[Object]:
    """The objects of manifests that conform to their schemas."""
    report = Report()
    objects = check_manifests(parse(text, "manifests.yaml", report), Target("1.34", release, [GROVE]), report)
    assert not [each for each in report.diagnostics if each.code < "DG300"], report.diagnostics
    return objects
