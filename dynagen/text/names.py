"""Names and labels as Kubernetes takes them: a text in, what is wrong with it out, or nothing.

Source of all forms: pkg/api/validate/content and pkg/util/validation/validation.go of kubernetes/apimachinery.
"""

from __future__ import annotations

# Sets of characters: patterns would be compiled for every run.
_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz" + _DIGITS
_ANY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _LOWER
_IN_SUBDOMAIN, _IN_LABEL, _IN_VALUE = _LOWER + "-.", _LOWER + "-", _ANY + "-_."
MAX_LABEL, MAX_SUBDOMAIN = 63, 253


def label_problem(text: str) -> str:
    """For a DNS label: the name of a namespace, of a container."""
    if len(text) > MAX_LABEL:
        return f"has {len(text)} characters, {MAX_LABEL} are possible"
    return "" if _is_label(text) else "must be lower case letters, digits and '-', with a letter or digit at both ends"


def subdomain_problem(text: str) -> str:
    """For a DNS subdomain: the name of most objects."""
    if len(text) > MAX_SUBDOMAIN:
        return f"has {len(text)} characters, {MAX_SUBDOMAIN} are possible"
    if text and not text.strip(_IN_SUBDOMAIN) and not _has_bare_end(text):
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
    return "" if _is_value(name) else "must be letters, digits, '-', '_' and '.', with a letter or digit at both ends"


def value_problem(text: str) -> str:
    """For the value of a label."""
    if len(text) > MAX_LABEL:
        return f"has {len(text)} characters, {MAX_LABEL} are possible"
    if not text or _is_value(text):
        return ""
    return "must be letters, digits, '-', '_' and '.', with a letter or digit at both ends, or nothing"


def config_key_problem(text: str) -> str:
    """For a key of a ConfigMap or a Secret, which becomes the name of a file."""
    if len(text) > MAX_SUBDOMAIN:
        return f"has {len(text)} characters, {MAX_SUBDOMAIN} are possible"
    if text == "." or text.startswith(".."):
        return "may not be '.' nor begin with '..'"
    return "" if text and not text.strip(_ANY + "-._") else "must be letters, digits, '-', '_' and '.'"


# Stripping all of the characters that may be in a text leaves nothing of it.


def _is_label(text: str) -> bool:
    return bool(text) and not text.strip(_IN_LABEL) and "-" not in (text[0], text[-1])


def _has_bare_end(text: str) -> bool:
    """Whether a part between dots is empty, or begins or ends with '-'."""
    return text[0] in "-." or text[-1] in "-." or ".." in text or "-." in text or ".-" in text


def _is_value(text: str) -> bool:
    return bool(text) and not text.strip(_IN_VALUE) and text[0] in _ANY and text[-1] in _ANY


# The same as questions.


def is_dns_label(text: str) -> bool:
    return not label_problem(text)


def is_subdomain(text: str) -> bool:
    return not subdomain_problem(text)


def is_qualified(key: str) -> bool:
    """The key of a label, an annotation, a resource: a name, with a domain and a slash before it or not."""
    return not key_problem(key)


def is_port_name(text: str) -> bool:
    """At most 15 lower-case letters, digits and single inner hyphens, one of them a letter (IANA_SVC_NAME)."""
    return len(text) <= 15 and is_dns_label(text) and "--" not in text and any("a" <= each <= "z" for each in text)


def is_env_name(text: str, kubernetes: str) -> bool:
    """Almost everything printable since 1.32 (RelaxedEnvironmentVariableValidation, on by default from then)."""
    if minor(kubernetes) >= 32:
        return bool(text) and text.isascii() and text.isprintable() and "=" not in text
    if not text or text.strip(_ANY + "-._") or text[0] in _DIGITS:
        return False
    return text != "." and not text.startswith("..")


def minor(kubernetes: str) -> int:
    """`1.34` -> 34."""
    return int(kubernetes.split(".")[1])
