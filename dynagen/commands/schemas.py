"""`dynagen schemas`: schemas of Kubernetes kinds, made from what their projects publish."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FILE = click.Path(exists=True, path_type=Path)


@click.group()
def schemas() -> None:
    """Make schemas of Kubernetes kinds, so that manifests of them are checked and their lists merge by key."""


@schemas.command("import")
@click.argument(
    "sources", nargs=-1, metavar="[SOURCE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the set to make or extend."
)
@click.option("--kind", metavar="GROUP/VERSION/KIND", help="What a bare JSON Schema is the schema of.")
@click.option("--cluster-scoped", is_flag=True, help="Objects of --kind have no namespace.")
@click.option("--repository", help="Where SOURCE was published; noted in SOURCES.yaml, as the next four.")
@click.option("--path", help="Folder in the repository.")
@click.option("--commit", help="Commit of the repository.")
@click.option("--date", help="Date of the commit.")
@click.option("--version", help="Version of the project.")
@click.option(
    "--all", "shared", metavar="FOLDER", multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Make all sets of -o (the shipped ones by default) anew, from the files in FOLDER that SOURCES.yaml names. Of several "
    "folders, the first one that has a file.",
)  # fmt: skip
def import_(
    sources: tuple[Path, ...],
    output: Path | None,
    kind: str | None,
    cluster_scoped: bool,
    shared: tuple[Path, ...],
    **facts: str | None,
) -> None:
    """Derive schemas from CRDs, from JSON Schemas extracted from a cluster, or from Kubernetes' OpenAPI v2 document.

    SOURCE is a file of YAML or JSON, also packed with gzip. Fields that are not in it are refused later on.

    \b
      dynagen schemas import my-crd.yaml -o overlays/my-team/schemas
      dynagen schemas import --all ../shared
    """
    from dynagen.schema_import.errors import ImportRefused
    from dynagen.schema_import.importing import Told, import_all, import_files
    from dynagen.text.paths import SCHEMAS

    if bool(sources) == bool(shared):
        raise click.UsageError("give either SOURCE or --all FOLDER")
    if sources and output is None:
        raise click.UsageError("-o FOLDER is missing: the set to make or extend")
    told = None
    if kind:
        parts = kind.split("/")
        if len(parts) != 3:
            raise click.UsageError("--kind takes GROUP/VERSION/KIND, for example example.com/v1/Widget")
        told = Told(parts[0], parts[1], parts[2], "Cluster" if cluster_scoped else "Namespaced")
    try:
        if shared:
            for name, count in import_all(shared, output or SCHEMAS).items():
                click.echo(f"{name}: {count} files")
            return
        assert output is not None
        given = {name: value for name, value in facts.items() if value}
        for file in import_files(sources, output, told, given):
            click.echo(f"{output / file}")
    except ImportRefused as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"error: {error.filename}: {(error.strerror or str(error)).lower()}", err=True)
        sys.exit(1)
