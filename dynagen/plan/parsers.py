"""Dynamo's parsers of what models write: tool calls, reasoning. The same for every engine and for all workers of a graph.

Source: common/configuration/groups/runtime_args.py in the wheel ai-dynamo 1.6.1; recipes/ of ai-dynamo/dynamo give both flags to
prefill and decode workers alike, since each says in its registration which parsers its model needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of
from dynagen.engine.options import Parser
from dynagen.plan import backends
from dynagen.plan.engine_arguments import arguments_said
from dynagen.plan.known_values import check_word, is_certain
from dynagen.profile import Profile
from dynagen.profile.facts import LookUp
from dynagen.text.versions import parse_version

_FLAGS = {"toolCallParser": "--dyn-tool-call-parser", "reasoningParser": "--dyn-reasoning-parser"}
OWN_FLAGS = {flag: key for key, flag in _FLAGS.items()}
# SGLang's own, which Dynamo refuses beside them (_validate_parser_flags in dynamo/sglang/args.py). That for reasoning may stand beside
# the other since 1.3.
_SGLANGS = {"--tool-call-parser": "toolCallParser", "--reasoning-parser": "reasoningParser"}


def parser_arguments(data: Mapping[str, Any]) -> list[str]:
    return [word for key, flag in _FLAGS.items() if key in data for word in (flag, data[key])]


def check_parsers(profile: Profile, workers: Sequence[KeyPath], look_up: LookUp, report: Report) -> None:
    """Reports DG740 for a parser that the release does not have, DG742 for two that exclude each other."""
    data = profile.data
    parser = Parser(backends.load(data["backend"]).MODULE, look_up, data["release"], "")
    for key, flag in _FLAGS.items():
        if key in data:
            check_word(profile, (key,), flag, parser, is_certain(profile), report)
    if data["backend"] != "sglang":
        return
    for path, argument in arguments_said(profile, workers):
        key = _SGLANGS.get(flag_of(argument), "")
        if key in data and (key == "toolCallParser" or parse_version(data["release"]) < (1, 3, 0)):
            report.add(
                "DG742", f"'{flag_of(argument)}' and '{key}': Dynamo takes one of the two", profile.at(path),
                hint=f"leave the argument out, or '{key}'",
            )  # fmt: skip
