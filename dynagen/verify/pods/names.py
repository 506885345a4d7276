"""What Kubernetes calls a name, a label, a port: text in, whether it is one out.

Source: pkg/util/validation/validation.go and pkg/api/validate/content of k8s.io/apimachinery v0.37.2.
"""

from __future__ import annotations

import re
from functools import lru_cache

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_RELAXED_ENV_NAME = re.compile(r"[ -<>-~]+")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")


def is_dns_label(text: str) -> bool:
    return len(text) <= 63 and _DNS_LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


@lru_cache(4096)  # the same labels are on every object
def is_label_value(text: str) -> bool:
    return len(text) <= 63 and _LABEL_VALUE.fullmatch(text) is not None


@lru_cache(4096)
def is_qualified(key: str) -> bool:
    """The key of a label, an annotation, a resource: a name, with a domain and a slash before it or not."""
    prefix, slash, name = key.rpartition("/")
    return (not slash or is_subdomain(prefix)) and bool(name) and is_label_value(name)


def is_port_name(text: str) -> bool:
    """At most 15 lower-case letters, digits and single inner hyphens, one of them a letter (IANA_SVC_NAME)."""
    return len(text) <= 15 and is_dns_label(text) and "--" not in text and any("a" <= each <= "z" for each in text)


def is_env_name(text: str, kubernetes: str) -> bool:
    """Almost everything printable since 1.32 (RelaxedEnvironmentVariableValidation, on by default from then)."""
    if minor(kubernetes) >= 32:
        return _RELAXED_ENV_NAME.fullmatch(text) is not None
    return _ENV_NAME.fullmatch(text) is not None and text not in (".", "..") and not text.startswith("..")


def is_config_key(text: str) -> bool:
    """A key of a ConfigMap or a Secret."""
    return len(text) <= 253 and _CONFIG_KEY.fullmatch(text) is not None and not text.startswith("..") and text != "."


def minor(kubernetes: str) -> int:
    """`1.34` -> 34."""
    return int(kubernetes.split(".")[1])
