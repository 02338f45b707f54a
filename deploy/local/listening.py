"""Address that the public listeners are bound to, and the names under which clients find them there."""

import ipaddress
import re
import socket
from collections.abc import Sequence

import psutil

from deploy.local.parts.ports import LOOPBACK, is_wildcard

_HOST_NAME = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9*]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def bound_address(text: str) -> str:
    """Return the IP address that an address or a host name of this machine stands for.

    Raises:
        ValueError: it is none of this machine's, with those that it has.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(text, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):
        raise ValueError(f"{text!r} is neither an IP address nor a name that is known here; {_choices()}") from None
    with socket.socket(family) as probe:
        try:
            probe.bind(place)
        except OSError as error:
            raise ValueError(f"{text} is no address of this machine; {_choices()}") from error
    return str(place[0])


def certificate_names(listen: str, further: Sequence[str]) -> tuple[str, ...]:
    """Return the names that a certificate needs beside loopback's: those of what is listened on, and further ones."""
    bound = bound_address(listen)
    if is_wildcard(bound):
        names = [*outside_addresses(), socket.gethostname()]
    else:
        names = [] if bound == LOOPBACK else [bound, listen]
    return tuple(dict.fromkeys(name for name in (*names, *further) if is_name(name)))


def outside_addresses() -> Sequence[str]:
    """Return the addresses of this machine that others can know: neither loopback's nor bound to one link."""
    known = [ipaddress.ip_address(text.partition("%")[0]) for text in _interface_addresses()]
    return [str(address) for address in known if not (address.is_loopback or address.is_link_local)]


def is_name(text: str) -> bool:
    """Say whether a certificate can name it: an IP address or a host name."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return _HOST_NAME.fullmatch(text) is not None


def _interface_addresses() -> Sequence[str]:
    families = (socket.AF_INET, socket.AF_INET6)
    found = [each for interface in psutil.net_if_addrs().values() for each in interface]
    return [each.address for each in found if each.family in families]


def _choices() -> str:
    return f"listen on {LOOPBACK}, on {', '.join(outside_addresses())}, or on all of them as 0.0.0.0 (or ::)"
