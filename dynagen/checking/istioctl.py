"""Manifests in, what `istioctl analyze` says of them without a cluster out.

Among its analysers is the validation of Istio's webhook (IST0106); those that ask for Pods, Services or Secrets, which
would come from a cluster, are left out. Source: istioctl/pkg/analyze/analyze.go of istio/istio.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from dynagen.checking.programs import NoVerdict, answer
from dynagen.diagnostics import KeyPath, Report
from dynagen.manifests.yaml import to_yaml
from dynagen.text.source import parse

_SEVERITIES = {"Error": "error", "Warning": "warning", "Info": "note"}
# Its log would stand before the JSON otherwise.
_COMMAND = ("analyze", "--use-kube=false", "--all-namespaces", "--log_target=stderr", "--output", "json", "-")


class Message(NamedTuple):
    """`about` is the index of an object, None for something else, which `message` names then."""

    code: str
    severity: str
    message: str
    about: int | None
    path: KeyPath = ()
    page: str = ""


def messages(program: str, objects: Sequence[dict[str, Any]]) -> list[Message]:
    """What istioctl says, in its order. Secrets are not shown to it. Raises NoVerdict."""
    shown = [index for index, data in enumerate(objects) if data["kind"] != "Secret"]
    stream = _Stream([objects[index] for index in shown])
    said, aside = answer([program, *_COMMAND], "".join(stream.texts))
    _, unread, why = aside.partition("Error(s) adding files: ")
    if unread:  # with --output json, istioctl says so nowhere else; the cause is the innermost point of its list
        points = [line.strip() for line in why.splitlines() if line.strip().startswith("* ")]
        raise NoVerdict(points[-1].removeprefix("* ") if points else why.strip())
    if not isinstance(said, list):
        raise NoVerdict("its JSON is no list of messages")
    try:
        found = [_message(each, stream) for each in said]
    except (KeyError, TypeError, AttributeError) as error:
        raise NoVerdict("its JSON is no list of messages") from error
    return [each if each.about is None else each._replace(about=shown[each.about]) for each in found]


def _message(said: dict[str, Any], stream: _Stream) -> Message:
    name, line = said.get("origin", ""), re.search(r":(\d+)\Z", said.get("reference", ""))
    about, path = stream.find(name, int(line[1]) if line else 0)
    text = " ".join(said["message"].split())
    page = said.get("documentationUrl", "").partition("?")[0]
    shown = f"{name}: {text}" if name and about is None else text
    return Message(said["code"], _SEVERITIES[said["level"]], shown, about, path, page)


class _Stream:
    """The objects as istioctl sees them: by name, and line by line."""

    def __init__(self, objects: Sequence[dict[str, Any]]) -> None:
        # With a separator before the first one, istioctl counts its lines wrong.
        self.texts = [f"{to_yaml(data)}---\n" for data in objects]
        self._names = [_name(data) for data in objects]
        self._starts = list(accumulate((text.count("\n") for text in self.texts), initial=1))

    def find(self, name: str, line: int) -> tuple[int | None, KeyPath]:
        """The object at a line, if it has that name, and what stands there; else the first one of that name."""
        index = bisect(self._starts, line) - 1
        if 0 <= index < len(self.texts) and (self._names[index] == name or name not in self._names):
            return index, _path_at(self.texts[index], line - self._starts[index] + 1)
        return (self._names.index(name) if name in self._names else None), ()


def _name(data: dict[str, Any]) -> str:
    """As istioctl calls an object. Source: pkg/config/legacy/source/kube/origin.go of istio/istio."""
    metadata = data.get("metadata") or {}
    return f"{data['kind']} " + "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))


def _path_at(text: str, line: int) -> KeyPath:
    """The path of the innermost value at a line; () for the first line, which stands for the object."""
    paths = [path for document in parse(text, "", Report()) for path in document.paths_at(line)]
    return paths[-1] if paths and line > 1 else ()
