"""A PeerAuthentication in, what Istio's webhook refuses of it out.

Source: ValidatePeerAuthentication in pkg/config/validation/validation.go of istio/istio.
"""

from __future__ import annotations

import re

from dynagen.cluster.objects import Object
from dynagen.verify.istio.common import selector_faults
from dynagen.verify.istio.faults import Fault, Faults


def peer_authentication_faults(subject: Object) -> Faults:
    spec = subject.data.get("spec") or {}
    selector, ports = spec.get("selector"), spec.get("portLevelMtls")
    at = ("spec", "portLevelMtls")
    if ports and not (selector or {}).get("matchLabels"):
        yield Fault(at, "portLevelMtls is for pods of a selector", "add selector.matchLabels")
    if ports == {}:
        yield Fault(at, "portLevelMtls without a port", "leave it out")
    for port in ports or {}:
        if not re.fullmatch("[0-9]+", str(port)) or not 1 <= int(port) <= 65535:
            yield Fault((*at, port), f"'{port}' is no port")
    yield from selector_faults(selector, ("spec", "selector"))
