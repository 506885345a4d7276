"""An image in, what is in it out: which engine, which versions, and how sure that is.

Source: the images of docs/fern/pages/reference/general/releases-machine-readable.mdx of ai-dynamo/dynamo, and their tags
(`1.3.0-efa`, `1.1.1-cuda13`; what else follows a version is a build of its own); vllm/vllm-openai and lmsysorg/sglang
carry the version of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynagen.diagnostics import Finding
from dynagen.engine.commands import Command

OFFICIAL = "nvcr.io/nvidia/ai-dynamo/"
# What an image is called after, and the programs of other backends that it cannot have.
_RUNTIMES = {"vllm-runtime": "vllm", "sglang-runtime": "sglang", "tensorrtllm-runtime": "trtllm", "dynamo-frontend": ""}
_ENGINES = {"dynamo.vllm": "vllm", "dynamo.sglang": "sglang", "dynamo.trtllm": "trtllm"}
_SAME = frozenset(("efa", "amd64", "arm64", "cuda12", "cuda13"))
_ENGINE_IMAGES = {"vllm/vllm-openai": "vllm", "lmsysorg/sglang": "sglang"}


class Versions:
    """Of Dynamo and of the engine; empty when nobody knows. `certain`: the image is the release's own."""

    __slots__ = ("certain", "dynamo", "engine")

    def __init__(self, dynamo: str, engine: str, certain: bool) -> None:
        self.dynamo, self.engine, self.certain = dynamo, engine, certain


def version_of(image: str, override: str, program: str, releases: Mapping[str, Any]) -> Versions:
    """`override` is the component's own word for the version of Dynamo."""
    name, tag = _parts(image)
    engine = {"vllm.serve": "vllm", "sglang.launch_server": "sglang"}.get(program, program.removeprefix("dynamo."))
    if _ENGINE_IMAGES.get(name.removeprefix("docker.io/")) == engine:
        version = tag.removeprefix("v")
        known = any(each.get("engines", {}).get(engine) == version for each in releases.values())
        return Versions("", version if known else "", known)
    version, _, rest = (override or tag).removeprefix("v").partition("-")
    if version not in releases or not _SAME.issuperset(filter(None, rest.split("-"))):
        return Versions("", "", False)
    inside = str(releases[version].get("engines", {}).get(engine, ""))
    certain = not override and image.startswith(OFFICIAL) and (bool(inside) or engine not in ("vllm", "sglang"))
    return Versions(version, inside, certain)


def image_findings(image: str, command: Command) -> Iterator[tuple[str, Finding]]:
    """DG634 for an image that lacks the engine of the command."""
    name, _ = _parts(image)
    runtime = _RUNTIMES.get(name.rpartition("/")[2])
    engine = _ENGINES.get(command.program)
    if runtime is None or engine is None or runtime == engine or not command.path:
        return
    own = next(each for each, backend in _RUNTIMES.items() if backend == engine)
    message = f"the image '{name.rpartition('/')[2]}' has no '{command.program}'"
    hint = f"use the image '{own}'" + (f", or start 'dynamo.{runtime}'" if runtime else "")
    severity = "error" if image.startswith(OFFICIAL) else "warning"
    yield "DG634", Finding(command.path, message, hint, severity)


def _parts(image: str) -> tuple[str, str]:
    """Name and tag."""
    plain = image.partition("@")[0]
    head, slash, last = plain.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag
