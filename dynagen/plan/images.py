"""Container images: those of the release, or the profile's own, whose version must be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.plan import backends
from dynagen.plan.values import Images
from dynagen.profile import Profile
from dynagen.text.versions import Version, parse_version, version_in_tag

# Where Dynamo's images are in a registry (docs/fern/pages/reference/general/releases-machine-readable.mdx of
# ai-dynamo/dynamo). A mirror has the same paths.
_PATH = "nvidia/ai-dynamo"
REGISTRY = f"nvcr.io/{_PATH}"


def plan_images(profile: Profile, gpu: Mapping[str, Any], release: Version, report: Report) -> Images:
    """Reports DG401 for an image whose version nobody knows, DG402 for an override that does not fit the release."""
    data = profile.data
    home = f"{data['imageRegistry'].rstrip('/')}/{_PATH}"
    # dynamo-frontend exists since 0.8.0, the oldest release that is supported. It has huggingface_hub, which transformers
    # brings, and ai-dynamo needs (METADATA of its wheels 0.8.0 to 1.6.1).
    own = f"{home}/dynamo-frontend:{data['release']}"
    worker = data.get("image", f"{home}/{backends.load(data['backend']).IMAGE}:{data['release']}")
    # A model's own image brings the parsers and tokenizers that the frontend needs as well; the frontend may be on a node of
    # another architecture.
    follows = "image" in data and gpu["architecture"] == "amd64"
    frontend = data["frontend"].get("image", worker if follows else own)
    override = data.get("runtimeVersionOverride")
    images = Images(frontend, worker, (data.get("modelCache") or {}).get("image", own), override)
    # The operator decides by the version, and refuses images without one since 1.4
    # (deploy/operator/internal/webhook/validation/shared_v1beta1.go); the field exists since then.
    has_override = release >= (1, 4, 0)
    for path, image in ((("image",), images.worker), (("frontend", "image"), images.frontend)):
        if path == ("frontend", "image") and image == images.worker:
            continue  # was judged
        _check_tag(profile, path, image, release, has_override and override is None, report)
    if override is not None:
        _check_override(profile, override, release, has_override, report)
    return images


def _check_tag(
    profile: Profile, path: KeyPath, image: str, release: Version, says_version: bool, report: Report
) -> None:
    """`says_version` is false where the operator does not read the version in the tag."""
    said = profile.data["release"]
    if image.split("@", 1)[0].endswith(":latest"):
        report.add(
            "DG401", f"image '{image}' has the tag 'latest', which says something else every day", profile.at(path),
            hint=f"pin a version, for example :{said}",
        )  # fmt: skip
        return
    if not says_version:
        return
    found = version_in_tag(image)
    if found is None:
        report.add(
            "DG401", f"the tag of image '{image}' does not say a Dynamo version", profile.at(path),
            hint=f"set runtimeVersionOverride, for example \"{said}\"",
        )  # fmt: skip
    elif found[:2] != release[:2]:
        version = ".".join(str(number) for number in found)
        report.add(
            "DG402", f"image '{image}' and release {said} do not belong together", profile.at(path),
            hint=f"flags follow from 'release': set 'release: {version}', or runtimeVersionOverride "
            "when the tag is a version of your own",
        )  # fmt: skip


def _check_override(profile: Profile, override: str, release: Version, has_override: bool, report: Report) -> None:
    said, at = profile.data["release"], profile.at(("runtimeVersionOverride",))
    if not has_override:
        report.add(
            "DG402", f"release {said} does not know runtimeVersionOverride", at,
            hint="leave it out, or use release 1.4.0 or later",
        )  # fmt: skip
    elif parse_version(override)[:2] != release[:2]:
        written = profile.written(("release",))
        report.add(
            "DG402", f"runtimeVersionOverride {override} and release {said} do not belong together", at,
            hint=f"flags follow from 'release': set 'release: {override}' if that is in the image",
            related=(("release", written),) if written else (),
        )  # fmt: skip
