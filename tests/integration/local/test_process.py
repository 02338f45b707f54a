import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy.local.parts.ports import ReservedPort, reserve_again
from deploy.local.parts.process import Account, Command, ServerProcess
from tests.integration.local.traces import processes_of_group

PYTHON = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WITH_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
STARTER = """
import sys, time
from pathlib import Path
from deploy.local.parts.process import Command, ServerProcess
log = Path(sys.argv[1])
command = Command(Path(sys.executable), ("-c", "import time; time.sleep(60)"), log=log, directory=log.parent)
print(ServerProcess.start(command).pid, flush=True)
time.sleep(60)
"""


def start(folder: Path, program: str, *, grace: float = 5.0) -> ServerProcess:
    command = Command(Path(sys.executable), ("-c", program), log=folder / "log", directory=folder, grace=grace)
    return ServerProcess.start(command)


async def test_a_process_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, STUBBORN, grace=0.1)
    while process.last_words() != "up":
        assert not await process.exited(0.02)
    await process.stop()
    assert process.exit_status == -signal.SIGKILL


async def test_what_a_process_started_is_stopped_with_it(tmp_path: Path) -> None:
    process = start(tmp_path, WITH_CHILD)
    while not psutil.Process(process.pid).children():
        assert not await process.exited(0.02)
    await process.stop()
    assert not processes_of_group(process.pid)


def test_a_process_dies_with_its_starter(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, tmp_path / "log"], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    psutil.wait_procs([server], 5)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


async def test_what_a_process_writes_is_its_users_alone(tmp_path: Path) -> None:
    process = start(tmp_path, "open('made', 'w').close()")
    await process.exited()
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0


async def test_the_users_own_variables_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the user")
    process = start(tmp_path, "import os; print(os.environ.get('AWS_SECRET_ACCESS_KEY'))")
    await process.exited()
    assert process.last_words() == "None"


async def test_a_program_can_seem_to_be_another_account_and_make_its_starters_files(tmp_path: Path) -> None:
    nobody = Account(65_534, 65_534, seeming=True)
    program = "import os; print(os.getuid()); open('made', 'w').close()"
    command = Command(Path(sys.executable), ("-c", program), log=tmp_path / "log", directory=tmp_path, account=nobody)
    process = ServerProcess.start(command)
    await process.exited()
    if "unshare" in process.last_words():
        pytest.skip("this machine allows no user namespaces")
    assert process.last_words() == "65534"
    assert (tmp_path / "made").stat().st_uid == os.geteuid()


async def test_an_account_finds_in_a_private_folder_what_it_needs_and_nothing_beside_it(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root becomes another account")
    private = tmp_path / "private"
    for name in ("needed", "secret", "disk"):
        (private / name).mkdir(parents=True)
    private.chmod(0o700)
    account = Account(60_999, 60_999, reveals=(private / "needed", *PYTHON))
    held = f"{str(private / 'disk')!r} in open('/proc/self/mountinfo').read()"
    program = f"import os; print(os.listdir({str(private)!r}), {held})"
    command = Command(Path(sys.executable), ("-c", program), log=tmp_path / "log", directory=Path("/"), account=account)
    with mounted(private / "disk"):
        process = ServerProcess.start(command)
        await process.exited()
    if "unshare" in process.last_words():
        pytest.skip("this machine gives no program a view of its own")
    assert process.last_words() == "['needed'] False"


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Mount a disk, which must not stay in use when it is unmounted, for the time of the block."""
    if subprocess.run(["mount", "-t", "tmpfs", "disk", folder], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_reserved_port_is_nobody_elses() -> None:
    mine = ReservedPort()
    other = reserve_again(mine.number)
    numbers = {mine.number, other.number}
    mine.close()
    other.close()
    assert len(numbers) == 2


def test_a_port_is_found_again_after_a_restart() -> None:
    first = ReservedPort()
    number = first.number
    first.close()
    again = reserve_again(number)
    found = again.number
    again.close()
    assert found == number
