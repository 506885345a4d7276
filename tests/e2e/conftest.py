"""One control plane for all tests: CRDs from `schemas/`, simulated GKE nodes, storage classes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dynagen.schema_import.crds import custom_resource_definitions
from dynagen.schema_import.set_files import read_catalogue
from tests.conftest import ROOT
from tests.e2e.nodes import gke_nodes
from tests.e2e.plane import Plane

SCHEMAS = ROOT / "schemas"
CLUSTER = Path(__file__).with_name("cluster.yaml")


@pytest.fixture(scope="session")
def plane() -> Iterator[Plane]:
    """Everything but Dynamo's own CRDs, of which there is one set per release."""
    sets = [name for name in read_catalogue(SCHEMAS / "SOURCES.yaml")["sets"] if not name.startswith("dynamo-")]
    with Plane() as plane:
        plane.apply(list(yaml.safe_load_all(CLUSTER.read_text("utf-8"))))
        plane.add_nodes(gke_nodes())
        plane.install(custom_resource_definitions(SCHEMAS, sets))
        yield plane
