"""The whole stack through its command, as a newcomer runs it."""

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from deploy.declarations import SERVICES
from deploy.local.authority import JWKS, RECEIPT_KEY, RECORD_KEY, ROOT_KEY, SUBJECT_KEY
from deploy.local.files import write_private
from deploy.local.home import StackHome
from deploy.local.leftovers import is_running
from deploy.local.listening import outside_addresses
from deploy.local.parts.ports import parted
from deploy.local.state import PartState, StackState, read_state
from tests.integration.local.traces import is_listening, litter

SERVERS = ("postgres", "seaweedfs", "nats", "triton")
PATIENCE = 240.0
ALL = "0.0.0.0"  # noqa: S104  # for the length of these tests, behind certificates
QUOTA = "123456789"
ODD = f"a home of Zoé's, longer than any socket's name may be: {'x' * 100}"
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Stack:
    home: StackHome

    def run(self, *arguments: str, settings: Mapping[str, str] = NOTHING) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            env={**os.environ, "PELLICULE_HOME": str(self.home.path), **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def rows(self, *arguments: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    @property
    def state(self) -> StackState:
        state = read_state(self.home)
        assert state is not None
        return state

    def process(self, name: str) -> int:
        process = self.part(name).process
        assert process is not None
        return process.pid

    def part(self, name: str) -> PartState:
        return next(part for part in self.state.parts if part.part == name)

    def wait_until(self, holds: Callable[[StackState], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds(self.state):
            assert time.monotonic() < end, self.state
            time.sleep(0.05)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(StackHome(tmp_path_factory.mktemp("stack") / ODD))
    write_private(stack.home.settings, f"PELLICULE_LISTEN={ALL}\n".encode())
    started = stack.run("up", settings={"PELLICULE_QUOTA_BYTES": QUOTA})
    assert started.returncode == 0, started.stderr
    yield stack
    stack.run("down")


def test_every_server_is_ready(stack: Stack) -> None:
    ready = {row["part"] for row in stack.rows("status") if row["ready"]}
    assert ready >= set(SERVERS)


def test_starting_a_stack_that_runs_changes_nothing(stack: Stack) -> None:
    before = stack.state.supervisor
    assert stack.run("up").returncode == 0
    assert stack.state.supervisor == before


def test_settings_reach_the_services(stack: Stack) -> None:
    process = stack.part("ingest").process
    assert process is not None
    assert psutil.Process(process.pid).environ()["PELLICULE_QUOTA_BYTES"] == QUOTA


def test_a_setting_that_is_none_ends_the_start_before_it_begins(tmp_path: Path) -> None:
    stack = Stack(StackHome(tmp_path / "home"))
    said = json.loads(stack.run("up", "--json", settings={"PELLICULE_QUOTA_BYTE": QUOTA}).stdout)
    assert (said["error"]["reason"], stack.home.path.exists()) == ("SETTING_UNKNOWN", False)


def test_a_stack_that_runs_with_other_settings_says_so(stack: Stack) -> None:
    said = json.loads(stack.run("up", "--json", "--object-store", "minio").stdout)
    assert said["error"]["reason"] == "SETTINGS_DIFFER"
    said = json.loads(stack.run("up", "--json", settings={"PELLICULE_QUOTA_BYTES": "5"}).stdout)
    assert QUOTA in said["error"]["message"]


def test_phones_reach_the_services_at_an_address_that_the_certificates_name(stack: Stack) -> None:
    trust = ssl.create_default_context(cafile=stack.home.authority)
    trust.set_alpn_protocols(["h2"])
    for address in (address for address in outside_addresses() if ":" not in address):
        place = (address, parted(stack.part("consent").address)[1])
        with (
            socket.create_connection(place) as connection,
            trust.wrap_socket(connection, server_hostname=address) as it,
        ):
            assert it.selected_alpn_protocol() == "h2"


def test_servers_are_reached_on_loopback_alone(stack: Stack) -> None:
    ports = {parted(stack.part(name).address)[1] for name in SERVERS}
    listeners = {each.laddr.ip for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port in ports}
    assert {ip for ip in listeners if not ip.startswith(("127.", "::ffff:127."))} == set()


def test_for_root_each_service_has_an_account_of_its_own_whose_files_no_other_reads(stack: Stack) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has accounts to give")
    processes = {name: psutil.Process(stack.process(name)) for name in SERVICES}
    users = {name: process.uids().real for name, process in processes.items()}
    environments = {name: Path(f"/proc/{process.pid}/environ") for name, process in processes.items()}
    readable = {name: read_as(stack.home, process, environments.values()) for name, process in processes.items()}

    assert 0 not in users.values()
    assert len(set(users.values())) == len(SERVICES)
    for name, found in readable.items():
        assert found - own_files(stack.home, name) - {environments[name]} <= shared_files(stack.home)
        assert set(stack.home.certificate(name)) <= found


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_under_its_address(stack: Stack, name: str) -> None:
    before = stack.part(name)
    assert before.process is not None
    os.killpg(before.process.pid, signal.SIGKILL)
    stack.wait_until(lambda _: stack.part(name).restarts > before.restarts and stack.part(name).ready)
    assert stack.part(name).address == before.address


@pytest.mark.timeout(600)
def test_frozen_parts_are_started_again(stack: Stack) -> None:
    stack.wait_until(lambda state: all(part.ready for part in state.parts))
    before = {part.part: part.restarts for part in stack.state.parts}
    for part in stack.state.parts:
        assert part.process is not None
        for process in (psutil.Process(part.process.pid), *psutil.Process(part.process.pid).children(recursive=True)):
            process.suspend()
    stack.wait_until(lambda state: all(part.ready and part.restarts > before[part.part] for part in state.parts))


def test_a_token_comes_with_where_to_use_it(stack: Stack) -> None:
    (row,) = stack.rows("token", "--subject", "ann", "--role", "auditor", "--ttl", "90s")
    assert str(row["token"]).count(".") == 2
    assert Path(str(row["authority"])).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_another_stack_runs_beside_it_and_leaves_it_alone(stack: Stack, tmp_path: Path) -> None:
    other = Stack(StackHome(tmp_path / "other"))
    assert other.run("up").returncode == 0
    addresses = {part.address for part in other.state.parts if part.address}
    parts = other.state.parts
    patterns = other.state.litter
    assert other.run("down").returncode == 0
    assert not addresses & {part.address for part in stack.state.parts}
    assert not [part for part in parts if part.process is not None and is_running(part.process)]
    assert not [address for address in addresses if is_listening(address)]
    assert not [found for pattern in patterns for found in litter(pattern)]
    assert stack.run("status").returncode == 0


def test_nothing_survives_a_killed_supervisor_and_the_next_start_recovers(stack: Stack) -> None:
    before = stack.state
    killed = [psutil.Process(part.process.pid) for part in before.parts if part.process is not None]
    os.kill(before.supervisor.pid, signal.SIGKILL)
    psutil.wait_procs(killed, 15)
    assert not [part.part for part in before.parts if part.process is not None and is_running(part.process)]
    assert stack.run("status", "--json").stdout.startswith('{"error": {"reason": "NOT_RUNNING"')
    assert stack.run("up").returncode == 0
    assert {part.part for part in stack.state.parts if part.ready} >= set(SERVERS)


def test_two_that_start_the_same_stack_at_once_get_one(tmp_path: Path) -> None:
    stack = Stack(StackHome(tmp_path / "home"))
    with ThreadPoolExecutor() as threads:
        started = list(threads.map(lambda _: stack.run("up"), range(2)))
    stopped = stack.run("down")
    assert [each.returncode for each in started] == [0, 0]
    assert stopped.returncode == 0


def test_another_object_store_for_the_same_folder_is_refused(stack: Stack) -> None:
    stack.run("down")
    (answer,) = stack.rows("up", "--object-store", "minio")
    assert answer["error"]["reason"] == "OBJECT_STORE_SETTLED"  # type: ignore[index]


def read_as(home: StackHome, process: psutil.Process, others: Iterable[Path]) -> set[Path]:
    """Return what the account of a process can read of a stack's folder, private or not, and of other places.

    It is put into that folder, so that what keeps it out is how the files are, not where the folder lies.
    """
    files = [file.relative_to(home.path) for file in home.path.rglob("*") if file.is_file()]
    tried = [*map(str, files), *map(str, others)]
    look = subprocess.run(
        ["/bin/sh", "-c", 'for f; do head -c1 "$f" >/dev/null 2>&1 && printf "%s\\n" "$f"; done', "sh", *tried],
        cwd=home.path,
        user=process.uids().real,
        group=process.gids().real,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    return {home.path / line for line in look.stdout.splitlines()}


def own_files(home: StackHome, service: str) -> set[Path]:
    keys = {"retention": [ROOT_KEY], "consent": [RECEIPT_KEY, RECORD_KEY]}.get(service, [])
    folders = [home.data(service), *([home.epochs, home.journal] if service == "retention" else [])]
    return {
        *home.certificate(service),
        *map(home.key, keys),
        *(file for folder in folders for file in folder.rglob("*")),
    }


def shared_files(home: StackHome) -> set[Path]:
    """Return what all services read: whom they trust, the pseudonyms' key, and the journal, which holds no secret."""
    journal = (file for file in home.journal.rglob("*") if file.stat().st_mode & stat.S_IROTH)
    return {home.authority, home.receipt_key, home.key(JWKS), home.key(SUBJECT_KEY), *journal}


def test_nobody_else_looks_into_anything_under_the_folder(stack: Stack) -> None:
    stack.run("down")
    assert not [path for path in stack.home.path.iterdir() if path.stat().st_mode & 0o006]
