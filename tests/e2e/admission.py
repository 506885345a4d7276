"""Manifests as texts in, what the API server says of each out: dry runs with strict fields, several at a time."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import yaml

from tests.e2e.plane import Plane

_AT_ONCE = 6


class Answer(NamedTuple):
    """`why` holds the server's words, for a yes its warnings."""

    accepted: bool
    why: str


class Admission:
    """Nothing is ever stored."""

    def __init__(self, plane: Plane) -> None:
        config = json.loads((plane.folder / "kubeconfig").read_text("utf-8"))
        self._server = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._headers = {
            "Authorization": f"Bearer {config['users'][0]['user']['token']}",
            "Content-Type": "application/yaml",
        }
        self._unverified = ssl.create_default_context()
        self._unverified.check_hostname, self._unverified.verify_mode = False, ssl.CERT_NONE

    def judge(self, texts: Sequence[str]) -> list[Answer]:
        """In the order of the texts, over one connection for each of some threads."""
        shares = [texts[number::_AT_ONCE] for number in range(_AT_ONCE)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(self._judge_share, shares))
        return [answers[number % _AT_ONCE][number // _AT_ONCE] for number in range(len(texts))]

    def _judge_share(self, texts: Sequence[str]) -> list[Answer]:
        connection = http.client.HTTPSConnection(
            str(self._server.hostname), self._server.port, context=self._unverified, timeout=60
        )
        with closing(connection):
            client = _Client(connection, self._headers)
            return [client.judge(text) for text in texts]


class _Client:
    """One connection, and the resources that the server has said it serves."""

    def __init__(self, connection: http.client.HTTPSConnection, headers: dict[str, str]) -> None:
        self._connection, self._headers = connection, headers
        self._resources: dict[str, dict[str, dict[str, Any]]] = {}

    def judge(self, text: str) -> Answer:
        try:
            data = yaml.safe_load(text)
            api_version, kind = str(data["apiVersion"]), str(data["kind"])
        except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
            return Answer(False, f"no object: {error}")
        resource = self._resource(api_version, kind)
        if resource is None:
            return Answer(False, f'no matches for kind "{kind}" in version "{api_version}"')
        metadata = data.get("metadata")
        space = metadata.get("namespace") if isinstance(metadata, dict) else None
        where = (
            f"/namespaces/{quote(space if isinstance(space, str) and space else 'default', safe='')}"
            if resource["namespaced"]
            else ""
        )
        status, body = self._ask(
            "POST", f"{_base(api_version)}{where}/{resource['name']}?dryRun=All&fieldValidation=Strict", text.encode()
        )
        if status in (200, 201):
            return Answer(True, "")
        try:
            answer = json.loads(body)
        except ValueError:  # a namespace that no path can hold
            return Answer(False, body.decode("utf-8", "replace").strip())
        # What is there already has been found valid first.
        return Answer(answer.get("reason") == "AlreadyExists", str(answer.get("message")))

    def _resource(self, api_version: str, kind: str) -> dict[str, Any] | None:
        if api_version not in self._resources:
            status, body = self._ask("GET", _base(api_version))
            found = json.loads(body).get("resources", []) if status == 200 else []
            self._resources[api_version] = {each["kind"]: each for each in found if "/" not in each["name"]}
        return self._resources[api_version].get(kind)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _base(api_version: str) -> str:
    return f"/apis/{quote(api_version)}" if "/" in api_version else f"/api/{quote(api_version)}"
