"""Each container's environment builds the settings of its service, and sets nothing that no setting reads."""

import importlib
import os
from collections.abc import Iterator

import pytest
from pydantic_settings import BaseSettings

from deploy.charts.environments import values
from tests.contract.charts.pods import environment as environment_of
from tests.contract.charts.pods import pods
from tests.contract.charts.releases import PELLICULE, Case, at, chart, over, rendered
from tests.contract.products import service_names

PREFIX = "PELLICULE_"
# Settings that the chart has already, and a service's next version.
_SECRETS = {"PELLICULE_DATABASE_URL": "postgresql://a:b@database:5432/a", "PELLICULE_NATS_URL": "tls://a:b@nats:4222"}
# What the chart itself says, from values of its own.
_OF_THE_CHART = frozenset(
    {
        "analysis_target", "database_url", "drain_seconds", "epoch_dir", "health_address", "internal_address",
        "journal_bucket", "journal_dir", "log_level", "media_bucket", "nats_url", "otlp_ca_file", "otlp_endpoint",
        "previews_bucket", "public_address", "receipt_key_file", "record_key_file", "renditions_bucket",
        "retention_target", "roles", "root_key_file", "stop_grace_seconds", "subject_key_file", "tls_ca_file",
        "tls_cert_file", "tls_key_file", "token_audience", "token_issuer", "token_jwks_ca_file", "token_jwks_file",
        "token_jwks_url", "trace_ratio", "triton_address", "triton_ca_file", "watched_disk",
        "watched_disk_floor_bytes", "policy_file", "public_tls", "s3_endpoint", "s3_access_key", "s3_secret_key",
        "s3_region", "s3_ca_file", "nats_ca_file", "nats_replicas", "journal_s3_endpoint", "journal_s3_access_key",
        "journal_s3_secret_key", "journal_s3_region", "epochs", "epochs_namespace", "epochs_secret", "transit_url",
        "transit_ca_file", "transit_mount", "transit_namespace", "transit_prefix", "transit_token_file",
        "transit_role", "transit_auth_mount", "transit_jwt_file",
    }
)  # fmt: skip


def _settings(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def _containers(case: Case) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each container that runs a service: whose it is, the service, and its environment."""
    for pod in pods(rendered(*case)):
        for container in pod.containers:
            (module,) = container["args"]
            _, _, service = module.partition("services.")
            if service in service_names():
                told = {
                    name: value or _SECRETS.get(name, "secret") for name, value in environment_of(container).items()
                }
                yield pod.owner.identity, service, told


@pytest.mark.parametrize("case", PELLICULE, ids=lambda case: case[1])
def test_every_environment_builds_the_settings_of_its_service(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for _, service, told in _containers(case):
        with monkeypatch.context() as patched:
            for name, value in told.items():
                patched.setenv(name, value)
            _settings(service)()


@pytest.mark.parametrize("case", PELLICULE, ids=lambda case: case[1])
def test_every_service_runs(case: Case) -> None:
    assert {service for _, service, _ in _containers(case)} == set(service_names())


@pytest.mark.parametrize("case", PELLICULE, ids=lambda case: case[1])
def test_no_environment_sets_what_no_setting_reads(case: Case) -> None:
    for owner, service, told in _containers(case):
        given = {name.removeprefix(PREFIX).lower() for name in told if name.startswith(PREFIX)}

        assert given - _settings(service).model_fields.keys() == set(), owner


@pytest.mark.parametrize("service", service_names())
def test_what_can_be_set_is_what_the_service_reads_and_the_chart_does_not_say(service: str) -> None:
    schema = chart("pellicule").handle.schema or {}
    settable = schema["properties"]["services"]["properties"][service]["properties"]["settings"]["properties"]
    named = {name.removeprefix(PREFIX).lower() for name in settable}

    assert named == _settings(service).model_fields.keys() - _OF_THE_CHART


def test_a_large_number_is_written_as_it_was_given() -> None:
    given = {"PELLICULE_QUOTA_BYTES": 10737418240, "PELLICULE_UPLOAD_HOURS": 0.5}
    objects = chart("pellicule").objects(over(values("production", "pellicule"), at("services.ingest.settings", given)))
    server = next(pod for pod in pods(objects) if pod.owner.identity == "Deployment/pellicule-ingest")
    told = environment_of(server.containers[0])

    assert (told["PELLICULE_QUOTA_BYTES"], told["PELLICULE_UPLOAD_HOURS"]) == ("10737418240", "0.5")
