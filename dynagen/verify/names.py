"""Names and labels as Kubernetes takes them: a text in, what is wrong with it out, or nothing.

Source of all forms: pkg/api/validate/content and pkg/util/validation/validation.go of kubernetes/apimachinery.
"""

from __future__ import annotations

import re
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_RELAXED_ENV_NAME = re.compile(r"[ -<>-~]+")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
MAX_LABEL, MAX_SUBDOMAIN = 63, 253


def label_problem(text: str) -> str:
    """For a DNS label: the name of a namespace, of a container."""
    if len(text) > MAX_LABEL:
        return f"has {len(text)} characters, {MAX_LABEL} are possible"
    return (
        ""
        if _LABEL.fullmatch(text)
        else "must be lower case letters, digits and '-', with a letter or digit at both ends"
    )


def subdomain_problem(text: str) -> str:
    """For a DNS subdomain: the name of most objects."""
    if len(text) > MAX_SUBDOMAIN:
        return f"has {len(text)} characters, {MAX_SUBDOMAIN} are possible"
    if all(_LABEL.fullmatch(part) for part in text.split(".")):
        return ""
    return "must be lower case letters, digits, '-' and '.', with a letter or digit at both ends of each part"


def segment_problem(text: str) -> str:
    """For a part of a path, which is all that names of roles and the like must be."""
    if text in (".", ".."):
        return f"may not be '{text}'"
    return "may hold neither '/' nor '%'" if "/" in text or "%" in text else ""


def key_problem(text: str) -> str:
    """For the key of a label or an annotation, and for a finalizer: `name` or `example.com/name`."""
    prefix, slash, name = text.rpartition("/")
    if slash and (problem := subdomain_problem(prefix)):
        return f"the part before '/' {problem}"
    if not name or len(name) > MAX_LABEL:
        return f"the name has {len(name)} characters, 1 to {MAX_LABEL} are possible"
    return (
        ""
        if _VALUE.fullmatch(name)
        else "must be letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    )


def value_problem(text: str) -> str:
    """For the value of a label."""
    if len(text) > MAX_LABEL:
        return f"has {len(text)} characters, {MAX_LABEL} are possible"
    if not text or _VALUE.fullmatch(text):
        return ""
    return "must be letters, digits, '-', '_' and '.', with a letter or digit at both ends, or nothing"


def config_key_problem(text: str) -> str:
    """For a key of a ConfigMap or a Secret, which becomes the name of a file."""
    if len(text) > MAX_SUBDOMAIN:
        return f"has {len(text)} characters, {MAX_SUBDOMAIN} are possible"
    if text == "." or text.startswith(".."):
        return "may not be '.' nor begin with '..'"
    return "" if _CONFIG_KEY.fullmatch(text) else "must be letters, digits, '-', '_' and '.'"


# The same as questions.


def is_dns_label(text: str) -> bool:
    return not label_problem(text)


def is_subdomain(text: str) -> bool:
    return not subdomain_problem(text)


@lru_cache(4096)  # the same labels are on every object
def is_label_value(text: str) -> bool:
    return not value_problem(text)


@lru_cache(4096)
def is_qualified(key: str) -> bool:
    """The key of a label, an annotation, a resource: a name, with a domain and a slash before it or not."""
    return not key_problem(key)


def is_config_key(text: str) -> bool:
    """A key of a ConfigMap or a Secret."""
    return not config_key_problem(text)


def is_port_name(text: str) -> bool:
    """At most 15 lower-case letters, digits and single inner hyphens, one of them a letter (IANA_SVC_NAME)."""
    return len(text) <= 15 and is_dns_label(text) and "--" not in text and any("a" <= each <= "z" for each in text)


def is_env_name(text: str, kubernetes: str) -> bool:
    """Almost everything printable since 1.32 (RelaxedEnvironmentVariableValidation, on by default from then)."""
    if minor(kubernetes) >= 32:
        return _RELAXED_ENV_NAME.fullmatch(text) is not None
    return _ENV_NAME.fullmatch(text) is not None and text not in (".", "..") and not text.startswith("..")


def minor(kubernetes: str) -> int:
    """`1.34` -> 34."""
    return int(kubernetes.split(".")[1])
