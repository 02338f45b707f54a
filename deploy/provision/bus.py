"""Users of the bus: one account, a user for each service, and its rights on subjects."""

from collections.abc import Mapping

from deploy.declarations import SERVICES, bus_rights

ACCOUNT = "PELLICULE"


def account(passwords: Mapping[str, str]) -> Mapping[str, object]:
    """Return the account of the services, as the server's configuration writes it.

    Args:
        passwords: By user; plain, hashed, or a reference to a variable.
    """
    return {"jetstream": "enabled", "users": [_user(name, password) for name, password in passwords.items()]}


def accounts_by_reference() -> Mapping[str, object]:
    """Return the accounts without a secret in them: each password is a variable of the server's environment."""
    return {ACCOUNT: account({name: f"${password_variable(name)}" for name in SERVICES})}


def chart_values() -> Mapping[str, object]:
    """Return the accounts as values of NATS's own chart, with the passwords out of the services' Secrets.

    What the chart finds between `<<` and `>>` it writes without quotes, so that the server looks for a variable; and
    the server reads a variable as it reads its configuration, so that a password needs quotes of its own.
    """
    accounts = {ACCOUNT: account({name: f"<< ${password_variable(name)} >>" for name in SERVICES})}
    secrets = {_secret_variable(name): _from_secret(name) for name in SERVICES}
    quoted = {password_variable(name): f'"$({_secret_variable(name)})"' for name in SERVICES}
    return {"config": {"merge": {"accounts": accounts}}, "container": {"env": {**secrets, **quoted}}}


def password_variable(service: str) -> str:
    """Return the variable of the bus's server that has the password of a service."""
    return f"PELLICULE_NATS_{service.upper()}"


def _secret_variable(service: str) -> str:
    """Return the variable with the bare password: the chart sorts them, and it has to stand before the quoted one."""
    return f"NATS_PASSWORD_{service.upper()}"


def _from_secret(service: str) -> Mapping[str, object]:
    return {"valueFrom": {"secretKeyRef": {"name": f"pellicule-{service}", "key": "nats-password"}}}


def _user(name: str, password: str) -> Mapping[str, object]:
    return {"user": name, "password": password, "permissions": bus_rights(name).document()}
