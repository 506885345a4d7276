"""Objects that are checked in the same call and may be in the same cluster, or not: nobody says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


class Elsewhere:
    """`index` has, for kind and name, the namespaces that objects are in, each with the number of its stream.

    What is in the streams `apart` surely is in another cluster.
    """

    __slots__ = ("_apart", "_index", "_makers")

    def __init__(
        self, index: Mapping[tuple[str, str], Sequence[tuple[str, int]]], makers: Mapping[str, set[int]],
        apart: Collection[int],
    ) -> None:  # fmt: skip
        self._index, self._makers, self._apart = index, makers, apart

    def has(self, kind: str, name: str, namespace: str | None, is_cluster_kind: bool) -> bool:
        for space, stream in self._index.get((kind, name), ()):
            if stream not in self._apart and (not namespace or not space or space == namespace or is_cluster_kind):
                return True
        return False

    def has_any(self, kind: str) -> bool:
        found = (places for (each, _), places in self._index.items() if each == kind)
        return any(stream not in self._apart for places in found for _, stream in places)

    @property
    def makers(self) -> set[str]:
        """Namespaces in which something there may make pods."""
        return {space for space, streams in self._makers.items() if not streams.issubset(self._apart)}
