"""The volume that holds the model: what it is called, how it is mounted, and whether it can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from dynagen.diagnostics import Report
from dynagen.engine.arguments import has
from dynagen.plan.env import env_vars, hugging_face_env
from dynagen.plan.speculation import draft_on_hub
from dynagen.plan.storage import Load, usual_class
from dynagen.plan.values import ModelCache, Worker
from dynagen.plan.worker_resources import amount
from dynagen.profile import Profile
from dynagen.text.versions import Version

# MiB/s of a Hyperdisk that is made for a cache: it has 140 by default, at which 240 GB load for half an hour.
# source: cloud.google.com/compute/docs/disks/hd-types/hyperdisk-balanced
_DISK_THROUGHPUT = 1200


def plan_model_cache(
    data: Mapping[str, Any], facts: Mapping[str, Any], release: Version, load: Load
) -> ModelCache | None:
    """The cache of a checked profile. A layer's facts may know the storage classes to use for an access mode."""
    given = data.get("modelCache")
    if given is None:
        return None
    existing = given.get("claimName")
    # A file for each model and revision: a volume may hold several. The number only tells names apart.
    revision = data.get("revision")
    draft = draft_on_hub(data)
    digest = crc32(f"{data['model']}@{revision}{f'+{draft}' if draft else ''}".encode())
    own = {"HF_HOME": given["mountPath"], "MODEL": data["model"], **({"REVISION": revision} if revision else {})}
    own |= {"DRAFT": draft} if draft else {}
    ready = f"{given['mountPath'].rstrip('/')}/.dynagen-{digest:08x}"
    is_on_hub = not data["model"].startswith("/")
    size = str(given["size"]) if "size" in given else None
    usual = usual_class(given["accessMode"], size or "1Ti", load, data["kubernetes"], facts.get("storage", {}))
    # A disk of one node would be attached where the Job runs while the worker waits for it: the worker downloads.
    download = given["download"] and existing is None and given["accessMode"] == "ReadWriteMany" and is_on_hub
    return ModelCache(
        claim=existing or f"{data['metadata']['name']}-model-cache",
        create=existing is None,
        size=size,
        # A disk that is small has no more than its share (500 IOPS for each GiB, 4 for each MiB/s).
        disk_throughput=_DISK_THROUGHPUT if size and amount(size) >= 10 * 1024**3 else None,
        storage_class_name=given.get("storageClassName", usual),
        access_mode=given["accessMode"],
        mount_path=given["mountPath"],
        download=download,
        # A volume that cannot be written needs it: huggingface_hub writes locks and references otherwise.
        is_offline=given["accessMode"] == "ReadOnlyMany" or (download and _needs_nothing_else(data, release)),
        job=f"{data['metadata']['name']}-download",
        ready=ready,
        draft=draft,
        download_env=env_vars({**hugging_face_env(data), **own, "READY": ready}),
        access_pod=given["accessPod"],
    )


# What may name another repository, which the Job does not download: a tokenizer, adapters, code, a draft model that `speculative`
# does not name.
_MORE_OF_THE_HUB = (
    "--tokenizer", "--tokenizer-path", "--hf-config-path", "--speculative-config", "--speculative-model", "--spec-model",
    "--speculative-draft-model-path", "--speculative-draft-model", "--lora-modules", "--lora-paths", "--default-mm-loras",
    "--trust-remote-code", "--code-revision", "--tokenizer-revision",
)  # fmt: skip


def _needs_nothing_else(data: Mapping[str, Any], release: Version) -> bool:
    """Whether what the Job downloads is all that components read. Dynamo's own part looks at HF_HUB_OFFLINE since 1.0
    (strings of _core.abi3.so in the wheels ai-dynamo-runtime 1.0.0 to 1.6.1)."""
    workers = data["disagg"].values() if "disagg" in data else (data["agg"],)
    given = [*data["engineArgs"], *data["frontend"]["args"], *(each for one in workers for each in one["engineArgs"])]
    return release >= (1, 0, 0) and not has(given, *_MORE_OF_THE_HUB)


def check_model_cache(
    profile: Profile, cache: ModelCache, workers: Sequence[Worker], gpu: Mapping[str, Any], facts: Mapping[str, Any],
    report: Report,
) -> None:  # fmt: skip
    """Reports DG405 for an access mode that cannot work, DG413 for a disk that does not attach."""
    at_mode = profile.at(("modelCache", "accessMode"))
    pods = sum(worker.replicas * worker.nodes for worker in workers)
    if cache.access_mode == "ReadWriteOnce" and pods > 1:
        report.add(
            "DG405", f"a ReadWriteOnce volume serves the pods of one node, and workers have {pods}", at_mode,
            hint="use ReadWriteMany",
        )  # fmt: skip
    if cache.access_mode == "ReadOnlyMany" and cache.create:
        report.add(
            "DG405", "a new ReadOnlyMany volume is empty, and nothing can fill it", at_mode,
            hint="use ReadWriteMany, or 'claimName' of a volume that is filled",
        )  # fmt: skip
    known = facts.get("storage", {}).get("classes", {}).get(cache.storage_class_name)
    if not known or not cache.create:
        return
    disk, disks = known.get("disk"), gpu.get("disks")
    if disk and cache.access_mode != "ReadWriteOnce":
        report.add(
            "DG413", f"storage class '{cache.storage_class_name}' makes disks of one node ({disk})",
            profile.at(("modelCache", "storageClassName")), hint="use a class of Filestore, such as standard-rwx",
        )  # fmt: skip
    elif disk and disks is not None and disk not in disks:
        report.add(
            "DG413", f"{disk} disks of storage class '{cache.storage_class_name}' do not attach to machines with {gpu['name']}",
            profile.at(("modelCache", "storageClassName")), hint="leave it out: a class with Hyperdisk is made then",
        )  # fmt: skip
