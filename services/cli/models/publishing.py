"""Commands that move whole model repositories to where they are served: publish, fetch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from inference.model_build.build import default_home
from inference.objects import DEFAULT_BUCKET, bucket_of
from inference.repository import CONFIG_NAME, assemble_repository
from services.cli.models.slots import Folder, model_failures
from services.cli.options import Json
from services.cli.output import emit, failures, say

if TYPE_CHECKING:
    from inference.publishing.store import RepositoryStore

Bucket = Annotated[
    str, typer.Option("--bucket", envvar="PELLICULE_MODELS_BUCKET", help="The bucket that repositories are kept in.")
]


def mount(models: typer.Typer) -> None:
    """Mount the commands among those about models."""
    models.command("publish")(publish)
    models.command("fetch")(fetch)


def publish(
    repository: Annotated[
        Path | None, typer.Option("--repository", help="A model repository; by default that of the built models.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="Begins the name: what it is for.")] = CONFIG_NAME,
    bucket: Bucket = DEFAULT_BUCKET,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Upload a model repository to the bucket, and say its name. What is published is left alone."""
    with failures(as_json=as_json), model_failures(), _store(bucket) as store, TemporaryDirectory() as scratch:
        if repository is None:
            repository = Path(scratch)
            assemble_repository(repository, folder or default_home())
        name, new = store.publish(repository, label)
    if as_json:
        emit({"repository": name, "bucket": bucket, "new": new})
    else:
        say(f"{'published' if new else 'there already':<14} {name}")


def fetch(
    name: Annotated[str, typer.Argument(help="As `publish` said it.")],
    repository: Annotated[Path, typer.Argument(help="The model repository that the server reads.")],
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: Json = False,
) -> None:
    """Have a folder hold a published model repository, and nothing else."""
    with failures(as_json=as_json), model_failures(), _store(bucket) as store:
        new = store.fetch(name, repository)
    if as_json:
        emit({"repository": name, "path": str(repository), "new": new})
    else:
        say(f"{'fetched' if new else 'there already':<14} {name}  {repository}")


@contextmanager
def _store(bucket: str) -> Iterator[RepositoryStore]:
    from inference.publishing.store import RepositoryStore

    with closing(RepositoryStore(bucket_of(os.environ, bucket))) as store:
        yield store
