"""Speculative decoding: what the profile says of it, and whether engine, model and draft go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import Report
from dynagen.plan import backends
from dynagen.plan.backends import Speculative
from dynagen.plan.engine_arguments import arguments_of, refuse_repeated
from dynagen.plan.fit.block import NotUnderstood
from dynagen.plan.fit.models import known_config
from dynagen.plan.fit.question import Part
from dynagen.plan.fit.shape import Shape, shape_of
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp
from dynagen.text.versions import Version, version_text

# Kinds of models that have no layers to guess with: hf_config_override in vllm/config/speculative.py of 0.31.0 knows none, nor do
# the NextN models of sglang/srt/models of 0.5.21.
_WITHOUT_MTP = frozenset((
    "llama", "llama4", "qwen2", "qwen3", "qwen3_moe", "mistral", "mixtral", "gemma2", "gemma3", "gemma3_text", "phi3", "olmo2", "granite",
    "cohere", "gpt_oss",
))  # fmt: skip


def speculative_of(data: Mapping[str, Any]) -> Speculative | None:
    given = data.get("speculative")
    return Speculative(given["method"], given["tokens"], given.get("model")) if given else None


def draft_on_hub(data: Mapping[str, Any]) -> str | None:
    """The repository of a draft model; None if there is none, or a folder holds it."""
    model: str = data.get("speculative", {}).get("model", "/")
    return None if model.startswith("/") else model


def find_draft(data: Mapping[str, Any], look_up: LookUp) -> Shape | None:
    """The shape of the draft model, if facts know it."""
    model = draft_on_hub(data)
    config = known_config(model, look_up) if model else None
    try:
        return shape_of(config) if config is not None else None
    except NotUnderstood:
        return None


def check_speculation(
    profile: Profile, parts: Sequence[Part], shape: Shape | None, draft: Shape | None, release: Version, report: Report
) -> None:
    """Reports DG743 for what the engine does not do, DG744 for models that do not go together, DG745 for a draft of unknown size,
    DG404 for arguments that say it again."""
    wish = speculative_of(profile.data)
    if wish is None:
        return
    backend = backends.load(profile.data["backend"])
    _check_method(profile, wish, parts, backend, release, report)
    _check_models(profile, wish, shape, draft, report)
    refuse_repeated(profile, [part.path for part in parts], backend.SPECULATIVE_FLAGS, "speculative", report)


def _check_method(
    profile: Profile, wish: Speculative, parts: Sequence[Part], backend: Any, release: Version, report: Report
) -> None:
    name, since = profile.data["backend"], backend.METHODS.get(wish.method, ("", None))[1]
    here = ", ".join(method for method, (_, first) in backend.METHODS.items() if release >= first)
    at = profile.at(("speculative", "method"))
    if since is None:
        report.add("DG743", f"{name} has no method '{wish.method}'", at, hint=f"one of {here}")
        return
    if release < since:
        version = version_text(since)
        report.add(
            "DG743", f"{name} has the method '{wish.method}' since release {version}, and this is {profile.data['release']}", at,
            hint=f"one of {here}, or release {version} or later",
        )  # fmt: skip
        return
    for part in parts:
        own = arguments_of(profile, part.path)
        problem = backend.speculative_problem(wish, part.layout, profile.data.get("blockSize"), own, release)
        if problem:
            report.add("DG743", f"worker '{part.name}': {problem[0]}", at, hint=problem[1])
            return


def _check_models(
    profile: Profile, wish: Speculative, shape: Shape | None, draft: Shape | None, report: Report
) -> None:
    model = profile.data["model"]
    if wish.model is None:
        if wish.method == "mtp" and shape is not None and shape.type in _WITHOUT_MTP:
            report.add(
                "DG744", f"model '{model}' has no layers that guess tokens", profile.at(("speculative", "method")),
                hint="use 'method: ngram', or 'eagle3' or 'draft' with a 'model' that was made for it",
            )  # fmt: skip
        return
    at = profile.at(("speculative", "model"))
    if draft is None:
        report.add(
            "DG745", f"the size of '{wish.model}' is not known: its weights are not counted", at,
            hint="facts of a layer can say it (facts/models), or leave room with a shorter context", severity="note",
        )  # fmt: skip
    elif wish.method == "draft" and shape is not None and draft.vocabulary != shape.vocabulary:
        report.add(
            "DG744", f"'{wish.model}' knows {draft.vocabulary} tokens, and '{model}' {shape.vocabulary}: their numbers would mean others", at,
            hint="use a draft model with the same vocabulary, or 'method: ngram'",
        )  # fmt: skip
