"""`python -m inference.load.keeping FOLDER`: keeps the results of a load, in another folder or in a bucket.

Beside the results lies `status`, with which the load ended; this ends with it too, so that a Job that kept the results
of a load that did not hold has failed.
"""

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from inference.model_build.errors import ModelError
from inference.objects import DEFAULT_BUCKET, Objects, bucket_of

STATUS_FILE: Final = "status"
_NO_STATUS: Final = 2


def keep(
    results: Annotated[Path, typer.Argument(help="Where the load has left its results.")],
    folder: Annotated[Path | None, typer.Option(help="Where they are kept; or --prefix.")] = None,
    prefix: Annotated[str, typer.Option(help="How their names begin in the bucket.")] = "",
    bucket: Annotated[str, typer.Option(envvar="PELLICULE_MODELS_BUCKET", help="The bucket.")] = DEFAULT_BUCKET,
) -> None:
    """Keep the files of FOLDER, and end with the status of the load that left them."""
    if (folder is None) == (not prefix):
        raise typer.BadParameter("give either --folder or --prefix", param_hint="--folder")
    try:
        kept = _upload(results, bucket, prefix) if folder is None else _copy(results, folder)
    except ModelError as error:
        sys.stderr.write(f"{error.reason}: {error}\n")
        raise typer.Exit(1) from error
    sys.stdout.write("".join(f"{name}\n" for name in kept))
    raise typer.Exit(_status(results / STATUS_FILE))


def _copy(results: Path, folder: Path) -> list[str]:
    shutil.copytree(results, folder, dirs_exist_ok=True)
    return [str(folder / place) for place in _places(results)]


def _upload(results: Path, bucket: str, prefix: str) -> list[str]:
    with closing(Objects(bucket_of(os.environ, bucket, prefix))) as objects:
        for place in _places(results):
            objects.upload(results / place, place)
    return [f"{bucket}/{prefix}/{place}" for place in _places(results)]


def _places(results: Path) -> list[str]:
    return sorted(path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file())


def _status(path: Path) -> int:
    try:
        return int(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return _NO_STATUS


if __name__ == "__main__":
    typer.run(keep)
