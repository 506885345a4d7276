"""Files with published types in, their documents out: YAML or JSON, one or many, Lists taken apart, `.gz` unpacked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dynagen.schema_import.errors import ImportRefused

# The largest published bundle of CRDs has some 10 MiB, Kubernetes' swagger.json some 4 MiB.
MAX_BYTES = 64 * 1024 * 1024


def documents(file: Path) -> Iterator[dict[str, Any]]:
    """Every document that is an object. Raises ImportRefused."""
    shown = str(file)
    try:
        found = list(_parsed(_text(file), shown))
    except OSError as error:
        raise ImportRefused(shown, f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    except RecursionError as error:
        raise ImportRefused(shown, "nested too deep") from error
    for document in found:
        if document is not None:
            yield from _unlisted(document, shown)


def _text(file: Path) -> str:
    import gzip
    import zlib

    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ImportRefused(str(file), f"larger than {MAX_BYTES // 1024 // 1024} MiB")
        return raw.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ImportRefused(str(file), "not a gzip file") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(str(file), "not UTF-8") from error


def _parsed(text: str, shown: str) -> Iterator[Any]:
    if text.lstrip()[:1] == "{":
        try:
            yield json.loads(text)
            return
        except ValueError:
            pass  # YAML in flow style, or several documents
    from dynagen.text.published_yaml import NotYaml, parse_documents  # slow to import

    try:
        yield from parse_documents(text)
    except NotYaml as error:
        at = f"line {error.line}: " if error.line else ""
        raise ImportRefused(shown, f"{at}not YAML: {error.problem}") from error


def _unlisted(document: Any, shown: str) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict):
        raise ImportRefused(
            shown, "expected an object: a CustomResourceDefinition, a JSON Schema or an OpenAPI document"
        )
    if isinstance(document.get("items"), list) and "List" in str(document.get("kind")):
        for item in document["items"]:
            yield from _unlisted(item, shown)
    else:
        yield document
