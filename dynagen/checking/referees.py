"""Objects in which we see nothing wrong in, what other programs have against them out: a second opinion, offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dynagen.cluster.objects import Findings, Object
from dynagen.diagnostics import Position, Report, path_text


class Referees(NamedTuple):
    """The programs that are asked."""

    kubeconform: str | None = None
    istioctl: str | None = None

    def ask(self, objects: Sequence[Object], schemas: Sequence[Path], findings: Findings, report: Report) -> None:
        """Reports DG217 and DG218. Asks nobody if there are errors already."""
        if report.failed:
            return
        if self.kubeconform:
            _ask_kubeconform(self.kubeconform, objects, schemas, findings, report)
        if self.istioctl:
            _ask_istioctl(self.istioctl, objects, findings, report)


def _ask_kubeconform(
    program: str, objects: Sequence[Object], schemas: Sequence[Path], findings: Findings, report: Report
) -> None:
    from dynagen.checking.kubeconform import findings_of
    from dynagen.checking.programs import NoVerdict

    try:
        found = findings_of(program, [subject.data for subject in objects], schemas)
    except NoVerdict as error:
        report.add("DG217", f"kubeconform gives no verdict: {error}", Position(f"--kubeconform={program}"))
        return
    for subject, against in zip(objects, found, strict=True):
        for each in against:
            where = f"{path_text(each.path)}: " if each.path else ""
            hint = "dynagen and kubeconform read the same schemas: please report that they do not agree"
            said = "this value is wrong" if subject.kind == "Secret" else each.message  # it would quote the value
            findings.add("DG217", subject, each.path, f"kubeconform says {where}{said}", hint)


def _ask_istioctl(program: str, objects: Sequence[Object], findings: Findings, report: Report) -> None:
    from dynagen.checking.istioctl import messages
    from dynagen.checking.programs import NoVerdict

    try:
        found = messages(program, [subject.data for subject in objects])
    except NoVerdict as error:
        report.add("DG218", f"istioctl gives no verdict: {error}", Position(f"--istioctl={program}"))
        return
    for each in found:
        message = f"istioctl says {each.message} ({each.code})"
        hint = (
            f"{each.page or 'its documentation'} says more; an annotation galley.istio.io/analyze-suppress silences it"
        )
        if each.about is None:
            report.add("DG218", message, Position(f"--istioctl={program}"), hint, severity=each.severity)
        else:
            findings.add("DG218", objects[each.about], each.path, message, hint, each.severity)
