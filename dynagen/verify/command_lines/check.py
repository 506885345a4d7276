"""Every container that starts a program whose arguments we know: in graphs, and in pods of any other kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from dynagen.cluster.graphs import MAIN
from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.cluster.pod_templates import PodTemplate, pod_templates
from dynagen.diagnostics import Finding, KeyPath
from dynagen.engine.commands import ONE_TEXT, Command, CommandLine, line_of

# By verify.dynamo, with more to say.
_SAID_ELSEWHERE = frozenset(("--is-prefill-worker", "--is-decode-worker"))
# Nobody starts more in one container, or reads more.
_MOST = 20
_PREFIX = "DYN_"  # of variables
_PROGRAMS = ("dynamo.", "vllm", "sglang", "trtllm")


def check(objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
    """Reports DG434 to DG436, DG630 to DG635, DG686 and DG687."""
    for template in pod_templates(objects):
        for path, container in template.containers():
            if template.component is not None or _starts_something(container):
                for code, finding in _findings(template, path, container, cluster):
                    template.report(findings, code, *finding)
    if any(map(_has_variables, pod_templates(objects))):
        from dynagen.verify.command_lines.variables import check_variables

        check_variables(objects, cluster, findings)


def _has_variables(template: PodTemplate) -> bool:
    """Whether variables of Dynamo stand in a template, or in the graph around it."""
    given = [container.get("env") for _, container in template.containers()]
    if template.component is not None:
        given.append(template.component.graph.spec.get("env"))
    return any(str(each.get("name")).startswith(_PREFIX) for env in given for each in env or ())


def _starts_something(container: dict[str, Any]) -> bool:
    return any(
        name in str(part) for field in ("command", "args") for part in container.get(field) or () for name in _PROGRAMS
    )


def _findings(
    template: PodTemplate, path: KeyPath, container: dict[str, Any], cluster: Cluster
) -> Iterator[tuple[str, Finding]]:
    component = template.component
    is_main = component is not None and container.get("name") == MAIN and path[1] == "containers"
    type = (component.type or "worker") if component is not None and is_main else ""
    if component is not None and container.get("name") == component.data.get("frontendSidecar"):
        type = "frontend"
    line: CommandLine = template.subject.once(line_of, (*template.path, *path), type)
    if (
        component is not None
        or line.programs()
        or any(code == "DG630" for code, _ in line.findings)
        or _means_one(container)
    ):
        is_ours = is_main and cluster.authoring is not None
        yield from (
            (code, _below(path, _for_layers(finding) if is_ours else finding)) for code, finding in line.findings
        )
    for command in [each for each in line.commands if each.program][:_MOST]:
        for code, finding in _judged(template, container, command, line, cluster):
            yield code, _below(path, finding)


def _for_layers(finding: Finding) -> Finding:
    """What a patch puts around the script of the gke layer is mostly meant for the engine."""
    if finding.hint != ONE_TEXT:
        return finding
    return Finding(finding.path, finding.message, "say arguments of the engine under `engineArgs` in the profile")


def _means_one(container: dict[str, Any]) -> bool:
    """Whether words that a shell does not see were meant to start one of these programs."""
    words = [str(part) for field in ("command", "args") for part in container.get(field) or ()]
    return any(word.startswith(("dynamo.", "vllm", "sglang")) for word in words)


def _judged(
    template: PodTemplate, container: dict[str, Any], command: Command, line: CommandLine, cluster: Cluster
) -> Iterator[tuple[str, Finding]]:
    from dynagen.verify.command_lines.files import missing_files
    from dynagen.verify.command_lines.images import image_findings, version_of

    component = template.component
    override = str(component.data.get("runtimeVersionOverride") or "") if component is not None else ""
    image = str(container.get("image") or "")
    yield from image_findings(image, command)
    yield from islice(missing_files(template, container, command, line), _MOST)
    is_judged = all(word.text in cluster.judged for word in command.words)
    if not is_judged and cluster.look_up is not None:
        from dynagen.engine.judging import judge_arguments
        from dynagen.engine.options import Parser, is_known

        if not is_known(command.program):
            return
        version = version_of(image, override, command.program, cluster.releases)
        parser = Parser(command.program, cluster.look_up, version.dynamo, version.engine)
        judged = cluster.judged | _SAID_ELSEWHERE if component is not None else cluster.judged
        yield from judge_arguments(parser, command.words, version.certain, judged)


def _below(path: KeyPath, finding: Finding) -> Finding:
    return Finding((*path, *finding.path), finding.message, finding.hint, finding.severity)
