"""What the command of a worker says about its backend, and what the operator has to know of it.

Source: DetectBackendFrameworkFromArgs, determineBackendFramework, applyCompilationCache and
applyCompilationCacheVolume in deploy/operator/internal/dynamo/graph.go, IsElasticEPRayLaunch and normalizeVLLMFlags in
backend_vllm.go, validateElasticEPRequiresCommand in internal/webhook/validation/shared_helpers.go of ai-dynamo/dynamo.
All but the last fail when the operator makes the pods, after the webhook has said yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynagen.cluster.graphs import MAIN, Component, Graph
from dynagen.cluster.objects import Cluster, Findings
from dynagen.engine.arguments import has, values_of
from dynagen.engine.commands import CommandLine, line_of

_BACKENDS = ("vllm", "sglang", "trtllm")
_ENDS = str.maketrans("|&", ";;")  # of a command in a script
_ELASTIC, _PARALLEL = "--enable-elastic-ep", ("--data-parallel-backend", "-dpb")


def check_commands(graph: Graph, cluster: Cluster, findings: Findings) -> None:
    """Reports DG452 for a command that does not fit, DG464 for a cache that cannot be."""
    for component in graph.components:
        explicit = str(graph.spec.get("backendFramework") or "")
        detected = backends_in(component) if component.is_worker else []
        path, main = component.container(MAIN)
        field = "args" if (main or {}).get("args") else "command"
        if len(detected) > 1 and not explicit:
            message = "the command runs more than one backend: " + ", ".join(detected)
            component.report(findings, "DG452", (*path, field), message, "set 'backendFramework' of the graph")
        elif len(detected) == 1 and explicit and detected[0] != explicit:
            message = f"the command runs {detected[0]}, 'backendFramework' is '{explicit}'"
            component.report(findings, "DG452", (*path, field), message, "one of the two is wrong")
        if (
            explicit == "vllm"
            and cluster.release >= (1, 5, 0)
            and main
            and not main.get("command")
            and _is_elastic(main)
        ):
            message = f"'{_ELASTIC}' with Ray needs a command"
            hint = "write out 'command': the operator starts Ray before it, and does not know the image's own"
            component.report(findings, "DG452", path, message, hint)
        backend = explicit or (detected[0] if len(detected) == 1 else "")
        _check_cache(component, backend, findings)


def backends_in(component: Component) -> list[str]:
    """The backends that the command of the main container runs, shell scripts included."""
    main = component.main or {}
    line = " ".join(str(part) for part in (*(main.get("command") or ()), *(main.get("args") or ())))
    commands = [command.split() for command in line.translate(_ENDS).split(";")]
    return [backend for backend in _BACKENDS if any(_runs(words, f"dynamo.{backend}") for words in commands)]


def _runs(words: Sequence[str], module: str) -> bool:
    r"""As the operator's `python[0-9.]*\s+[^|&;]*-m\s+[^|&;]*dynamo\.vllm`, which takes longer to compile than to do by hand."""
    rest = iter(words)
    return (
        any(word.rstrip("0123456789.").endswith("python") for word in rest)
        and any(word.endswith("-m") for word in rest)
        and any(module in word for word in rest)
    )


def line_in(component: Component) -> CommandLine:
    """What the main container runs. Paths are below the container."""
    path, main = component.container(MAIN)
    if main is None:
        return CommandLine([], [], [])
    line: CommandLine = component.graph.subject.once(line_of, (*component.path, *path), component.type or "worker")
    return line


def _is_elastic(container: dict[str, Any]) -> bool:
    # As the operator does, in whatever starts the engine.
    words = [part for field in ("command", "args") for word in container.get(field) or () for part in str(word).split()]
    return has(words, _ELASTIC) and any(
        value is not None and value.startswith("ray") and value[3:4] in ("", *";&|<>()")
        for value in values_of(words, *_PARALLEL)
    )


def _check_cache(component: Component, backend: str, findings: Findings) -> None:
    cache = component.data.get("compilationCache")
    if cache is None:
        return
    claim, at = cache.get("pvcName"), cache.get("mountPath") or ("/root/.cache/vllm" if backend == "vllm" else "")
    if not at:
        what = f"backend '{backend}'" if backend else "a backend that the operator does not know"
        message = f"'compilationCache' has no 'mountPath', and {what} has none of its own"
        component.report(findings, "DG464", ("compilationCache",), message, "set 'mountPath'")
    path, main = component.container(MAIN)
    for index, mount in enumerate((main or {}).get("volumeMounts") or ()):
        if not at or mount.get("mountPath") != at:
            continue
        here = (*path, "volumeMounts", index)
        if mount.get("name") != claim:
            message = f"'{at}' is where the compilation cache goes, and '{mount.get('name')}' is mounted there"
            component.report(findings, "DG464", (*here, "mountPath"), message, "another 'mountPath' for one of them")
        elif mount.get("readOnly"):
            message = f"the compilation cache '{claim}' is mounted read-only"
            component.report(findings, "DG464", (*here, "readOnly"), message, "it is written to: leave out 'readOnly'")
    for index, volume in enumerate(component.pod.get("volumes") or ()):
        if volume.get("name") != claim:
            continue
        source = volume.get("persistentVolumeClaim") or {}
        here = ("podTemplate", "spec", "volumes", index)
        if source.get("claimName") != claim:
            message = f"volume '{claim}' is not the claim '{claim}' of the compilation cache"
            component.report(findings, "DG464", here, message, f"'persistentVolumeClaim: {{claimName: {claim}}}'")
        elif source.get("readOnly"):
            message = f"the volume of the compilation cache '{claim}' is read-only"
            component.report(findings, "DG464", here, message, "it is written to: leave out 'readOnly'")
