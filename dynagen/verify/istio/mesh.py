"""All objects of a stream in, what they are to Istio out: its own objects by kind, the pods, the Services by full name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.names import CLUSTER_DOMAIN, full_name, is_dns_label
from dynagen.verify.istio.pods import Pod, pods_of
from dynagen.verify.objects import Cluster, Findings, Object

_SUPPRESS = "galley.istio.io/analyze-suppress"


class Service(NamedTuple):
    """A Service with the ports and the selector that it has, as far as they are known: one that an operator makes has neither."""

    owner: Object
    namespace: str
    ports: list[dict[str, Any]] | None
    selector: dict[str, str] | None


class Mesh:
    def __init__(self, objects: Sequence[Object], cluster: Cluster, findings: Findings) -> None:
        self.objects, self._cluster, self._findings = objects, cluster, findings
        self._kinds: dict[str, list[Object]] = {}
        for subject in objects:
            if subject.group.endswith(".istio.io"):
                self._kinds.setdefault(subject.kind, []).append(subject)

    def of_kind(self, kind: str) -> list[Object]:
        """Istio's objects of a kind; a Gateway is one of Istio, not of the Gateway API."""
        return self._kinds.get(kind, [])

    def outside(self, kind: str) -> list[Object]:
        """Objects of a kind that are in the cluster already."""
        return [each for each in self._cluster.external if each.kind == kind]

    def declaring(self, entry: str) -> str:
        """How one says that the cluster has something."""
        return self._cluster.declaring.format(entry)

    @cached_property
    def pods(self) -> list[Pod]:
        return [pod for subject in self.objects for pod in pods_of(subject)]

    @cached_property
    def services(self) -> dict[str, Service]:
        """By full name. What Dynamo's operator makes is there without details."""
        found: dict[str, Service] = {}
        for subject in self.objects:
            if subject.kind == "DynamoGraphDeployment":
                for pod in pods_of(subject):
                    name = full_name(pod.name.replace(".", "-"), subject.namespace)
                    found[name] = Service(subject, subject.namespace, None, None)
        for subject in self.objects:
            if subject.kind == "Service" and not subject.group:
                spec = subject.data.get("spec") or {}
                name = full_name(subject.name, subject.namespace)
                found[name] = Service(subject, subject.namespace, spec.get("ports") or [], spec.get("selector"))
        return found

    @cached_property
    def entries(self) -> dict[str, Object]:
        """The ServiceEntries by host; a host of several is that of the first."""
        found: dict[str, Object] = {}
        for subject in self.of_kind("ServiceEntry"):
            for host in _spec(subject).get("hosts") or ():
                found.setdefault(full_name(host, subject.namespace), subject)
        return found

    def misread(self, host: str) -> str | None:
        """The full name of the Service that a name such as `app.team` or `app.team.svc` means, but is not to Istio.

        Source: ResolveShortnameToFQDN in pilot/pkg/model of istio/istio completes names without a dot only.
        """
        name, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        if domain not in ("", "svc", "svc.cluster") or not is_dns_label(namespace) or host in self.entries:
            return None
        found = f"{name}.{namespace}{CLUSTER_DOMAIN}"
        return found if found in self.services else None

    def gateways_of(self, subject: Object, names: Sequence[str]) -> Iterator[tuple[int, Object]]:
        """The Gateways of the stream that a VirtualService names, each with its position."""
        for index, name in enumerate(names):
            namespace, slash, short = name.rpartition("/")
            for gateway in self.of_kind("Gateway"):
                if gateway.name == short and gateway.namespace == (namespace if slash else subject.namespace):
                    yield index, gateway

    def report(
        self,
        code: str,
        analyser: str,
        subject: Object,
        path: KeyPath,
        message: str,
        hint: str = "",
        severity: str = "error",
        also: Sequence[tuple[str, Object, KeyPath]] = (),
        cause: str = "",
    ) -> None:
        """`analyser` is the code that `istioctl analyze` has for it: it can be suppressed by an annotation, as there."""
        annotations = (subject.data.get("metadata") or {}).get("annotations") or {}
        if {analyser, "*"} & set(annotations.get(_SUPPRESS, "").split(",")):
            return
        self._findings.add(code, subject, path, message, hint, severity, also, cause)

    def refuse(self, code: str, subject: Object, path: KeyPath, message: str, hint: str = "") -> None:
        """For what the webhook refuses: an annotation does not change that."""
        self._findings.add(code, subject, path, message, hint)


def _spec(subject: Object) -> dict[str, Any]:
    spec: dict[str, Any] = subject.data.get("spec") or {}
    return spec
