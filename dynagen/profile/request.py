"""What a command asks the compiler for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dynagen.manifests.building import Manifest
from dynagen.text.document import Document


class Request(NamedTuple):
    """What to compile. `home` is the folder that overlay paths start from, `root` the one they may not leave.

    `external` are Kind/name or Kind/namespace/name of objects in the cluster, beside those that the profile names;
    `earlier` are objects that the new ones replace.
    """

    sources: Sequence[Document]
    settings: Sequence[str]
    home: Path
    root: Path
    external: Sequence[str] = ()
    earlier: Sequence[Manifest] = ()
