"""Models that this machine serves: assembled for Triton before each of its starts.

Run as `python -m deploy.local.models TARGET`: fills the folder and prints the names of the models, or
`REASON: message`. It is a program of its own because what it loads is of no use to the supervisor afterwards.
"""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.parts.triton import Models

_REMEDY = "set HOME or XDG_CACHE_HOME to folders of its own and run `pellicule models build`"


async def shipped_models(target: Path) -> Models:
    """Assembles the shipped models under `target`.

    Raises:
        StackError: they are not built yet, or cannot be assembled.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(target),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        reason, _, message = errors.decode().strip().splitlines()[-1].partition(": ")
        raise StackError(reason, message, field="models")
    canary = partial(_answers_rightly, repository=target)
    return Models(repository=target, names=output.decode().split(), canary=canary, environment={})


async def _answers_rightly(address: str, *, repository: Path) -> bool:
    from inference.canary.rounds import answers_rightly

    return await answers_rightly(address, repository=repository)


def _main(target: Path) -> int:
    from inference.model_build.build import default_home
    from inference.model_build.errors import ModelError
    from inference.repository import assemble_repository

    try:
        names = assemble_repository(target, default_home())
    except ModelError as error:
        return _refuse(error.reason, str(error))
    except (OSError, RuntimeError) as error:
        # A RuntimeError is pathlib's, of an account that has no home folder.
        return _refuse("MODELS_UNREADABLE", f"account {os.geteuid()} cannot read its models ({error}): {_REMEDY}")
    sys.stdout.write("\n".join(names))
    return 0


def _refuse(reason: str, message: str) -> int:
    sys.stderr.write(f"{reason}: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
