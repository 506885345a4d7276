"""The volume that holds the model: what it is called, how it is mounted, and whether it can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from dynagen.diagnostics import Report
from dynagen.plan.env import env_vars, hugging_face_env
from dynagen.plan.values import ModelCache, Worker
from dynagen.plan.worker_resources import amount
from dynagen.profile import Profile


def plan_model_cache(data: Mapping[str, Any], facts: Mapping[str, Any]) -> ModelCache | None:
    """The cache of a checked profile. A layer's facts may know the storage class to use for an access mode."""
    given = data.get("modelCache")
    if given is None:
        return None
    existing = given.get("claimName")
    # The template of a Job cannot be changed, so another model gets another Job. The number only tells names apart.
    digest = crc32(data["model"].encode())
    own = {"HF_HOME": given["mountPath"], "MODEL": data["model"]}
    usual = facts.get("storage", {}).get("defaultClasses", {}).get(given["accessMode"])
    return ModelCache(
        claim=existing or f"{data['metadata']['name']}-model-cache",
        create=existing is None,
        size=str(given["size"]) if "size" in given else None,
        storage_class_name=given.get("storageClassName", usual),
        access_mode=given["accessMode"],
        mount_path=given["mountPath"],
        # A disk of one node would be attached where the Job runs while the worker waits for it: the worker downloads.
        download=given["download"] and existing is None and given["accessMode"] == "ReadWriteMany",
        job=f"{data['metadata']['name']}-download-{digest:08x}",
        download_env=env_vars({**hugging_face_env(data), **own}),
        access_pod=given["accessPod"],
    )


def check_model_cache(
    profile: Profile, cache: ModelCache, workers: Sequence[Worker], gpu: Mapping[str, Any], facts: Mapping[str, Any],
    report: Report,
) -> None:  # fmt: skip
    """Reports DG405 for an access mode that cannot work, DG413 for a disk that does not attach, DG414 for a size."""
    at_mode = profile.at(("modelCache", "accessMode"))
    pods = sum(worker.replicas for worker in workers)
    if cache.access_mode == "ReadWriteOnce" and pods > 1:
        report.add(
            "DG405", f"a ReadWriteOnce volume serves the pods of one node, and there are {pods} workers", at_mode,
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
    minimum = known.get("minimumGiB")
    if minimum and cache.size and amount(cache.size) < minimum * 1024**3:
        report.add(
            "DG414", f"'{cache.storage_class_name}' has {minimum} GiB at least: {cache.size} become, and cost, {minimum} GiB",
            profile.at(("modelCache", "size")), hint=f"say {minimum}Gi, or choose another class", severity="warning",
        )  # fmt: skip
