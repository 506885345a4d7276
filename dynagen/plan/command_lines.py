"""A kind of worker in, the command line of its engine out: what follows from the profile, then the profile's own arguments."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from dynagen.diagnostics import KeyPath, Report
from dynagen.engine.arguments import flag_of
from dynagen.plan import backends
from dynagen.plan.engine_arguments import arguments_of, arguments_said
from dynagen.plan.engine_config import plan_config
from dynagen.plan.fit.question import Part
from dynagen.plan.kv_offload import offloaded
from dynagen.plan.parsers import OWN_FLAGS, parser_arguments
from dynagen.plan.routing import needs_events
from dynagen.plan.speculation import speculative_of
from dynagen.profile import Profile
from dynagen.text.versions import Version

# Where the engine finds its own file (base/patches/12-engine-config.yaml).
CONFIG_FOLDER, CONFIG_FILE = "/etc/dynamo-engine", "config.yaml"


def command_line(
    profile: Profile, part: Part, release: Version, context: int | None, longest: int | None, report: Report
) -> tuple[list[str], list[str], str | None]:
    """Command, arguments, and the text of the engine's own file. Reports DG404 for an argument of the profile that the profile
    says otherwise already. `longest` is the context even where the model's own is left to the engine."""
    data = profile.data
    backend = backends.load(data["backend"])
    _check_arguments(profile, part.path, {**backend.OWN_FLAGS, **OWN_FLAGS}, report)
    own = arguments_of(profile, part.path)
    launch = backends.Launch(
        model=data["model"],
        served_model_name=data.get("servedModelName", data["model"]),
        release=release,
        role=part.role,
        layout=part.layout,
        context=context,
        concurrency=data.get("concurrency"),
        revision=data.get("revision"),
        metrics="monitoring" in data["overlays"],
        longest=longest,
        block_size=data.get("blockSize"),
        speculative=speculative_of(data),
        kv_offload=offloaded(data) * part.nodes,
        kv_events=needs_events(data) and not any(flag_of(each).startswith("--kv-events-config") for each in own),
    )
    args, config = backend.arguments(launch), plan_config(data, profile.value(part.path), launch)
    if config:
        args += ["--extra-engine-args", f"{CONFIG_FOLDER}/{CONFIG_FILE}"]
    args += [*parser_arguments(data), *own]
    if release < (1, 0, 0):
        args += ["--migration-limit", str(data["frontend"]["migrationLimit"])]
    return ["python3", "-m", backend.MODULE], args, config


def _check_arguments(profile: Profile, worker: KeyPath, own: Mapping[str, str], report: Report) -> None:
    for path, argument in arguments_said(profile, [worker]):
        flag = flag_of(argument)
        if flag in own:
            report.add(
                "DG404", f"'{flag}' is set by dynagen", profile.at(path),
                hint=f"the profile says it with {own[flag]}",
            )  # fmt: skip


def script(command: list[str], args: list[str]) -> str:
    """A command line as POSIX shell text: quoted where needed, a flag and its value on a line of their own."""
    lines = [shlex.join(command)]
    for argument in args:
        quoted = shlex.quote(argument)
        is_value = (
            not argument.startswith("-") and len(lines) > 1 and lines[-1].startswith("-") and " " not in lines[-1]
        )
        if is_value:
            lines[-1] += f" {quoted}"
        else:
            lines.append(quoted)
    return " \\\n  ".join(lines)
