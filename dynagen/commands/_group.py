"""All commands, each imported when it is called."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click


class _Commands(click.Group):
    """Finds commands by file name, so that `dynagen build` does not pay for the others."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        command = getattr(import_module(f"dynagen.commands.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            from dynagen.diagnostics import closest

            if args and (near := closest(args[0], self.list_commands(context))):
                raise click.UsageError(f"{error.message} Did you mean '{near}'?", context) from error
            raise


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "--version", package_name="dynagen", message="%(package)s %(version)s")
def dynagen() -> None:
    """Compiles a short YAML profile into checked Kubernetes manifests that deploy an NVIDIA Dynamo graph on GKE.

    Exit codes: 0 fine, 1 the input was refused, 2 wrong command line, 3 a fault of dynagen.
    """
