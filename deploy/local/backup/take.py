"""Taking of a backup, while the stack runs: databases first, then the objects, which their rows name."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.declarations import DECLARATIONS
from deploy.local.backup.dumps import dump
from deploy.local.backup.manifest import Manifest, digest, write_manifest
from deploy.local.borrowed import Servers, object_store_of, running_servers
from deploy.local.errors import StackError
from deploy.local.files import sync_folder
from deploy.local.home import StackHome
from deploy.local.parts.object_store import connection, read

if TYPE_CHECKING:
    from minio import Minio

DATABASES = "databases"
OBJECTS = "objects"
_SETTINGS = "settings"
_GONE = frozenset({"NoSuchKey", "NoSuchObject"})

Report = Callable[[str], None]


def take_backup(home: StackHome, folder: Path, now: datetime, report: Report) -> Manifest:
    """Write a backup of a running stack into a new folder, and return what it holds.

    What is deleted meanwhile may be missing among the objects: its key is gone, so it is missed by none.

    Raises:
        StackError: NOT_RUNNING, or BACKUP_FOLDER: it is there already, or within the stack's own.
    """
    servers = running_servers(home)
    _make(home, folder)
    for service, url in servers.databases.items():
        dump(url, _made(folder / DATABASES / f"{service}.dump"))
        report(f"database {service}")
    for bucket, count in _copy_objects(servers, folder):
        report(f"bucket {bucket}: {count} objects")
    if home.settings.exists():
        shutil.copyfile(home.settings, folder / _SETTINGS)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {str(path.relative_to(folder)): digest(path) for path in files}
    manifest = Manifest(now.isoformat(), object_store_of(home), digests)
    write_manifest(folder, manifest)
    return manifest


def _make(home: StackHome, folder: Path) -> None:
    if folder.resolve().is_relative_to(home.path.resolve()):
        raise StackError(
            "BACKUP_FOLDER", f"{folder} is within the stack's own folder: choose another disk", field="DIR"
        )
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise StackError("BACKUP_FOLDER", f"{folder} is there already: name a new folder", field="DIR") from None


def _copy_objects(servers: Servers, folder: Path) -> Iterator[tuple[str, int]]:
    for service, declared in DECLARATIONS.items():
        for bucket in declared.owns:
            with connection(servers.store, servers.identities[service]) as (store, _):
                yield bucket, _copy_bucket(store, bucket, folder / OBJECTS / bucket)


def _copy_bucket(store: "Minio", bucket: str, folder: Path) -> int:
    from minio.error import S3Error

    folder.mkdir(mode=0o700, parents=True)
    count = 0
    for item in store.list_objects(bucket, recursive=True):
        try:
            content = read(store, bucket, str(item.object_name))
        except S3Error as error:
            if error.code in _GONE:
                continue
            raise
        _made(folder / str(item.object_name)).write_bytes(content)
        count += 1
    sync_folder(folder)
    return count


def _made(file: Path) -> Path:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return file
