"""What the bus says of its streams, asked inside its own pod."""

import json

from deploy.provision.bus import ACCOUNT
from tests.cluster.harness.programs import Cluster

_ASK = """
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen("http://127.0.0.1:8222/jsz?acc=%s&streams=true", timeout=10).read().decode())
"""


def told(cell: Cluster, service: str) -> int:
    """Return how many events a service has told so far."""
    said = json.loads(cell.run_in("nats-0", "/opt/platform/bin/python", "-c", _ASK % ACCOUNT))
    streams = {stream["name"]: stream for account in said["account_details"] for stream in account["stream_detail"]}
    return int(streams[service.upper()]["state"]["last_seq"])
