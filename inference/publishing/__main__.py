"""`python -m inference.publishing NAME FOLDER`: have a published model repository lie in a folder.

For what starts before an inference server does: it needs neither ONNX nor a GPU. A line of JSON says what was done.
"""

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from inference.model_build.errors import ModelError
from inference.objects import DEFAULT_BUCKET, bucket_of
from inference.publishing.store import RepositoryStore


def fetch(
    name: Annotated[str, typer.Argument(help="As `pellicule models publish` said it.")],
    folder: Annotated[Path, typer.Argument(help="The model repository that the server reads.")],
    bucket: Annotated[str, typer.Option(envvar="PELLICULE_MODELS_BUCKET", help="The bucket.")] = DEFAULT_BUCKET,
) -> None:
    """Make FOLDER hold the published repository NAME and nothing else."""
    try:
        with closing(RepositoryStore(bucket_of(os.environ, bucket))) as store:
            new = store.fetch(name, folder)
    except ModelError as error:
        _say({"error": {"reason": error.reason, "field": error.field, "message": str(error)}})
        raise typer.Exit(1) from error
    _say({"repository": name, "folder": str(folder), "new": new})


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    typer.run(fetch)
