"""Commands that move engines to where they are served: publish, fetch, install."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inference.engines.committed import committed, newest
from inference.engines.committed import install as put
from inference.engines.exports import default_home
from inference.engines.gpu_repository import assemble_gpu_repository, planned_identities
from inference.model_build.build import default_home as default_models
from services.cli.models.engine_options import (
    DEFAULT_BUCKET,
    Bucket,
    Device,
    Folder,
    Keys,
    Models,
    Tag,
    engine_failures,
    this_engine_node,
)
from services.cli.options import Json
from services.cli.output import emit, say

if TYPE_CHECKING:
    from inference.engines.store import EngineStore


def publish(keys: Keys = None, bucket: Bucket = DEFAULT_BUCKET, folder: Folder = None, as_json: Json = False) -> None:
    """Upload committed engines to the bucket, each manifest last. What is published is left alone."""
    with engine_failures(as_json=as_json), _store(bucket, folder) as store:
        for key in keys or committed(folder or default_home()):
            _moved("published", key, new=store.publish(key), as_json=as_json)


def fetch(
    keys: Keys = None,
    bucket: Bucket = DEFAULT_BUCKET,
    triton_tag: Tag = None,
    device: Device = 0,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Download engines from the bucket: those named, or the newest for this node of every model."""
    with engine_failures(as_json=as_json), _store(bucket, folder) as store:
        wanted = {} if keys else planned_identities(default_models())
        for key in keys or newest(store.engines(wanted), wanted, this_engine_node(triton_tag, device).target):
            _moved("fetched", key, new=store.fetch(key), as_json=as_json)


def install(
    repository: Annotated[Path, typer.Argument(help="The model repository that the server reads.")],
    keys: Keys = None,
    triton_tag: Tag = None,
    device: Device = 0,
    folder: Folder = None,
    models: Models = None,
    as_json: Json = False,
) -> None:
    """Make the whole model repository of this GPU node: a plan for each network, and the restyler; or put KEYs in."""
    with engine_failures(as_json=as_json):
        home, node = folder or default_home(), this_engine_node(triton_tag, device).target
        if keys:
            paths = {key: put(repository, home, key, node) for key in keys}
            names = {key.partition("/")[0]: path for key, path in paths.items()}
        else:
            made = assemble_gpu_repository(repository, models or default_models(), home, node)
            names = {name: repository / name for name in made}
        for name, path in names.items():
            emit({"model": name, "path": str(path)}) if as_json else say(f"{name:<18} {path}")


@contextmanager
def _store(bucket: str, folder: Path | None) -> Iterator[EngineStore]:
    from inference.engines.store import PREFIX, EngineStore
    from inference.objects import bucket_of

    store = EngineStore(bucket_of(os.environ, bucket, PREFIX), folder or default_home())
    try:
        yield store
    finally:
        store.close()


def _moved(what: str, key: str, *, new: bool, as_json: bool) -> None:
    if as_json:
        emit({"key": key, "new": new})
    else:
        say(f"{what if new else 'there already':<14} {key}")
