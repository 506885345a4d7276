"""`dynagen check`: what `build` would refuse, without building, and what is wrong with plain manifests."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dynagen.commands._input import expect_words, profile_options
from dynagen.console import format_names
from dynagen.memory import Memory

if TYPE_CHECKING:
    from dynagen.checking.manifests import Target
    from dynagen.checking.streams import Options
    from dynagen.console.outcome import Outcome

# Other programs that are asked, and how one gets them.
_REFEREES = {
    "kubeconform": "go install github.com/yannh/kubeconform/cmd/kubeconform@latest",
    "istioctl": "https://istio.io/latest/docs/ops/diagnostic-tools/istioctl/",
}


class _Check(click.Command):
    """A referee takes a value after `=` only, so that `--kubeconform profile.yaml` means what people mean."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        names = {f"--{name}": f"--{name}={name}" for name in _REFEREES}
        named = [names.get(word, word) for word in args[:end]]
        return super().parse_args(context, [*named, *args[end:]])


@click.command(cls=_Check)
@click.argument("paths", nargs=-1, metavar="PATH...")
@profile_options
@click.option("--kubernetes", metavar="VERSION", help="Version of the cluster that plain manifests are for.")
@click.option("--release", metavar="VERSION", help="Dynamo release in the cluster that plain manifests are for.")
@click.option(
    "--external",
    multiple=True,
    metavar="KIND/NAME",
    help="An object that the cluster has already, also as Kind/namespace/name; may be given more than once.",
)
@click.option(
    "--schemas",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Schemas of your own kinds, from `dynagen schemas import`, for plain manifests; may be given more than once.",
)
@click.option(
    "--against", metavar="PATH",
    help="Manifests that the cluster has now, as a file or a folder: what an update may not change is an error.",
)  # fmt: skip
@click.option(
    "--kubeconform", metavar="[=PATH]", help="Let kubeconform judge all objects as well, with the same schemas."
)
@click.option(
    "--istioctl", metavar="[=PATH]", help="Let `istioctl analyze` judge all objects as well, without a cluster."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(format_names()),
    default="text",
    show_default=True,
    help="text goes to standard error, the others to standard output.",
)
@click.option("--output-file", metavar="FILE", help="Write the report there instead.")
@click.option("--allow-empty", is_flag=True, help="Nothing to check is fine.")
def check(
    paths: tuple[str, ...],
    files: tuple[str, ...],
    settings: tuple[str, ...],
    root: Path | None,
    strict: bool,
    kubernetes: str | None,
    release: str | None,
    external: tuple[str, ...],
    schemas: tuple[Path, ...],
    against: str | None,
    kubeconform: str | None,
    istioctl: str | None,
    format_: str,
    output_file: str | None,
    allow_empty: bool,
) -> None:
    """Check profiles, plain Kubernetes manifests, and folders of either: schemas, rules, references. Changes nothing.

    Each profile is checked with every manifest that it would become. The manifests in a folder are checked together,
    and so are those in all files that are named; layers are checked with the profiles that name them.

    \b
      dynagen check profile.yaml
      dynagen check profiles/ deploy/ --strict
      helm template chart | dynagen check - --external Secret/login
      dynagen check profile.yaml --against out/
      dynagen check . --format sarif --output-file dynagen.sarif
    """
    from dynagen.checking.referees import Referees
    from dynagen.checking.streams import Options

    names = list(dict.fromkeys(paths)) or list(files[:1])
    further = files if paths else files[1:]
    if names == [] and allow_empty:
        return
    expect_words([*names, *further, *([against] if against else [])], settings)
    if output_file is not None and any(_is_same_file(name, output_file) for name in (*names, *further)):
        raise click.UsageError(f"--output-file would replace '{output_file}', which is checked.")
    referees = Referees(_program("kubeconform", kubeconform), _program("istioctl", istioctl))
    target, wrong = _target(kubernetes, release, external, schemas, against)
    outcome = wrong or _checked(names, Options(target, further, settings, root, strict, referees, allow_empty))
    _print(outcome, format_, output_file)
    sys.exit(1 if outcome.failed else 0)


def _checked(names: list[str], options: Options) -> Outcome:
    """Raises a usage error for what is for one profile when there are several, or none."""
    from dynagen.checking.paths import NotOneProfile, check_paths
    from dynagen.commands._output import Texts
    from dynagen.console.outcome import Outcome

    texts: dict[str, str] = {}
    homes: set[Path] = set()
    try:
        outcome = check_paths(names, options, texts, homes)
    except NotOneProfile as error:
        raise click.UsageError(f"-f and --set are for exactly one profile, there are {error}.") from error
    return Outcome(outcome.checked, Texts(texts, homes), outcome.notes, outcome.profiles, outcome.objects)


def _print(outcome: Outcome, format_: str, output_file: str | None) -> None:
    from dynagen.commands._output import print_text, say, write_file
    from dynagen.console import render
    from dynagen.console.outcome import summary, what_was_done

    report = render(outcome, format_)
    if output_file is not None:
        write_file(report, output_file)
    elif format_ != "text":
        print_text(report)
    counted = summary(outcome.diagnostics)
    last = what_was_done(outcome) if sys.stderr is not None and sys.stderr.isatty() else counted
    if output_file is None and format_ == "text":
        say(report.removesuffix(f"{counted}\n").encode(errors="replace").decode() if counted else "")
    say(f"{last}\n" if last else "")


def _is_same_file(one: str, other: str) -> bool:
    from dynagen.text.paths import is_file

    return is_file(Path(one)) and is_file(Path(other)) and Path(one).samefile(other)


def _program(referee: str, given: str | None) -> str | None:
    if given is None:
        return None
    from dynagen.checking.programs import find_program

    found = find_program(given)
    if found is None:
        raise click.UsageError(
            f"--{referee}: there is no program '{given}'. Install it ({_REFEREES[referee]}), or say --{referee}=PATH."
        )
    return found


def _target(
    kubernetes: str | None,
    release: str | None,
    external: tuple[str, ...],
    schemas: tuple[Path, ...],
    against: str | None,
) -> tuple[Target, Outcome | None]:
    """The cluster that plain manifests are for, and the outcome when what it has now cannot be read."""
    from dynagen.checking.manifests import Target
    from dynagen.checking.paths import read_earlier
    from dynagen.console.outcome import Checked, Outcome, diagnostics_of
    from dynagen.diagnostics import Report

    report, memory = Report(), Memory()
    earlier = read_earlier(against, report) if against is not None else []
    wrong = Outcome([Checked(str(against), diagnostics_of(report))]) if report.failed else None
    versions = _versions(kubernetes, release, memory)
    said = {name for name, given in (("kubernetes", kubernetes), ("release", release)) if given is not None}
    return Target(*versions, _external(external), schemas, earlier, memory, said), wrong


def _versions(kubernetes: str | None, release: str | None, memory: Memory) -> tuple[str, str]:
    """Those given, else what a profile has by default."""
    from dynagen.profile.schema import core_schema, kubernetes_versions

    properties = core_schema()["properties"]
    if kubernetes is not None:
        _expect("--kubernetes", kubernetes, kubernetes_versions())
    if release is not None:
        from dynagen.checking.manifests import releases
        from dynagen.text.versions import nearest_version

        known = releases(memory)
        if nearest_version(release, known) is None:  # a newer one is taken for the newest, as in profiles
            _expect("--release", release, known)
    return kubernetes or properties["kubernetes"]["default"], release or properties["release"]["default"]


def _expect(option: str, word: str, known: list[str]) -> None:
    if word not in known:
        raise click.UsageError(f"{option}: unknown version '{word}'; known: {', '.join(known)}.")


def _external(entries: tuple[str, ...]) -> tuple[str, ...]:
    if entries:
        from dynagen.diagnostics.masks import masked
        from dynagen.profile.schema import core_schema

        pattern = core_schema()["properties"]["external"]["items"]["pattern"]
        for entry in entries:
            if not re.search(pattern, entry) or "\n" in entry:
                raise click.UsageError(f"--external takes Kind/name or Kind/namespace/name, not '{masked(entry)}'.")
    return entries
