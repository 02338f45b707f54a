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


def password_variable(service: str) -> str:
    """Return the variable of the bus's server that has the password of a service."""
    return f"PELLICULE_NATS_{service.upper()}"


def _user(name: str, password: str) -> Mapping[str, object]:
    return {"user": name, "password": password, "permissions": bus_rights(name).document()}
