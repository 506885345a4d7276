"""Files and folders that arguments name, and that cannot be there: in no volume, and in no image.

Source: mounts that Dynamo's operator adds (applySharedMemory, applyCompilationCache, ... in
deploy/operator/internal/dynamo/graph.go of ai-dynamo/dynamo) are at paths that the component says; the folders of the images:
container/templates of the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import listing, mapping
from dynagen.cluster.pod_templates import PodTemplate
from dynagen.diagnostics import Finding, shortened
from dynagen.engine.commands import Command, CommandLine
from dynagen.engine.words import values_of
from dynagen.verify.command_lines.images import OFFICIAL

_FLAGS = (
    "--config", "--extra-engine-args", "--model", "--model-path", "--tokenizer", "--tokenizer-path", "--custom-jinja-template",
    "--chat-template", "--disagg-config", "--speculative-draft-model-path", "--router-policy-config", "--tls-cert-path",
    "--tls-key-path",
)  # fmt: skip
# Of any Linux image, and of Dynamo's.
_IN_IMAGES = frozenset(
    ("app", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "opt", "proc", "root", "run", "sbin", "sgl-workspace",
     "srv", "sys", "tmp", "usr", "var", "workspace")
)  # fmt: skip


def missing_files(
    template: PodTemplate, container: dict[str, Any], command: Command, line: CommandLine
) -> Iterator[tuple[str, Finding]]:
    """DG635. Only of images that we know: others may have any folder. What a script makes itself is there."""
    if not str(container.get("image") or "").startswith(OFFICIAL):
        return
    mounts = list(_mounts(template, container))
    others: str | None = None
    for word in values_of(command.words, *_FLAGS):
        top = "/" + word.text[1:].split("/")[0]
        if (
            not word.text.startswith("/")
            or top[1:] in _IN_IMAGES
            or any(_is_below(word.text, mount) for mount in mounts)
        ):
            continue
        if others is None:
            own = set(map(id, command.words))
            others = "\n".join(each.text for each in line.words if id(each) not in own)
        if top not in others:
            message = f"'{shortened(word.text, 60)}' is in no volume of this container"
            mounted = f"; mounted are {', '.join(sorted(filter(None, mounts)))}" if any(mounts) else ""
            yield "DG635", Finding(word.path, message, f"mount a volume that has it{mounted}", "warning")


def _mounts(template: PodTemplate, container: dict[str, Any]) -> Iterator[str]:
    for field in ("volumeMounts", "volumeDevices"):
        yield from (
            str(each.get("mountPath") or each.get("devicePath") or "") for each in listing(container.get(field))
        )
    component = template.component
    if component is not None:
        for data in (component.data, component.written):
            yield from (str(each.get("mountPoint") or "") for each in listing(data.get("volumeMounts")))
            cache = mapping(data.get("compilationCache"))
            if cache.get("mountPath"):
                yield str(cache["mountPath"])


def _is_below(path: str, mount: str) -> bool:
    return bool(mount) and (
        path == mount or path.startswith(mount.rstrip("/") + "/") or mount.startswith(path.rstrip("/") + "/")
    )
