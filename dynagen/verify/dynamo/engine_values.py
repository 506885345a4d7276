"""What the engine of a component is told: values that it refuses, a role that is not that of the component's type.

Source: backend_args.py of dynamo/{vllm,trtllm} and args.py of dynamo/sglang in the wheels ai-dynamo up to 1.6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynagen.cluster.graphs import MAIN, Component, Graph
from dynagen.cluster.objects import Findings
from dynagen.diagnostics import Finding, closest, shortened
from dynagen.engine.refused_values import value_findings
from dynagen.engine.words import Word, values_of
from dynagen.verify.dynamo.commands import line_in

# Of any release and any backend: `null` is SGLang's word, `prefill_and_decode` that of older TensorRT-LLM.
_MODES = ("agg", "pd", "prefill", "decode", "encode", "null", "prefill_and_decode")
_MODE = "--disaggregation-mode"
_ENGINES = {"dynamo.vllm": "vllm", "dynamo.sglang": "sglang", "dynamo.trtllm": "trtllm"}


def check_engine_values(graph: Graph, findings: Findings) -> None:
    """Reports DG452 for a KV transfer, a role or a share of memory that cannot be."""
    for component in graph.components:
        commands = (
            [each for each in line_in(component).commands if each.program in _ENGINES] if component.is_worker else []
        )
        if len(commands) != 1:
            continue
        path, _ = component.container(MAIN)
        words = commands[0].words
        found = [*_role_findings(component, words), *value_findings(_ENGINES[commands[0].program], words)]
        where = f"component '{component.name}': " if component.name else ""
        for inner, message, hint, severity in found:
            at = (*component.path, *path, *inner)
            findings.add("DG452", graph.subject, at, where + message, hint, severity)


def _role_findings(component: Component, words: Sequence[Word]) -> Iterator[Finding]:
    given = list(values_of(words, _MODE))
    for word in given:
        if word.text not in _MODES:
            near = closest(word.text, _MODES[:5])
            hint = f"did you mean '{near}'?" if near else "one of " + ", ".join(_MODES[:5])
            yield Finding(word.path, f"'{_MODE}' cannot be '{shortened(word.text, 40)}'", hint)
    flags = {"--is-prefill-worker": "prefill", "--is-decode-worker": "decode"}
    given += [Word(flags[word.text], word.path) for word in words if word.text in flags]
    roles = {word.text for word in given}
    other = {"prefill": "decode", "decode": "prefill"}.get(component.type)
    if other and roles == {other}:
        message = f"it is of type '{component.type}', and its engine is started for {other}"
        hint = "one of the two is wrong: by the type it is found, labelled and scaled"
        yield Finding(given[0].path, message, hint, "warning")
