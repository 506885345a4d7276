"""The name of a graph and of its components in, what Dynamo's operator names after them out, and how long that may be.

Source: GetDCDResourceName, NormalizeKubeResourceName and GetDynamoNamespace in deploy/operator/internal/dynamo/graph.go
of ai-dynamo/dynamo; pods carry the name of their DynamoComponentDeployment as the label nvidia.com/selector
(internal/controller/dynamocomponentdeployment_controller.go). Services: RFC 1035.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dynagen.text.names import MAX_LABEL

# The operator names the frontend's Service <graph>-frontend only for a component of this name.
FRONTEND = "Frontend"
_HASH = "-<hash>"
HASH_LENGTH = 1 + 8


class MadeName(NamedTuple):
    """A name, or a value of a label, of which nobody knows the hash at the end, if it has one."""

    text: str
    is_label: bool = False
    has_hash: bool = False

    def __str__(self) -> str:
        return self.text + _HASH * self.has_hash

    @property
    def length(self) -> int:
        return len(self.text) + HASH_LENGTH * self.has_hash

    def longest(self, name: str) -> int:
        """How long `name`, of which it is made, may be."""
        return MAX_LABEL - (self.length - len(name))


def made_names(graph: str, namespace: str, components: Iterable[tuple[str, bool]]) -> list[MadeName]:
    """What has to fit into a label. A component is its name, and whether it gets a hash of the worker's spec."""
    made = [MadeName(name_of(graph, component), has_hash=has_hash) for component, has_hash in components]
    return [*made, MadeName(dynamo_namespace(graph, namespace), is_label=True)] if namespace else made


def name_of(graph: str, component: str) -> str:
    """The name of a component's Service, and of most that belongs to it."""
    return f"{graph}-{component}".lower().replace(".", "-")


def dynamo_namespace(graph: str, namespace: str) -> str:
    """Where the components of a graph find each other; a label of its pods has it."""
    return f"{namespace}-{graph}"
