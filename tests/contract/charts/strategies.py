"""Values that the schema allows, drawn at random: our own strategies, for the generic ones know no chart."""

from typing import Any

from hypothesis import strategies as st

from deploy.charts.environments import Values

SERVICES = ("consent", "ingest", "analysis", "suggestion", "retention")
WORKING = ("analysis", "suggestion")

_names = st.from_regex(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True)
_hosts = _names.map(lambda name: f"{name}.example.com")
_ports = st.integers(1, 65535)
_booleans = st.booleans()
_sources = st.one_of(
    st.just({}), st.builds(lambda name: {"secret": name}, _names), st.builds(lambda name: {"configMap": name}, _names)
)
_peers = st.lists(
    st.one_of(
        st.builds(lambda name: {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}, _names),
        st.builds(lambda name: {"podSelector": {"matchLabels": {"app": name}}}, _names),
        st.builds(lambda number: {"ipBlock": {"cidr": f"10.{number}.0.0/16"}}, st.integers(0, 255)),
    ),
    max_size=2,
)
_egress = st.fixed_dictionaries({}, optional={"to": _peers, "ports": st.lists(_ports, min_size=1, max_size=2)})
_urls = st.builds(lambda host, port: f"https://{host}{port}", _hosts, st.sampled_from(["", ":9000"]))
_placement: dict[str, st.SearchStrategy[Any]] = {
    "priorityClassName": _names,
    "nodeSelector": st.dictionaries(_names, _names, max_size=1),
    "tolerations": st.lists(st.builds(lambda key: {"key": key, "operator": "Exists"}, _names), max_size=1),
}
_stopping: dict[str, st.SearchStrategy[Any]] = {"drainSeconds": st.integers(0, 600), "stopSeconds": st.integers(1, 900)}
_replicas = st.integers(1, 9)

server = st.fixed_dictionaries(
    {},
    optional={
        "replicas": _replicas,
        "autoscaling": st.builds(lambda on: {"enabled": on}, _booleans),
        "knative": st.builds(lambda least: {"minScale": least}, st.integers(0, 3)),
        **_stopping,
        **_placement,
    },
)
upkeep = st.fixed_dictionaries({}, optional={"apart": _booleans, "replicas": _replicas, **_stopping, **_placement})
worker = st.fixed_dictionaries(
    {},
    optional={
        "replicas": _replicas,
        "keda": st.builds(lambda on, least: {"enabled": on, "minReplicas": least}, _booleans, st.integers(0, 2)),
        **_stopping,
        **_placement,
    },
)
_settings = st.fixed_dictionaries(
    {},
    optional={
        "PELLICULE_CALLS_AT_ONCE": st.integers(1, 10**12),
        "PELLICULE_CALLER_CALLS_PER_SECOND": st.floats(0.001, 10**9),
    },
)

_certificates = st.fixed_dictionaries({}, optional={"existingSecret": _names, "dnsNames": st.lists(_hosts, max_size=1)})


def _service(name: str) -> st.SearchStrategy[Values]:
    own = {"worker": worker} if name in WORKING else {}
    return st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["deployment", "knative"]),
            "existingSecret": _names,
            "certificate": _certificates,
            "settings": _settings,
            "server": server,
            "upkeep": upkeep,
            **own,
        },
    )


_tokens = st.one_of(
    st.builds(lambda host: {"jwksUrl": f"https://{host}/keys"}, _hosts),
    st.builds(lambda name: {"jwksUrl": "", "jwks": {"configMap": name}}, _names),
)
_store = st.fixed_dictionaries({"endpoint": _urls}, optional={"egress": _egress})
_edge = st.fixed_dictionaries(
    {
        "enabled": _booleans,
        "kind": st.sampled_from(["GRPCRoute", "HTTPRoute"]),
        "hostnames": st.lists(_hosts, min_size=1, max_size=2),
        "parentRefs": st.builds(lambda name: [{"name": name}], _names),
    }
)
values: st.SearchStrategy[Values] = st.fixed_dictionaries(
    {
        "tokens": _tokens,
        "nats": st.fixed_dictionaries({"monitoring": st.just({"endpoint": "nats:8222"})}, optional={"ca": _sources}),
        "services": st.fixed_dictionaries({}, optional={name: _service(name) for name in SERVICES}),
    },
    optional={
        "server": server,
        "upkeep": upkeep,
        "worker": worker,
        "objectStore": st.builds(lambda store, ca: {**store, "ca": ca}, _store, _sources),
        "journal": _store,
        "database": st.fixed_dictionaries({}, optional={"ca": _sources, "egress": _egress}),
        "triton": st.fixed_dictionaries({}, optional={"ca": _sources, "egress": _egress}),
        "telemetry": st.builds(lambda host, ca: {"endpoint": f"{host}:4317", "ca": ca}, _hosts, _sources),
        "networkPolicy": st.builds(lambda peers: {"publicFrom": peers}, _peers),
        "edge": _edge,
        "smoke": st.one_of(st.just({}), st.builds(lambda name: {"token": {"secret": name}}, _names)),
        "prepare": st.fixed_dictionaries({}, optional={"schedule": st.sampled_from(["", "0 4 * * 0"])}),
    },
)
releases = st.from_regex(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True)
