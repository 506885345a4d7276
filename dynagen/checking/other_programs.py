"""What looks like a Kubernetes object, and is read by another program: no API server ever gets it."""

from __future__ import annotations

from typing import Any

# source: the documentation of each: kustomize, istioctl, kind, kubeadm, the kubelet, kube-proxy, kube-scheduler,
# kube-apiserver (--encryption-provider-config, --audit-policy-file, --admission-control-config-file), skaffold, eksctl,
# Backstage (catalog-info.yaml), kwokctl
_GROUPS = frozenset(
    [
        "apiserver.config.k8s.io",
        "audit.k8s.io",
        "backstage.io",
        "config.kwok.x-k8s.io",
        "eksctl.io",
        "install.istio.io",
        "kind.x-k8s.io",
        "kubeadm.k8s.io",
        "kubelet.config.k8s.io",
        "kubeproxy.config.k8s.io",
        "kubescheduler.config.k8s.io",
        "kustomize.config.k8s.io",
        "skaffold",
    ]
)


def is_config(data: dict[str, Any]) -> bool:
    """Whether a mapping is the configuration of a program. A kubeconfig is a `Config` of `v1`."""
    api_version, kind = str(data.get("apiVersion", "")), data.get("kind")
    return api_version.partition("/")[0] in _GROUPS or (api_version == "v1" and kind == "Config")
