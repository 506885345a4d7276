"""The config.json of a profile's model: from the profile, from a file beside it, or from the facts, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import Report
from dynagen.plan.fit.block import NotUnderstood
from dynagen.plan.fit.shape import Shape, shape_of
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp

# Words of a repository's name that say how its weights are written, not which model it is.
_PRECISIONS = frozenset(
    ["bf16", "fp16", "fp8", "fp4", "nvfp4", "mxfp4", "int4", "int8", "w4a16", "w8a8", "awq", "gptq", "dynamic"]
)


def find_shape(profile: Profile, config: Mapping[str, Any] | None, look_up: LookUp, report: Report) -> Shape | None:
    """`config` is what `modelConfig` says. Reports DG427 for a model that is not known, DG440 for one that is not understood."""
    model = profile.data["model"]
    at = profile.at(("modelConfig",) if config is not None else ("model",))
    found = config if config is not None else known_config(model, look_up)
    if found is None:
        near = _nearest(model, look_up)
        hint = "give its config.json with 'modelConfig: ./config.json', the keys of that file under 'modelConfig', or facts in a layer"
        if _is_variant(model, near):
            near = []
        report.add(
            "DG427", f"model '{model}' is not known: nobody checks whether it fits its GPUs", at,
            hint=f"did you mean {' or '.join(near)}? Else {hint}" if near else hint, severity="warning" if near else "note",
        )  # fmt: skip
        return None
    if not found and isinstance(profile.data.get("modelConfig"), str):
        return None  # the file was not read, and that was reported
    try:
        return shape_of(found)
    except NotUnderstood as error:
        report.add(
            "DG440",
            f"the config.json of model '{model}': {error}",
            at,
            "it needs the keys that the file on the Hub has",
        )
        return None


def known_config(model: str, look_up: LookUp) -> dict[str, Any] | None:
    """What the facts say, with what the models say that it is like. None for a model that is not there."""
    found: dict[str, Any] = {}
    seen: set[str] = set()
    while model not in seen:
        seen.add(model)
        owner, slash, name = model.partition("/")
        if not owner or not slash:
            return None
        entry = look_up("models", owner).get(name)
        if not isinstance(entry, Mapping):
            return None
        found = {**entry, **found}
        like = found.pop("like", None)
        if not isinstance(like, str):
            return found
        model = like if "/" in like else f"{owner}/{like}"
    return None  # they are like each other


def _is_variant(model: str, near: Sequence[str]) -> bool:
    """Whether a known model has this name but for its precision: then it is another repository, and nobody misspelt it."""
    return any(_plain(model) == _plain(each.strip("'")) and model.lower() != each.strip("'").lower() for each in near)


def _plain(name: str) -> list[str]:
    return [word for word in name.lower().split("-") if word not in _PRECISIONS]


def _nearest(model: str, look_up: LookUp) -> list[str]:
    """Names of known models that are most like this one, quoted; the one that differs in case alone, or lacks its owner."""
    import difflib

    if model.startswith("/"):  # a folder in the container
        return []
    known = {
        f"{owner}/{name}".lower(): f"'{owner}/{name}'"
        for owner in look_up("models", "")
        for name in look_up("models", owner)
    }
    wanted = model.lower()
    if wanted in known:
        return [known[wanted]]
    if "/" not in wanted:
        same = [shown for folded, shown in known.items() if folded.partition("/")[2] == wanted]
        return same[:3]
    found = difflib.get_close_matches(wanted, known, n=3, cutoff=0.88)
    best = difflib.SequenceMatcher(None, wanted, found[0]).ratio() if found else 0.0
    # Beside a name that is nearly the same, others are not meant.
    return [known[each] for each in found if difflib.SequenceMatcher(None, wanted, each).ratio() > best - 0.02]
