"""Commands `dead-letters`: what services could not do, listed, tried again and deleted by the services' own pods.

Each pod runs `pellicule dead-letters` with its own right to its own database; an operator's account needs none.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import typer

from deploy.declarations import SERVICES
from deploy.ops.checks.cluster import Cluster
from deploy.ops.checks.scope import Scope
from deploy.ops.errors import OpsError, UsageWrong
from deploy.ops.options import Context, Json, Namespace, Release
from deploy.ops.output import emit, failures, note, say
from deploy.ops.pods import Pods, configured, container_of

Names: TypeAlias = Annotated[list[str], typer.Argument(metavar="NAME...", help="As listed: SERVICE/KIND/ID.")]
Row: TypeAlias = Mapping[str, Any]

_COMMAND = ("/opt/pellicule/bin/python", "-m", "services.cli", "dead-letters")
_SECONDS = 60


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    letters = typer.Typer(help="What services could not do: dead letters, and what is set aside.", no_args_is_help=True)
    letters.command("list")(list_letters)
    letters.command("show")(show)
    letters.command("retry")(retry)
    letters.command("delete")(delete)
    app.add_typer(letters, name="dead-letters")


class Letters:
    """Failed work of the services of a release."""

    def __init__(self, cluster: Cluster, pods: Pods, scope: Scope) -> None:
        self._cluster, self._pods, self._scope = cluster, pods, scope

    def all(self) -> Iterator[Row | OpsError]:
        """Yield a row for each thing that failed; an error for a service that could not be asked."""
        for service in SERVICES:
            try:
                yield from self._run(service, "list")
            except OpsError as error:
                yield error

    def act(self, action: str, names: Sequence[str], *options: str) -> Iterator[Row]:
        """Yield a row for each name that an action of the command was done to.

        Raises:
            OpsError: a service could not be asked, or refused.
        """
        for name in names:
            yield from self._run(service_of(name), action, *options, name)

    def _run(self, service: str, *words: str) -> Iterator[Row]:
        container = container_of(self._cluster, self._scope.namespace, self._scope.labels, service)
        if container is None:
            raise OpsError("POD_MISSING", f"no pod of {service} runs that can be asked; see pellicule-ops doctor")
        ran = self._pods.run(container, (*_COMMAND, words[0], "--json", *words[1:]), _SECONDS)
        rows = [json.loads(line) for line in ran.output.splitlines()]
        if ran.status:
            raise _refused(service, rows, ran.errors)
        yield from rows


def service_of(name: str) -> str:
    """Return the service of a name.

    Raises:
        UsageWrong: NAME_INVALID.
    """
    parts = name.split("/", 2)
    if len(parts) < 3 or parts[0] not in SERVICES or name.startswith("-"):
        raise UsageWrong("NAME_INVALID", f"{name}: a name is SERVICE/KIND/ID, as `dead-letters list` has it")
    return parts[0]


def list_letters(
    namespace: Namespace = "pellicule", release: Release = "", context: Context = None, as_json: Json = False
) -> None:
    """List what failed, in every service; exit status 1 if one could not be asked."""
    with failures(as_json=as_json):
        missed = [each for each in _told(_letters(namespace, release, context), as_json=as_json) if each]
    raise typer.Exit(1 if missed else 0)


def show(
    name: Names,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of what failed."""
    with failures(as_json=as_json):
        _check(name)
        for row in _letters(namespace, release, context).act("show", name):
            emit(row) if as_json else say(_as_text(row))


def retry(
    name: Names,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Have the services try again, within seconds; what fails again stays, with its new reason."""
    with failures(as_json=as_json):
        _check(name)
        for row in _letters(namespace, release, context).act("retry", name):
            emit(row) if as_json else say(f"{row['name']}: retried")


def delete(
    name: Names,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script has to say so.")] = False,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Delete dead letters, whose events are then handled no more; what is set aside is tried at once instead."""
    with failures(as_json=as_json):
        _check(name)
        if not yes:
            _confirm(name, as_json=as_json)
        for row in _letters(namespace, release, context).act("delete", name, "--yes"):
            emit(row) if as_json else say(f"{row['name']}: deleted")


def _confirm(names: Sequence[str], *, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise UsageWrong("NOT_CONFIRMED", "nothing was deleted: a script is not asked, it says --yes")
    if not typer.confirm(f"Delete {', '.join(names)}?", err=True):
        raise OpsError("NOT_CONFIRMED", "nothing was deleted")


def _letters(namespace: str, release: str, context: str | None) -> Letters:
    return Letters(*configured(context), Scope(namespace, release))


def _check(names: Sequence[str]) -> None:
    """Refuse a wrong name before anything is done to a right one."""
    for name in names:
        service_of(name)


def _told(letters: Letters, *, as_json: bool) -> Iterator[OpsError | None]:
    for row in letters.all():
        if isinstance(row, OpsError):
            emit(row.row) if as_json else note(row.line)
            yield row
            continue
        emit(row) if as_json else say("{name}: {reason}, tried {attempts} times since {first_time}".format(**row))
        yield None


def _as_text(row: Row) -> str:
    return "\n".join(f"{key:<14} {value}" for key, value in row.items() if value is not None)


def _refused(service: str, rows: Sequence[Row], errors: str) -> OpsError:
    said = [row["error"] for row in rows if "error" in row]
    if said:
        return OpsError(said[0]["reason"], said[0]["message"])
    return OpsError("COMMAND_FAILED", f"{service}: {' '.join(errors.split()[-30:])}")
