"""Models of a cell: published from this machine into the bucket that servers fetch them from."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.programs import Cluster


def publish(cell: Cluster, credentials: Credentials, scratch: Path, *options: str) -> str:
    """Publish the models that are built on this machine, unless options say others; return the repository's name."""
    authority = scratch / "platform.pem"
    authority.write_bytes(credentials.platform.certificate)
    identity = credentials.objects["model-publisher"]
    with forwarded(cell, "service/object-store", 9000) as port:
        environment = {
            **os.environ,
            "PELLICULE_S3_ENDPOINT": f"https://localhost:{port}",
            "PELLICULE_S3_ACCESS_KEY": identity.access_key,
            "PELLICULE_S3_SECRET_KEY": identity.secret_key,
            "PELLICULE_S3_CA_FILE": str(authority),
        }
        command = [sys.executable, "-m", "services.cli", "models", "publish", "--json", *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout)["repository"])


@contextmanager
def forwarded(cell: Cluster, target: str, port: int) -> Iterator[int]:
    """Yield a port of this machine that leads to a port of a service or a pod."""
    command = ["kubectl", f"--namespace={cell.namespace}", "port-forward", target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().partition("->")[0].rpartition(":")[2])
        finally:
            process.terminate()
