"""Certificates are renewed while calls run: what calls in the meantime sees nothing of it."""

from collections.abc import Iterator, Mapping

from cryptography import x509

from deploy.declarations import SERVICES
from tests.cluster.harness import imports, release
from tests.cluster.harness.controllers import has_controller
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import RELEASE
from tests.cluster.harness.phone import Phone, phone
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times

# The kubelet brings a new Secret into its files in a minute or so.
_KUBELET_SECONDS = 300
_SHOWN = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with socket.create_connection((sys.argv[1], 8443), timeout=10) as plain:
    with context.wrap_socket(plain) as secured:
        sys.stdout.write(ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True)))
"""


def shown(ada: Phone, cell: Cluster) -> Mapping[str, int]:
    """Return the serial number of the certificate that each server shows, by its pod."""
    return {str(pod["metadata"]["name"]): _serial(ada, str(pod["status"]["podIP"])) for pod in _servers(cell)}


def _servers(cell: Cluster) -> Iterator[Mapping[str, Mapping[str, str]]]:
    yield from release.pods(cell, f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=server")


def _serial(ada: Phone, address: str) -> int:
    said = ada.place.run_in(ada.pod, "/opt/pellicule/bin/python", "-c", _SHOWN, address)
    return x509.load_pem_x509_certificate(said.encode()).serial_number


def renew(cell: Cluster, credentials: Credentials) -> None:
    """Have each service's Secret hold a new certificate."""
    if has_controller(cell, "cert-manager"):
        # What is missing is made anew.
        cell.kubectl("delete", "secrets", *(f"{RELEASE}-{service}-tls" for service in SERVICES))
        return
    made = {service: credentials.service_certificate(service) for service in SERVICES}
    cell.apply(*(each.secret(f"pellicule-{service}-tls") for service, each in made.items()))


def test_new_certificates_are_shown_without_a_restart_and_without_a_refused_call(
    installed: Cluster, credentials: Credentials, ada: Phone, times: Times
) -> None:
    before, restarts = set(shown(ada, installed).values()), release.restarts(installed)

    def renewed() -> None:
        renew(installed, credentials)
        taken = until(
            lambda: not before & set(shown(ada, installed).values()), "all show new ones", seconds=_KUBELET_SECONDS
        )
        times.note("new certificates in the Secrets, until every server shows its own", taken)

    answers = imports.throughout(installed, credentials, ada, "hana", "/tmp/roll", renewed)

    assert {row["outcome"] for row in answers} == {"stored"}
    assert release.restarts(installed) == restarts
    assert phone(ada.place, ada.pod, credentials, "hana-0").rows("ideas")
