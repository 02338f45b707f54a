"""Commands that move engines to where they are served: publish, fetch, install."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inference.engines.committed import committed, engines, newest
from inference.engines.committed import install as put
from inference.engines.exports import default_home
from inference.engines.profiles import served_models
from inference.model_build.build import default_home as default_models
from inference.model_build.manifest import identities
from inference.slots.serving import served_identities
from services.cli.models.engine_options import (
    DEFAULT_BUCKET,
    Bucket,
    Device,
    Folder,
    Keys,
    Tag,
    engine_failures,
    this_engine_node,
)
from services.cli.options import Json
from services.cli.output import CommandFailed, emit, say

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
        wanted = {} if keys else _served()
        for key in keys or newest(store.engines(wanted), wanted, this_engine_node(triton_tag, device).target):
            _moved("fetched", key, new=store.fetch(key), as_json=as_json)


def install(
    repository: Annotated[Path, typer.Argument(help="The model repository that the server reads.")],
    keys: Keys = None,
    triton_tag: Tag = None,
    device: Device = 0,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Put engines into a model repository: those named, or all that are committed here for this node."""
    with engine_failures(as_json=as_json):
        home, node = folder or default_home(), this_engine_node(triton_tag, device).target
        for key in keys or newest(engines(home), _served(), node):
            path = put(repository, home, key, node)
            emit({"key": key, "path": str(path)}) if as_json else say(f"{key}  {path}")


def _served() -> dict[str, str]:
    """Return what is served by plans here: served model -> identity."""
    known = served_identities(default_models(), identities())
    return {served: known[source] for served, source in served_models(()).items()}


@contextmanager
def _store(bucket: str, folder: Path | None) -> Iterator[EngineStore]:
    from inference.engines.store import Bucket as Where
    from inference.engines.store import EngineStore

    names = ("PELLICULE_S3_ENDPOINT", "PELLICULE_S3_ACCESS_KEY", "PELLICULE_S3_SECRET_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise CommandFailed("SETTING_MISSING", f"set {', '.join(missing)} to reach the object store", missing[0])
    endpoint, access, secret = (os.environ[name] for name in names)
    store = EngineStore(Where(endpoint, access, secret, bucket), folder or default_home())
    try:
        yield store
    finally:
        store.close()


def _moved(what: str, key: str, *, new: bool, as_json: bool) -> None:
    if as_json:
        emit({"key": key, "new": new})
    else:
        say(f"{what if new else 'there already':<14} {key}")
