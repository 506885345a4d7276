"""The outcome as JUnit XML: one test case per file that was checked; its errors are failures, the rest is its output.

There is no one standard; elements and attributes are those that the schema of Jenkins' plug-in (junit-10.xsd of
jenkinsci/xunit-plugin) and GitLab read.
"""

from __future__ import annotations

from xml.etree import ElementTree

from dynagen.console.formats.text import printable, to_text
from dynagen.console.outcome import Checked, Outcome
from dynagen.diagnostics import Diagnostic
from dynagen.diagnostics.masks import masked


def render(outcome: Outcome) -> str:
    failures = sum(any(_is_failure(diagnostic) for diagnostic in checked.diagnostics) for checked in outcome.checked)
    totals = {"tests": str(len(outcome.checked)), "failures": str(failures), "errors": "0"}
    top = ElementTree.Element("testsuites", {"name": "dynagen", **totals})
    suite = ElementTree.SubElement(top, "testsuite", {"name": "dynagen check", **totals, "skipped": "0", "time": "0"})
    for checked in outcome.checked:
        _case(suite, checked, outcome)
    if outcome.notes:
        said = to_text(outcome.notes, outcome.texts)
        ElementTree.SubElement(suite, "system-out").text = _legal(said)
    ElementTree.indent(top)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + ElementTree.tostring(top, encoding="unicode").replace("##", "#&#35;")
        + "\n"
    )


def _case(suite: ElementTree.Element, checked: Checked, outcome: Outcome) -> None:
    attributes = {"classname": "dynagen.check", "name": _legal(checked.file), "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    errors = [diagnostic for diagnostic in checked.diagnostics if _is_failure(diagnostic)]
    if errors:  # one a case: most readers show no second one
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        message = f"{errors[0].code} {errors[0].message}{more}"
        failure = ElementTree.SubElement(case, "failure", {"type": errors[0].code, "message": _legal(message)})
        failure.text = _legal(to_text(errors, outcome.texts))
    rest = [
        diagnostic for diagnostic in checked.diagnostics if diagnostic.silenced is None and not _is_failure(diagnostic)
    ]
    silenced = [
        (diagnostic, diagnostic.silenced) for diagnostic in checked.diagnostics if diagnostic.silenced is not None
    ]
    said = to_text(rest, outcome.texts)
    said += "".join(
        f"{printable(f'{each.at}: silenced[{each.code}] {each.message}: {masked(reason)}')}\n"
        for each, reason in silenced
    )
    if said:
        ElementTree.SubElement(case, "system-out").text = _legal(said)


def _is_failure(diagnostic: Diagnostic) -> bool:
    return diagnostic.silenced is None and diagnostic.severity == "error"


def _legal(text: str) -> str:
    """XML 1.0 cannot hold all characters, not even escaped: https://www.w3.org/TR/xml/#charsets."""
    return "".join(character if _is_legal(ord(character)) else "\N{REPLACEMENT CHARACTER}" for character in text)


def _is_legal(number: int) -> bool:
    return number in (9, 10, 13) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number >= 0x10000
