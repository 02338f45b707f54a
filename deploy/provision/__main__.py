"""Command line `python -m deploy.provision`: makes the servers allow what is declared, or says what differs."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from deploy.provision import documents
from deploy.provision.credentials import Credentials
from deploy.provision.differences import Difference, repair
from deploy.provision.errors import ProvisionError
from deploy.provision.settings import ProvisionSettings
from deploy.provision.work import Work

AS_DECLARED, DIFFERS, WRONG_USE = 0, 1, 2


def main() -> int:
    """Run the command; return its exit status: 0 all is as declared now, 1 something is not, 2 wrong use."""
    arguments = _parser().parse_args()
    try:
        settings = ProvisionSettings()
        work = Work(settings, Credentials(settings.credentials_dir, os.environ))
        return _write(arguments, work) if arguments.write else _run(arguments, work)
    except ValidationError as error:
        first = error.errors()[0]
        name = f"PELLICULE_PROVISION_{first['loc'][0]}".upper()
        return _fail(arguments, ProvisionError("SETTING_INVALID", f"{name}: {first['msg']}", name), WRONG_USE)
    except ProvisionError as error:
        return _fail(arguments, error, DIFFERS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.provision", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if something differs")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write what operators configure servers with")
    parser.add_argument("--json", action="store_true", help="JSON Lines in place of text")
    return parser


def _run(arguments: argparse.Namespace, work: Work) -> int:
    stays = 0
    found = work.differences()
    for difference in found if arguments.check else repair(found):
        repaired = not arguments.check and difference.repair is not None
        stays += not repaired
        _say(arguments, _row(difference, repaired=repaired), _line(difference, repaired=repaired))
    for reason in work.left_out:
        _say(arguments, {"left_out": reason}, f"left out    {reason}")
    return DIFFERS if stays else AS_DECLARED


def _write(arguments: argparse.Namespace, work: Work) -> int:
    for file, secret in documents.write(arguments.write, work.stores, work.credentials):
        _say(arguments, {"file": str(file), "secret": secret}, f"{file}{'  (secrets)' if secret else ''}")
    return AS_DECLARED


def _row(difference: Difference, *, repaired: bool) -> Mapping[str, object]:
    return {
        "subject": difference.subject,
        "wrong": difference.wrong,
        "repaired": repaired,
        "remedy": difference.remedy or None,
    }


def _line(difference: Difference, *, repaired: bool) -> str:
    state = "repaired" if repaired else "differs"
    remedy = f": {difference.remedy}" if difference.remedy else ""
    return f"{state:<11} {difference.subject} {difference.wrong}{remedy}"


def _say(arguments: argparse.Namespace, row: Mapping[str, object], line: str) -> None:
    print(json.dumps(row, ensure_ascii=False) if arguments.json else line, flush=True)  # noqa: T201  # its answer


def _fail(arguments: argparse.Namespace, error: ProvisionError, status: int) -> int:
    row = {"error": {"reason": error.reason, "message": str(error), "field": error.field}}
    _say(arguments, row, f"failed      {error}")
    return status


if __name__ == "__main__":
    sys.exit(main())
