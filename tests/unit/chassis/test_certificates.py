"""What is taken in the place of a certificate in use, and what is refused."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.chassis.certificates.files import CertificateRefused
from services.chassis.certificates.renewal import Certificates
from services.chassis.gauges import certificate_gauges
from tests.fakes.certificates import CertificateFiles, FakeAuthority, MountedCertificates
from tests.fakes.clock import FakeClock

HOUR = timedelta(hours=1)


@pytest.fixture
def authority(tmp_path: Path) -> FakeAuthority:
    return FakeAuthority(tmp_path)


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory) -> FakeAuthority:
    return FakeAuthority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def mounted(authority: FakeAuthority, tmp_path: Path) -> MountedCertificates:
    mounted = MountedCertificates(tmp_path / "tls")
    mounted.swap(authority.issue("ingest"))
    return mounted


@pytest.fixture
def certificates(mounted: MountedCertificates) -> Certificates:
    return Certificates(mounted.settings, FakeClock(datetime.now().astimezone()))


async def looked(certificates: Certificates, times: int = 2) -> list[tuple[str, str]]:
    """Look, and return the name and the reason of what was told."""
    with capture_logs() as lines:
        for _ in range(times):
            await certificates.look()
    return [(line["event"], f"{line['certificate_file']}: {line.get('reason', '')}") for line in lines]


async def test_another_certificate_takes_the_place_of_the_one_before(
    certificates: Certificates, mounted: MountedCertificates, authority: FakeAuthority
) -> None:
    files = authority.issue("ingest")
    mounted.swap(files)
    [(event, file)] = await looked(certificates)
    assert (event, file) == ("certificate_renewed", f"{mounted.settings.tls_cert_file}: ")
    assert certificates.own.current.pem == files.certificate.read_bytes()


async def test_who_asked_to_be_told_is_told_until_they_want_it_no_more(
    certificates: Certificates, mounted: MountedCertificates, authority: FakeAuthority
) -> None:
    told = list[bytes]()
    unsubscribe = certificates.own.subscribe(lambda: told.append(certificates.own.current.pem))
    for _ in range(2):
        mounted.swap(authority.issue("ingest"))
        await certificates.look()
        unsubscribe()
    assert len(told) == 1


async def test_authorities_are_renewed_with_the_certificate_or_alone(
    certificates: Certificates, mounted: MountedCertificates, authority: FakeAuthority, stranger: FakeAuthority
) -> None:
    mounted.write({"ca.crt": authority.pem + stranger.pem})
    await certificates.look()
    assert certificates.own.current.authorities.pem == authority.pem + stranger.pem
    mounted.swap(stranger.issue("ingest"), stranger)
    await certificates.look()
    assert certificates.own.current.authorities.pem == stranger.pem


async def test_authorities_of_other_servers_are_looked_at_as_well(
    certificates: Certificates, tmp_path: Path, authority: FakeAuthority, stranger: FakeAuthority
) -> None:
    file = tmp_path / "bus.pem"
    file.write_bytes(authority.pem)
    of_the_bus = certificates.authorities(file)
    file.write_bytes(stranger.pem)
    await certificates.look()
    assert (of_the_bus.current.pem, certificates.authorities(file)) == (stranger.pem, of_the_bus)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_short(name: str) -> Callable[[MountedCertificates, CertificateFiles, FakeAuthority], None]:
    def write(mounted: MountedCertificates, files: CertificateFiles, _: FakeAuthority) -> None:
        content = {"ca.crt": files.ca, "tls.crt": files.certificate, "tls.key": files.key}[name].read_bytes()
        mounted.write({name: half(content)})

    return write


def the_key_alone(mounted: MountedCertificates, files: CertificateFiles, _: FakeAuthority) -> None:
    mounted.write({"tls.key": files.key.read_bytes()})


def of_a_stranger(mounted: MountedCertificates, _: CertificateFiles, stranger: FakeAuthority) -> None:
    files = stranger.issue("ingest")
    mounted.write({"tls.crt": files.certificate.read_bytes(), "tls.key": files.key.read_bytes()})


def authorities_of_a_stranger(mounted: MountedCertificates, _: CertificateFiles, stranger: FakeAuthority) -> None:
    mounted.write({"ca.crt": stranger.pem})


def of_another_service(mounted: MountedCertificates, _: CertificateFiles, stranger: FakeAuthority) -> None:
    mounted.swap(stranger.issue("retention"), stranger)


def over(mounted: MountedCertificates, _: CertificateFiles, stranger: FakeAuthority) -> None:
    mounted.swap(stranger.issue("ingest", begins=-2 * HOUR, ends=-HOUR), stranger)


def not_yet(mounted: MountedCertificates, _: CertificateFiles, stranger: FakeAuthority) -> None:
    mounted.swap(stranger.issue("ingest", begins=HOUR), stranger)


def empty(mounted: MountedCertificates, _: CertificateFiles, __: FakeAuthority) -> None:
    mounted.write({"tls.crt": b""})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (cut_short("ca.crt"), r"/ca\.crt: holds no whole certificate"),
        (cut_short("tls.crt"), r"/tls\.crt: holds no whole certificate"),
        (cut_short("tls.key"), r"/tls\.key: holds no whole private key"),
        (empty, r"/tls\.crt: holds no whole certificate"),
        (the_key_alone, r"/tls\.key: is not the key of .*/tls\.crt"),
        (of_a_stranger, r"/tls\.crt: is of no authority in .*/ca\.crt"),
        (authorities_of_a_stranger, r"/tls\.crt: is of no authority in .*/ca\.crt"),
        (of_another_service, r"/tls\.crt: names spiffe://pellicule/retention, and this is spiffe://pellicule/ingest"),
        (over, r"/tls\.crt: has ended at "),
        (not_yet, r"/tls\.crt: is not good before "),
    ],
)
async def test_what_is_wrong_is_refused_by_name_and_the_one_before_stays(
    fault: Callable[[MountedCertificates, CertificateFiles, FakeAuthority], None],
    reason: str,
    certificates: Certificates,
    mounted: MountedCertificates,
    authority: FakeAuthority,
    stranger: FakeAuthority,
) -> None:
    before = certificates.own.current
    fault(mounted, authority.issue("ingest"), stranger)
    [(event, why)] = await looked(certificates, times=4)
    assert (event, certificates.own.current) == ("certificate_refused", before)
    assert re.search(reason, why)


async def test_what_is_refused_is_taken_once_it_is_right(
    certificates: Certificates, mounted: MountedCertificates, authority: FakeAuthority
) -> None:
    files = authority.issue("ingest")
    mounted.write({"tls.crt": files.certificate.read_bytes()})
    assert await looked(certificates, times=1) == [], "files that are changed one after the other fit in a moment"
    mounted.write({"tls.key": files.key.read_bytes()})
    assert [event for event, _ in await looked(certificates)] == ["certificate_renewed"]


async def test_a_file_that_is_missing_is_refused_and_told_once_each_time(
    certificates: Certificates, mounted: MountedCertificates
) -> None:
    file = mounted.settings.tls_cert_file.resolve()
    aside = file.with_suffix(".aside")
    told = list[str]()
    for _ in range(2):
        file.rename(aside)
        told += [event for event, _ in await looked(certificates, times=3)]
        aside.rename(file)
        told += [event for event, _ in await looked(certificates, times=1)]
    assert told == ["certificate_refused"] * 2


@pytest.mark.parametrize("name", ["tls_ca_file", "tls_cert_file", "tls_key_file"])
def test_nothing_begins_without_its_files(mounted: MountedCertificates, tmp_path: Path, name: str) -> None:
    settings = mounted.settings.model_copy(update={name: tmp_path / "gone"})
    with pytest.raises(CertificateRefused, match="gone: cannot be read"):
        Certificates(settings, FakeClock())


async def test_a_chain_may_hold_more_than_it_needs(
    certificates: Certificates, mounted: MountedCertificates, authority: FakeAuthority
) -> None:
    files = authority.issue("ingest")
    mounted.swap(files)
    mounted.write({"tls.crt": files.certificate.read_bytes() + authority.pem})
    assert [event for event, _ in await looked(certificates)] == ["certificate_renewed"]


async def test_it_is_measured_how_long_certificates_are_good(certificates: Certificates) -> None:
    readings = await certificate_gauges(certificates)()
    left = {reading.attributes["certificate"]: reading.value for reading in readings}
    assert left["own"] == pytest.approx(left["authority"], abs=60)
    assert left["own"] == pytest.approx(timedelta(days=1).total_seconds(), abs=60)


async def test_it_looks_again_and_again(mounted: MountedCertificates, authority: FakeAuthority) -> None:
    clock = FakeClock(datetime.now().astimezone())
    certificates = Certificates(mounted.settings, clock)
    renewed = asyncio.Event()
    certificates.own.subscribe(renewed.set)
    looking = asyncio.create_task(certificates.run())
    mounted.swap(authority.issue("ingest"))
    async with asyncio.timeout(20):
        while not renewed.is_set():
            await clock.advance(1)
    looking.cancel()
