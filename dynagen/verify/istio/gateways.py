"""A Gateway in, what Istio's webhook says of its certificates and ciphers out; the rest is in `rules.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynagen.cluster.objects import Object
from dynagen.diagnostics import Finding, KeyPath
from dynagen.verify.istio.common import items, warning

# Source: pkg/config/security/security.go (ValidCipherSuites).
_CIPHERS = frozenset((
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA",
))  # fmt: skip


def gateway_findings(subject: Object) -> Iterator[Finding]:
    """Source: validateTLSOptions in pkg/config/validation/validation.go of istio/istio."""
    for path, server in items(subject.data.get("spec") or {}, "servers", ("spec",)):
        if "tls" in server:
            yield from _cipher_findings(server["tls"], (*path, "tls"))
            yield from _certificate_findings(server["tls"], (*path, "tls"))


def _cipher_findings(tls: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    ciphers = tls.get("cipherSuites") or ()
    for index, cipher in enumerate(ciphers):
        if cipher in ciphers[:index]:
            yield warning((*path, "cipherSuites", index), f"'{cipher}' is there already")
        elif cipher not in ("", "ALL", *_CIPHERS) and cipher[0].isalnum():
            yield warning((*path, "cipherSuites", index), f"Istio does not know cipher '{cipher}' and ignores it")


def _certificate_findings(tls: dict[str, Any], path: KeyPath) -> Iterator[Finding]:
    mode, sources = tls.get("mode", "PASSTHROUGH"), _certificate_sources(tls)
    files = [key for key in ("serverCertificate", "privateKey", "caCertificates") if tls.get(key)]
    if mode == "ISTIO_MUTUAL":
        for key in [*files, *sources[-1:]][:1]:
            yield Finding((*path, key), f"ISTIO_MUTUAL takes the certificate of the mesh, not {key}", "leave it out")
        return
    unused = [*sources, *files, *(["caCrl"] if tls.get("caCrl") else [])]
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and unused:
        message = f"{mode} does not end TLS, so {unused[0]} is not used"
        yield warning((*path, unused[0]), message, "leave it out, or use mode SIMPLE")
    if len(sources) > 1:
        yield Finding((*path, sources[1]), f"a server has one certificate source, not {' and '.join(sources)}")


def _certificate_sources(tls: dict[str, Any]) -> list[str]:
    files = ["serverCertificate"] if tls.get("serverCertificate") and tls.get("privateKey") else []
    return files + [key for key in ("credentialName", "credentialNames", "tlsCertificates") if tls.get(key)]
