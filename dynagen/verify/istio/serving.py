"""Gateways and what goes through them: hosts, ports, certificates, tokens, subsets.

Source: pkg/config/analysis/analyzers/{gateway,virtualservice} of istio/istio.
"""

from __future__ import annotations

from typing import Any

from dynagen.cluster.objects import Object
from dynagen.cluster.pods import Pod
from dynagen.diagnostics import KeyPath
from dynagen.verify.istio.common import items
from dynagen.verify.istio.hosts import is_jwt_claim, overlap
from dynagen.verify.istio.mesh import Mesh, is_selected
from dynagen.verify.istio.resolution import destinations

# Names of certificate and key in a Secret. Source: pilot/pkg/credentials/kube/secrets.go of istio/istio.
_PAIRS = (("cert", "key"), ("tls.crt", "tls.key"))


def check_serving(mesh: Mesh) -> None:
    """Reports DG493, DG495 and DG496."""
    for subject in mesh.of_kind("VirtualService"):
        _check_hosts(mesh, subject)
        _check_claims(mesh, subject)
    _check_subsets(mesh)
    for gateway in mesh.of_kind("Gateway"):
        pods = [pod for pod in mesh.pods if is_selected(pod, _selector(gateway))]
        _check_credentials(mesh, gateway, pods)
        _check_certificates(mesh, gateway)
        if pods:
            _check_ports(mesh, gateway, pods)


def _selector(gateway: Object) -> dict[str, str]:
    selector: dict[str, str] = (gateway.data.get("spec") or {}).get("selector") or {}
    return selector


def _check_hosts(mesh: Mesh, subject: Object) -> None:
    """Reports DG496 for a VirtualService none of whose hosts is one of its Gateway."""
    spec = subject.data.get("spec") or {}
    hosts = spec.get("hosts") or ()
    for index, gateway in mesh.gateways_of(subject, spec.get("gateways") or ()):
        served = [
            name
            for _, server in items(gateway.data.get("spec") or {}, "servers", ("spec",))
            for host in server.get("hosts") or ()
            if (name := _host_for(host, gateway.namespace, subject.namespace))
        ]
        if hosts and not any(overlap(name, host) for name in served for host in hosts):
            shown = "', '".join(served)
            hint = f"it serves '{shown}'" if served else f"it serves no host to namespace '{subject.namespace}'"
            message = f"{gateway} serves no host of this VirtualService"
            mesh.report("DG496", "IST0132", subject, ("spec", "gateways", index), message, hint, "warning")


def _host_for(host: str, home: str, namespace: str) -> str | None:
    """The host of a server as VirtualServices of a namespace see it; None when it is not for them."""
    space, slash, name = host.rpartition("/")
    return name if not slash or space == "*" or (home if space == "." else space) == namespace else None


def _check_claims(mesh: Mesh, subject: Object) -> None:
    """Reports DG493 for a route by a claim of a token that nobody verifies."""
    spec = subject.data.get("spec") or {}
    path = _claim(spec)
    if path is None:
        return
    for _, gateway in mesh.gateways_of(subject, spec.get("gateways") or ()):
        selector = _selector(gateway)
        pods = [pod for pod in mesh.pods if is_selected(pod, selector)]
        rules = mesh.of_kind("RequestAuthentication")
        if pods and all(any(_verifies(rule, pod) for rule in rules) for pod in pods):
            continue
        if not pods and (rules or mesh.outside("RequestAuthentication")):
            continue  # it may be for those pods
        message = f"'{path[-1]}' never matches: no RequestAuthentication verifies tokens at {gateway}"
        hint = "add one with the gateway's selector, in the namespace of its pods"
        mesh.report("DG493", "IST0149", subject, path, message, hint, "error" if pods else "warning")
        return


def _claim(spec: dict[str, Any]) -> KeyPath | None:
    for path, route in items(spec, "http", ("spec",)):
        for at, match in items(route, "match", path):
            for key in ("headers", "withoutHeaders"):
                for header in match.get(key) or ():
                    if is_jwt_claim(header):
                        return (*at, key, header)
    return None


def _verifies(rule: Object, pod: Pod) -> bool:
    if rule.namespace not in ("istio-system", pod.namespace):
        return False
    labels = ((rule.data.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return is_selected(pod, labels) is not False


def _check_subsets(mesh: Mesh) -> None:
    """Reports DG496: subsets of a host in a VirtualService for sidecars say nothing to one for a gateway."""
    inside: dict[str, Object] = {}
    for subject in mesh.of_kind("VirtualService"):
        hosts = (subject.data.get("spec") or {}).get("hosts") or ()
        for path, destination in destinations(subject):
            if path[1] == "http" and "route" in path and destination.get("subset") and destination.get("host") in hosts:
                inside.setdefault(destination["host"], subject)
    for subject in mesh.of_kind("VirtualService") if inside else ():
        if not (subject.data.get("spec") or {}).get("gateways"):
            continue
        for path, destination in destinations(subject):
            other = inside.get(destination.get("host", ""))
            if path[1] == "http" and "route" in path and not destination.get("subset") and other is not None:
                message = f"requests through the gateway go to any subset: those of {other} are for sidecars"
                hint = "name the subset here as well"
                also = [("the other one", other, ("metadata", "name"))]
                mesh.report("DG496", "IST0140", subject, path, message, hint, "warning", also)


def _check_credentials(mesh: Mesh, gateway: Object, pods: list[Pod]) -> None:
    """Reports DG495 for a Secret without a certificate. Nothing of it is quoted."""
    spaces = {pod.namespace for pod in pods}
    for path, server in items(gateway.data.get("spec") or {}, "servers", ("spec",)):
        tls = server.get("tls") or {}
        names = [
            ((*path, "tls", "credentialName"), tls.get("credentialName")),
            *items(tls, "credentialNames", (*path, "tls")),
        ]
        for at, name in names:
            found = [
                each
                for each in mesh.objects
                if each.kind == "Secret" and each.name == name and (not spaces or each.namespace in spaces)
            ]
            if found and all(_lacks_certificate(each.data) for each in found):
                message = f"{found[0]} holds no certificate"
                hint = "it needs tls.crt and tls.key, or cert and key, in PEM"
                also = [("the Secret", found[0], ("metadata", "name"))]
                mesh.report("DG495", "IST0161", gateway, at, message, hint, also=also)


def _lacks_certificate(secret: dict[str, Any]) -> bool:
    """Whether it is sure that a Secret has none; one without any data is filled by somebody else."""
    data = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    if not data:
        return False
    for certificate, key in _PAIRS:
        if data.get(certificate) and data.get(key):
            return not _is_pem(data[certificate], encoded=certificate not in (secret.get("stringData") or {}))
    return True


def _is_pem(text: str, encoded: bool) -> bool:
    if encoded:
        import base64

        try:
            return b"-----BEGIN CERTIFICATE-----" in base64.b64decode(text)
        except ValueError:
            return False
    return "-----BEGIN CERTIFICATE-----" in text


def _check_certificates(mesh: Mesh, gateway: Object) -> None:
    """Reports DG495 for a certificate that another Gateway of the same pods has: browsers re-use the connection."""
    for other in mesh.of_kind("Gateway"):
        if other is gateway:
            break
        left, right = _selector(gateway), _selector(other)
        if not (left.items() <= right.items() or right.items() <= left.items()):
            continue
        for path, server in items(gateway.data.get("spec") or {}, "servers", ("spec",)):
            key = _certificate(server)
            taken = [_certificate(each) for _, each in items(other.data.get("spec") or {}, "servers", ("spec",))]
            if key and key in taken:
                message = f"{other} has this certificate too, and clients that keep a connection of HTTP/2 get 404"
                hint = "put the hosts into one Gateway, or give each a certificate"
                also = [("the other one", other, ("metadata", "name"))]
                mesh.report("DG495", "IST0138", gateway, (*path, "tls"), message, hint, "warning", also)


def _certificate(server: dict[str, Any]) -> tuple[str, ...]:
    tls = server.get("tls") or {}
    if tls.get("credentialName"):
        return (tls["credentialName"],)
    pair = (tls.get("serverCertificate", ""), tls.get("privateKey", ""))
    return pair if all(pair) else ()


def _check_ports(mesh: Mesh, gateway: Object, pods: list[Pod]) -> None:
    """Reports DG496 for a port that no Service of the gateway pods has."""
    services = [
        service
        for service in mesh.services.values()
        if service.selector
        and any(pod.namespace == service.namespace and is_selected(pod, service.selector) is not False for pod in pods)
    ]
    open_ports = {
        number
        for service in services
        for port in service.ports or ()
        if port.get("protocol", "TCP") == "TCP"
        for number in (port.get("port"), port.get("targetPort"))
    }
    for path, server in items(gateway.data.get("spec") or {}, "servers", ("spec",)) if services else ():
        number = (server.get("port") or {}).get("number")
        if number and number not in open_ports and f"{number}" not in open_ports:
            message = f"no Service of the gateway pods has port {number}"
            hint = f"{services[0].owner} has {', '.join(str(each.get('port')) for each in services[0].ports or ())}"
            mesh.report("DG496", "IST0162", gateway, (*path, "port", "number"), message, hint, "warning")
