"""What a command asks the compiler for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dynagen.manifests.building import Manifest
from dynagen.memory import Memory
from dynagen.text.document import Document


class Request:
    """What to compile. `home` is the folder that overlay paths start from, `root` the one they may not leave.

    `external` are Kind/name or Kind/namespace/name of objects in the cluster, beside those that the profile names;
    `earlier` are objects that the new ones replace. `memory` holds what profiles share; without one nothing is shared.
    """

    def __init__(
        self,
        sources: Sequence[Document],
        settings: Sequence[str],
        home: Path,
        root: Path,
        external: Sequence[str] = (),
        earlier: Sequence[Manifest] = (),
        memory: Memory | None = None,
    ) -> None:
        self.sources, self.settings, self.home, self.root = sources, settings, home, root
        self.external, self.earlier, self.memory = external, earlier, memory or Memory()
