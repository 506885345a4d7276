"""What Istio's webhook refuses we refuse: some thousand objects, made from good ones by chance, before both judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dynagen.cluster.objects import Cluster, Findings, Object
from dynagen.diagnostics import Origin, Position, Report
from dynagen.manifests.building import Manifest
from dynagen.memory import Memory
from dynagen.origins.pointing import where_written
from dynagen.profile.library import schema_folders
from dynagen.schema.sets import Schemas
from dynagen.trees.nodes import Map, to_tree
from dynagen.verify.istio.check import check
from dynagen.verify.schema import check_schemas
from tests.istioctl import validate
from tests.istioctl.mutants import mutants

HERE = Path(__file__).parent
SEEDS = list(yaml.safe_load_all((HERE / "seeds.yaml").read_text("utf-8")))
COUNT = 1500
WEBHOOK = {"DG480", "DG481", "DG482", "DG483", "DG484", "DG485"}
SCHEMAS = Schemas(schema_folders([], "1.34", "dynamo-1.5", Memory()))
HOME = Origin(Position("mutant.yaml"))


def verdict(mutant: dict[str, Any]) -> set[str]:
    """The codes of the errors that we find."""
    report = Report()
    tree = to_tree(mutant, HOME)
    assert isinstance(tree, Map)
    objects, findings = [Object(Manifest(tree, HOME.written))], Findings(report, where_written)
    check_schemas(objects, SCHEMAS, findings)
    if not report.failed:
        check(objects, Cluster(SCHEMAS, "1.34", (1, 6, 1)), findings)
    return {each.code for each in report.diagnostics if each.severity == "error"}


def excused(mutant: dict[str, Any], reason: str) -> bool:
    """What istioctl refuses and we do not, on purpose."""
    # Envoy's own messages inside an EnvoyFilter: we do not know their types.
    return mutant["kind"] == "EnvoyFilter" and any(
        words in reason for words in ("proto", "unknown field", "bad Duration")
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_both_judges_agree(seed: int, tmp_path: Path) -> None:
    made = list(mutants(SEEDS, COUNT, seed))
    file = tmp_path / "mutants.yaml"
    file.write_text(yaml.safe_dump_all(made), "utf-8")
    refused = validate(file)
    missed, too_strict = [], []
    for mutant in made:
        ours, theirs = verdict(mutant), refused.get(mutant["metadata"]["name"])
        if theirs is not None and not ours and not excused(mutant, theirs):
            missed.append((theirs, mutant))
        if theirs is None and ours & WEBHOOK:
            too_strict.append((ours, mutant))
    assert not missed, yaml.safe_dump_all([mutant for _, mutant in missed[:3]]) + "\n".join(why for why, _ in missed)
    assert not too_strict, yaml.safe_dump_all([mutant for _, mutant in too_strict[:3]])
    assert 0.2 < len(refused) / COUNT < 0.8, "mutants are to be good and bad ones"
