"""Settings of an operator: read from the environment and from a file of the stack, checked, handed to the services.

A name means the same in both places. The environment goes before the file, an option of `pellicule up` before both;
what is written in the file holds for every start, what was given at a start holds until the stack is stopped.
"""

import difflib
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast, get_args

from deploy.declarations import SERVICES
from deploy.local.errors import StackError, home_unusable
from deploy.local.home import StackHome
from deploy.local.listening import bound_address, certificate_names, is_name
from deploy.local.parts.memory_bound import GROWTH_MEGABYTES
from deploy.local.parts.object_store import ObjectStoreChoice
from deploy.local.parts.ports import LOOPBACK
from deploy.local.port_book import PORT_NAMES, port_setting

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "PELLICULE_"
LISTEN = "PELLICULE_LISTEN"
OBJECT_STORE = "PELLICULE_OBJECT_STORE"
OTLP_ENDPOINT = "PELLICULE_OTLP_ENDPOINT"
FIRST_ACCOUNT = "PELLICULE_FIRST_ACCOUNT"
_FIRST_ACCOUNT = 60_710
"""Where systemd, whose book of numbers others keep to, leaves them unused."""
_HIGHEST_PORT = 65_535
_LOWEST_ACCOUNT, _HIGHEST_ACCOUNT = 1_000, 4_000_000_000

_OF_COMMANDS = frozenset(
    """
    HOME SUBJECT REGION ENGINES_BUCKET S3_ENDPOINT S3_ACCESS_KEY S3_SECRET_KEY
    """.split()  # noqa: SIM905  # a table reads better than quotes
)
"""What other commands read from the environment, and a stack does not."""

_OF_THE_STACK = frozenset(
    """
    ROLES PUBLIC_ADDRESS PUBLIC_TLS INTERNAL_ADDRESS HEALTH_ADDRESS
    TLS_CA_FILE TLS_CERT_FILE TLS_KEY_FILE SUBJECT_KEY_FILE DATABASE_URL NATS_URL
    S3_ENDPOINT S3_ACCESS_KEY S3_SECRET_KEY S3_REGION RETENTION_TARGET ANALYSIS_TARGET TRITON_ADDRESS TRITON_CA_FILE
    ROOT_KEY_FILE EPOCH_DIR RECEIPT_KEY_FILE RECORD_KEY_FILE WATCHED_DISK WATCHED_DISK_FLOOR_BYTES
    MEDIA_BUCKET PREVIEWS_BUCKET RENDITIONS_BUCKET NATS_CA_FILE NATS_REPLICAS S3_CA_FILE
    EPOCHS EPOCHS_NAMESPACE EPOCHS_SECRET TRANSIT_URL TRANSIT_CA_FILE TRANSIT_MOUNT TRANSIT_NAMESPACE TRANSIT_PREFIX
    TRANSIT_TOKEN_FILE TRANSIT_ROLE TRANSIT_AUTH_MOUNT TRANSIT_JWT_FILE
    JOURNAL_DIR JOURNAL_BUCKET JOURNAL_S3_ENDPOINT JOURNAL_S3_ACCESS_KEY JOURNAL_S3_SECRET_KEY JOURNAL_S3_REGION
    """.split()  # noqa: SIM905  # a table reads better than quotes
)
"""Settings of the services that follow from how the parts hang together."""


@dataclass(frozen=True)
class StackSettings:
    """What an operator has set.

    Attributes:
        values: By full name; absent is what keeps its default.
    """

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def inherited(cls, environment: Mapping[str, str]) -> Self:
        """Return the settings that `handed_on` put into an environment."""
        return cls({name: value for name, value in environment.items() if name.startswith(PREFIX)})

    def handed_on(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment that has these settings, and no others of this kind."""
        return {**{name: value for name, value in environment.items() if not name.startswith(PREFIX)}, **self.values}

    @property
    def public_host(self) -> str:
        """The IP address that the public listeners are bound to."""
        return bound_address(self.values.get(LISTEN, LOOPBACK))

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """The names that the services' certificates have beside loopback's."""
        return certificate_names(self.values.get(LISTEN, LOOPBACK), _listed(self._own("CERTIFICATE_NAMES", "")))

    @property
    def object_store(self) -> ObjectStoreChoice | None:
        """The S3 server asked for; None for the one that the stack has."""
        return cast("ObjectStoreChoice | None", self.values.get(OBJECT_STORE))

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports chosen, by their names."""
        chosen = {name: self._own(port_setting(name), "") for name in PORT_NAMES}
        return {name: int(port) for name, port in chosen.items() if port}

    @property
    def log_bytes(self) -> int:
        """Size at which a part's log is put aside."""
        return int(self._own("LOG_MEGABYTES", "8")) << 20

    @property
    def logs_kept(self) -> int:
        """How many logs that were put aside are kept for each part."""
        return int(self._own("LOGS_KEPT", "3"))

    @property
    def triton_growth(self) -> int:
        """MiB that the memory of the models' server may grow by before it is started again."""
        return int(self._own("TRITON_GROWTH_MEGABYTES", str(GROWTH_MEGABYTES)))

    @property
    def first_account(self) -> int:
        """The number of the services' group, which those of their accounts follow; 0 for the starter's own account."""
        return int(self.values.get(FIRST_ACCOUNT, _FIRST_ACCOUNT))

    @property
    def chose_accounts(self) -> bool:
        """Whether the operator has said which numbers."""
        return FIRST_ACCOUNT in self.values

    @property
    def files(self) -> Sequence[Path]:
        """The files that settings of the services name."""
        named = {name: _service_fields().get(name.removeprefix(PREFIX)) for name in self.of_services}
        return [Path(self.values[name]) for name, field in named.items() if field and _names_a_file(field)]

    @property
    def of_services(self) -> Mapping[str, str]:
        """What goes into the environment of every service."""
        return {name: value for name, value in self.values.items() if name.removeprefix(PREFIX) not in _own_checks()}

    def _own(self, name: str, default: str) -> str:
        return self.values.get(PREFIX + name, default)


DEFAULTS = StackSettings()


@dataclass(frozen=True)
class _Given:
    name: str
    value: str
    origin: str


def read_settings(home: StackHome, environment: Mapping[str, str], options: Mapping[str, str]) -> StackSettings:
    """Return what is set for a stack, once every name and value has been checked.

    Args:
        home: The stack's folder, which may have a file `settings`.
        environment: Variables of the process that starts it.
        options: Settings given as options, by full name.

    Raises:
        StackError: SETTING_UNKNOWN or SETTING_INVALID, with the remedy.
    """
    given = {each.name: each for each in (*_from_file(home.settings), *_from_environment(environment))}
    given |= {name: _Given(name, value, "option") for name, value in options.items()}
    for each in given.values():
        _check(each)
    return StackSettings({each.name: each.value for each in given.values()})


def setting_names() -> frozenset[str]:
    """Return every name, without its prefix, that an operator can set."""
    return frozenset({*_own_checks(), *_service_fields()})


def _from_file(file: Path) -> Iterator[_Given]:
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    except PermissionError as error:
        raise home_unusable(file.parent, "its settings are not for this account to read") from error
    except UnicodeDecodeError as error:
        raise StackError("SETTING_INVALID", f"{file} is no text in UTF-8: write it anew", field="settings") from error
    for number, line in enumerate(text.splitlines(), 1):
        name, separator, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith("#"):
            continue
        origin = f"{file}, line {number}"
        if not separator:
            raise StackError(
                "SETTING_INVALID", f"{name!r} ({origin}) is no setting: write NAME=VALUE", field="settings"
            )
        yield _Given(name, value, origin)


def _from_environment(environment: Mapping[str, str]) -> Iterator[_Given]:
    for name, value in environment.items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _OF_COMMANDS:
            yield _Given(name, value, "environment")


def _check(given: _Given) -> None:
    name = given.name.removeprefix(PREFIX)
    if name in _OF_THE_STACK:
        raise _invalid(given, "is chosen by the stack itself: remove it; see PELLICULE_LISTEN and PELLICULE_PORT_...")
    check = _own_checks().get(name) or _field_check(name)
    if check is None or given.name == name:
        raise _unknown(given)
    try:
        check(given.value)
    except ValueError as error:
        raise _invalid(given, f"cannot be {given.value!r}: {_reason(error)}") from error


def _unknown(given: _Given) -> StackError:
    alike = difflib.get_close_matches(given.name.removeprefix(PREFIX), setting_names(), 1)
    remedy = f"did you mean {PREFIX}{alike[0]}?" if alike else "remove it."
    message = f"{given.name} ({given.origin}) is no setting: {remedy} docs/operations.md lists all of them"
    return StackError("SETTING_UNKNOWN", message, field=given.name)


def _invalid(given: _Given, why: str) -> StackError:
    return StackError("SETTING_INVALID", f"{given.name} ({given.origin}) {why}", field=given.name)


def _reason(error: ValueError) -> str:
    """Return what pydantic says without its headline and its links; what is ours is one line already."""
    lines = str(error).splitlines()
    return lines[1].partition(" [type=")[0].strip().removeprefix("Value error, ") if len(lines) > 1 else lines[0]


@cache
def _own_checks() -> Mapping[str, Callable[[str], object]]:
    ports = dict.fromkeys(map(port_setting, PORT_NAMES), _port)
    return {
        **ports,
        "LISTEN": bound_address,
        "CERTIFICATE_NAMES": _names,
        "OBJECT_STORE": _store,
        "LOG_MEGABYTES": _count,
        "LOGS_KEPT": _count,
        "TRITON_GROWTH_MEGABYTES": _count,
        "FIRST_ACCOUNT": _account,
    }


def _port(text: str) -> None:
    if not (text.isdecimal() and 0 < int(text) <= _HIGHEST_PORT):
        raise ValueError(f"a port is a number from 1 to {_HIGHEST_PORT}")


def _file(text: str) -> None:
    if not (Path(text).is_absolute() and os.access(text, os.R_OK)):
        raise ValueError("write the whole path of a file that this account may read")


def _count(text: str) -> None:
    if not (text.isdecimal() and int(text)):
        raise ValueError("write a whole number above 0")


def _account(text: str) -> None:
    if not (text.isdecimal() and (int(text) == 0 or _LOWEST_ACCOUNT <= int(text) <= _HIGHEST_ACCOUNT)):
        raise ValueError(f"write a number from {_LOWEST_ACCOUNT} to {_HIGHEST_ACCOUNT}, or 0 for no accounts")


def _store(text: str) -> None:
    if text not in get_args(ObjectStoreChoice):
        raise ValueError(f"choose one of {', '.join(get_args(ObjectStoreChoice))}")


def _names(text: str) -> None:
    wrong = [name for name in _listed(text) if not is_name(name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no host name and no IP address; separate several by commas")


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _field_check(name: str) -> Callable[[str], object] | None:
    field = _service_fields().get(name)
    if field is None:
        return None
    from pydantic import TypeAdapter

    whole: Any = Annotated[cast("Any", field.annotation), *field.metadata] if field.metadata else field.annotation
    adapter: TypeAdapter[object] = TypeAdapter(whole)
    return _file if Path in (field.annotation, *get_args(field.annotation)) else adapter.validate_python


def _names_a_file(field: "FieldInfo") -> bool:
    return Path in (field.annotation, *get_args(field.annotation))


@cache
def _service_fields() -> Mapping[str, "FieldInfo"]:
    """Return the settings of all services; reading their modules takes longer than all else, so only when needed."""
    found: dict[str, FieldInfo] = {}
    for service in SERVICES:
        found |= importlib.import_module(f"services.{service}.settings").Settings.model_fields
    return {name.upper(): field for name, field in found.items() if name.upper() not in _OF_THE_STACK}
