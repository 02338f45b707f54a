"""Callers of the internal services."""

from services.chassis.errors import CallerNotAllowed
from services.chassis.principal import Service, current_principal


def calling_service() -> str:
    """Return the name of the service that calls.

    Raises:
        CallerNotAllowed: it is no service.
    """
    principal = current_principal()
    if isinstance(principal, Service):
        return principal.name
    raise CallerNotAllowed("this call is for services")
