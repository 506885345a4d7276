"""One compiled stream on the plane: applied, its volumes bound, its graph turned into pods, its pods scheduled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.e2e.nodes import COMPUTE_CLASS, nodes_for_compute_class
from tests.e2e.plane import Plane
from tests.e2e.pods import Component, components_of, forbidden_places, service_account_of

Object = dict[str, Any]

MARK = "dynagen.dev/e2e"  # on what the tests add, to find it again
UNDECIDED_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a pod is: the labels of its node, or no node and what the scheduler says about that."""

    pod: Object
    node: dict[str, str] | None
    message: str


class Deployment:
    """What an example became. `stream` is the text that was applied, `graph` the DynamoGraphDeployment in it."""

    def __init__(self, plane: Plane, stream: str, accelerator: str, spot: bool) -> None:
        self.plane, self.stream, self.accelerator, self.spot = plane, stream, accelerator, spot
        self.objects: list[Object] = [each for each in yaml.safe_load_all(stream) if each]
        self.graph = next(each for each in self.objects if each["kind"] == "DynamoGraphDeployment")
        self.namespace: str = self.graph["metadata"]["namespace"]
        self.components: list[Component] = components_of(self.graph)
        self.placed: dict[str, Placed] = {}
        self.probed: dict[str, Placed] = {}

    def apply(self) -> None:
        self.plane.kubectl("apply", "--server-side", "-f", "-", input=self.stream)

    def live(self) -> dict[tuple[str, str], Object]:
        """The objects of the stream as the server has them, without status and what every write changes."""
        found = {}
        for each in self.plane.get("-f", "-", input=self.stream):
            each.pop("status", None)
            for key in ("resourceVersion", "managedFields"):
                each["metadata"].pop(key, None)
            found[each["kind"], each["metadata"]["name"]] = each
        return found

    def run(self) -> None:
        """Applies the stream as its user would, then does what a cluster with Dynamo's operator does with it."""
        if not any(each["kind"] == "Namespace" for each in self.objects):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
            self.plane.apply([namespace])
        self.apply()
        self._autoscale()
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        names = {"name": service_account_of(self.graph), "namespace": self.namespace, "labels": {MARK: "true"}}
        pods = [pod for component in self.components for pod in component.pods]
        self.plane.apply([account | {"metadata": names}])
        self._bind(self._claims(pods))
        self.plane.apply(pods)
        self.placed = settled(self.plane, self.namespace)
        probes = [
            probe for component in self.components for probe in forbidden_places(component, self.accelerator, self.spot)
        ]
        self.plane.apply(probes)
        settled_now = settled(self.plane, self.namespace)
        self.probed = {probe["metadata"]["name"]: settled_now[probe["metadata"]["name"]] for probe in probes}

    def of(self, component: Component) -> Iterator[Placed]:
        for pod in component.pods:
            yield self.placed[pod["metadata"]["name"]]

    def remove(self) -> None:
        """Everything but the namespace, whose own end takes far longer than the end of what is in it."""
        run, here = self.plane.kubectl, ("-n", self.namespace)
        gone = ("--ignore-not-found", "--timeout=60s")
        run("delete", "jobs", "--all", *here, *gone)
        run("delete", "pods", "--all", *here, "--force", "--grace-period=0", *gone)
        stream = yaml.safe_dump_all(each for each in self.objects if each["kind"] != "Namespace")
        run("delete", "-f", "-", *gone, input=stream)
        run("delete", "serviceaccounts,persistentvolumeclaims", "-l", MARK, *here, *gone)
        run("delete", "persistentvolumes,nodes", "-l", MARK, *gone)

    def _autoscale(self) -> None:
        """Nodes for each ComputeClass of the stream, as GKE's node auto-provisioning adds them."""
        classes = [each for each in self.objects if each["kind"] == "ComputeClass"]
        nodes = [node for each in classes for node in nodes_for_compute_class(each)]
        served = set()
        for node in nodes:
            node["metadata"]["labels"][MARK] = "true"
            served.add(node["metadata"]["labels"][COMPUTE_CLASS])
        if nodes:
            self.plane.add_nodes(nodes)
        missing = {each["metadata"]["name"] for each in classes} - served
        assert not missing, f"no machine of nodes.yaml fits a priority of the ComputeClasses {sorted(missing)}"

    def _claims(self, pods: list[Object]) -> list[Object]:
        """All claims of the namespace; those that pods name and nobody makes are the user's, so we make them."""
        wanted = {
            volume["persistentVolumeClaim"]["claimName"]
            for pod in [*pods, *(each for each in self.objects if each["kind"] == "Pod")]
            for volume in pod["spec"].get("volumes", ())
            if "persistentVolumeClaim" in volume
        }
        written = {each["metadata"]["name"] for each in self.objects if each["kind"] == "PersistentVolumeClaim"}
        theirs = [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": name, "namespace": self.namespace, "labels": {MARK: "true"}},
                "spec": {
                    "accessModes": ["ReadWriteMany"],
                    "storageClassName": "standard-rwx",
                    "resources": {"requests": {"storage": "1Ti"}},
                },
            }
            for name in sorted(wanted - written)
        ]
        self.plane.apply(theirs)
        return self.plane.get("persistentvolumeclaims", "-n", self.namespace)

    def _bind(self, claims: list[Object]) -> None:
        """There is no provisioner here: makes a volume for each claim, after a look at what one would have said."""
        classes = {each["metadata"]["name"]: each["provisioner"] for each in self.plane.get("storageclasses")}
        for claim in claims:
            spec, name = claim["spec"], claim["metadata"]["name"]
            if spec.get("volumeName"):
                continue  # of a volume in the stream
            provisioner = classes.get(spec.get("storageClassName", ""))
            assert provisioner, f"claim '{name}': GKE has no storage class {spec.get('storageClassName')!r}"
            shared = {"ReadWriteMany"} & set(spec["accessModes"])
            assert not (shared and provisioner == "pd.csi.storage.gke.io"), (
                f"claim '{name}': a disk (class {spec['storageClassName']!r}) cannot be ReadWriteMany"
            )
        self.plane.apply([_volume(claim) for claim in claims if not claim["spec"].get("volumeName")])
        command = ("persistentvolumeclaims", "-n", self.namespace)
        self.plane.wait_until(
            "claims are bound",
            lambda: all(claim["status"].get("phase") == "Bound" for claim in self.plane.get(*command)),
        )


def settled(plane: Plane, namespace: str) -> dict[str, Placed]:
    """Every pod of a namespace, by name, once the scheduler has put it somewhere or has said why not."""
    nodes = {each["metadata"]["name"]: each["metadata"]["labels"] for each in plane.get("nodes")}
    found: dict[str, Placed] = {}

    def look() -> bool:
        found.clear()
        for pod in plane.get("pods", "-n", namespace):
            node = nodes.get(pod["spec"].get("nodeName", ""))
            found[pod["metadata"]["name"]] = Placed(pod, node, _refusal(pod))
        return all(placed.node is not None or placed.message for placed in found.values())

    plane.wait_until("the scheduler has looked at every pod", look, UNDECIDED_SECONDS)
    return found


def wait_for_account(plane: Plane, namespace: str) -> None:
    """Without its default service account a namespace takes no pods."""
    command = ("get", "serviceaccount", "default", "-n", namespace, "--ignore-not-found")
    plane.wait_until("the namespace has a service account", lambda: plane.kubectl(*command))


def _refusal(pod: Object) -> str:
    return next(
        (
            condition.get("message", "no reason")
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "PodScheduled" and condition["status"] == "False"
        ),
        "",
    )


def _volume(claim: Object) -> Object:
    spec, names = claim["spec"], claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{names['namespace']}-{names['name']}", "labels": {MARK: "true"}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec["volumeMode"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": names["namespace"], "name": names["name"]},
            "hostPath": {"path": "/simulated"},
        },
    }
