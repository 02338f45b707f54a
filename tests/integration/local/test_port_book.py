import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.home import StackHome
from deploy.local.parts.lifecycle import is_listening
from deploy.local.parts.ports import LOOPBACK, ReservedPort, family_of, joined
from deploy.local.port_book import PortBook

CONSENT, NATS = "consent-public", "nats"


@pytest.fixture
def home(tmp_path: Path) -> StackHome:
    return StackHome(tmp_path)


@contextmanager
def book(home: StackHome, *, chosen: Mapping[str, int] | None = None, host: str = LOOPBACK) -> Iterator[PortBook]:
    reserved = PortBook.reserve(home, chosen=chosen or {}, public_host=host)
    try:
        yield reserved
    finally:
        reserved.close()


@contextmanager
def listener() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with ReservedPort() as port:
        return port.number


def test_ports_stay_from_one_start_to_the_next(home: StackHome) -> None:
    with book(home) as first:
        before = first.number(CONSENT)
    with book(home) as again:
        assert (again.number(CONSENT), again.moves("consent")) == (before, [])


def test_a_port_stays_although_connections_of_the_last_run_linger(home: StackHome) -> None:
    with book(home) as first, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, first.number(NATS)))
        server.listen()
        with socket.create_connection(server.getsockname()) as caller:
            server.accept()[0].close()  # who closes first has the connection linger
            caller.recv(1)
        before = first.number(NATS)
    with book(home, chosen={NATS: before}) as again:
        assert again.number(NATS) == before


def test_a_chosen_port_is_used(home: StackHome) -> None:
    chosen = free_port()
    with book(home, chosen={CONSENT: chosen}) as ports:
        assert ports.address(CONSENT) == f"{LOOPBACK}:{chosen}"


def test_a_chosen_port_that_is_taken_is_said_with_who_has_it(home: StackHome) -> None:
    with (
        listener() as taken,
        pytest.raises(StackError, match=rf"port {taken}, chosen for nats, is taken by \S") as said,
    ):
        PortBook.reserve(home, chosen={NATS: taken})
    assert (said.value.reason, said.value.field) == ("PORT_TAKEN", "PELLICULE_PORT_NATS")


def test_a_port_chosen_for_two_is_said(home: StackHome) -> None:
    port = free_port()
    with pytest.raises(StackError, match=f"port {port}, chosen for"):
        PortBook.reserve(home, chosen={NATS: port, CONSENT: port})


def test_a_port_of_the_last_run_that_another_has_now_is_said(home: StackHome) -> None:
    with book(home) as first:
        before = first.number(NATS)
    with socket.create_server((LOOPBACK, before)), book(home) as again:
        (said,) = again.moves("nats")
        assert f"port {before} of the last run is taken by" in said
        assert f"nats is at {again.number(NATS)} now" in said
        assert again.moves("consent") == []


def test_public_ports_alone_are_on_the_address_listened_on(home: StackHome) -> None:
    with book(home, host="0.0.0.0") as ports:  # noqa: S104  # nothing answers there
        assert ports.listener(CONSENT) == f"0.0.0.0:{ports.number(CONSENT)}"
        assert ports.address(CONSENT) == f"{LOOPBACK}:{ports.number(CONSENT)}"
        assert {ports.listener(name).partition(":")[0] for name in (NATS, "consent-internal")} == {LOOPBACK}


def test_a_public_port_can_be_on_an_ipv6_address(home: StackHome) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with book(home, host="::1") as ports:
        assert ports.address(CONSENT) == f"[::1]:{ports.number(CONSENT)}"


@pytest.mark.parametrize("host", [LOOPBACK, "::1"])
def test_a_listener_is_seen_under_either_kind_of_address(host: str) -> None:
    with socket.create_server((host, 0), family=family_of(host)) as server:
        address = joined(host, server.getsockname()[1])
        assert is_listening(address)
    assert not is_listening(address)
