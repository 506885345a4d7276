"""What the dialect of `schemas/` spells out of published schemas, and `loosening` takes back.

It is JSON Schema 2020-12 that Python, Go and `dynagen.schema.conformance` read alike: what a server does beyond that
(prune unknown fields, fill in defaults, read formats, accept numbers for quantities) is said in plain keywords. The
words `x-kubernetes-*`, `format` and `default` stay, as annotations.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#intorstring
INT_OR_STRING = ["integer", "string"]
PUBLISHED_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]

BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_BASE64 = r"[A-Za-z0-9+/][\r\n]*"
# What an API server checks for these formats, as far as a regular expression can say it; other formats stay unchecked.
# k8s.io/kube-openapi, pkg/validation/strfmt; `byte` is read by encoding/json, which skips line ends.
FORMATS = {
    "byte": rf"^[\r\n]*(({_BASE64}){{4}})*(({_BASE64}){{2}}=[\r\n]*=[\r\n]*|({_BASE64}){{3}}=[\r\n]*)?$",
    "date-time": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
    "duration": r"^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|ms|s|m|h|d|w))+)$",
    "ipv4": r"^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.|$)){4}$",
    "ipv6": r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$",
    "uri": r"^([A-Za-z][A-Za-z0-9+.-]*:|/)",
}  # fmt: skip
