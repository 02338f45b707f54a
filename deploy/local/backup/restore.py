"""Restoring of a backup into a stack that does not run; its keys, epochs and journal stay as they are."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.declarations import DECLARATIONS
from deploy.local.backup.dumps import load
from deploy.local.backup.manifest import Manifest, checked_manifest
from deploy.local.backup.take import DATABASES, OBJECTS
from deploy.local.borrowed import Servers, borrowed_servers
from deploy.local.daemon import running_state
from deploy.local.errors import StackError
from deploy.local.files import write_private
from deploy.local.home import StackHome
from deploy.local.parts.object_store import connection

if TYPE_CHECKING:
    from minio import Minio

Report = Callable[[str], None]


async def restore_backup(home: StackHome, folder: Path, report: Report, *, replace: bool) -> Manifest:
    """Put a backup in the place of a stack's databases and objects, and return what it holds.

    Nothing that was destroyed since comes back: at the next start each service replays the journal first.

    Raises:
        StackError: ALREADY_RUNNING, DATA_THERE without `replace`, or what is wrong with the backup; then all that was
            there is there as before.
    """
    manifest = checked_manifest(folder)
    _refuse_running(home)
    report(f"{len(manifest.files)} files are as they were written")
    if home.all_data.exists() and not replace:
        message = f"{home.all_data} holds a stack's data: it is deleted only if you say --replace"
        raise StackError("DATA_THERE", message, field="--replace")
    home.make()
    write_private(home.object_store, manifest.object_store.encode())
    async with _emptied(home), borrowed_servers(home) as servers:
        for service, url in servers.databases.items():
            load(url, folder / DATABASES / f"{service}.dump")
            report(f"database {service}")
        _load_objects(servers, folder, report)
    return manifest


def _refuse_running(home: StackHome) -> None:
    try:
        running_state(home)
    except StackError as error:
        if error.reason == "NOT_RUNNING":
            return
        raise
    raise StackError("ALREADY_RUNNING", f"a stack runs in {home.path}: `pellicule down` first", field="home")


@asynccontextmanager
async def _emptied(home: StackHome) -> AsyncIterator[None]:
    """Put the data aside for the block, and delete it after; bring it back if the block fails."""
    aside = home.all_data.with_name("data.replaced")
    shutil.rmtree(aside, ignore_errors=True)
    if home.all_data.exists():
        home.all_data.rename(aside)
    try:
        yield
    except BaseException:
        shutil.rmtree(home.all_data, ignore_errors=True)
        if aside.exists():
            aside.rename(home.all_data)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _load_objects(servers: Servers, folder: Path, report: Report) -> None:
    for service, declared in DECLARATIONS.items():
        for bucket in declared.owns:
            with connection(servers.store, servers.identities[service]) as (store, _):
                count = _load_bucket(store, bucket, folder / OBJECTS / bucket)
            report(f"bucket {bucket}: {count} objects")


def _load_bucket(store: "Minio", bucket: str, folder: Path) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        store.put_object(bucket, str(path.relative_to(folder)), BytesIO(content), len(content))
    return len(files)
