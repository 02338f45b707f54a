"""The models' chart: what serves them, who reaches them, and what it says in common with the chart of the services."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.charts.environments import Values, environments, values
from deploy.charts.rendering import RELEASES
from deploy.metrics import DOCUMENT
from inference.repository import CONFIG_NAME
from tests.contract.charts.inference_objects import (
    BASE,
    CARDS,
    ENGINES,
    KSERVE,
    LOAD,
    PORT,
    flags_of,
    objects_of,
    server_of,
)
from tests.contract.charts.pods import selects
from tests.contract.charts.releases import at, chart, each_environment, over, rendered
from tests.contract.charts.rules import RULES
from tests.contract.charts.rules_of_objects import of_kind
from tests.contract.charts.test_upgrades import _refused


class TestServer:
    @pytest.mark.parametrize("mode", [{}, KSERVE])
    @pytest.mark.parametrize("processor", ["cpu", "gpu"])
    def test_it_serves_the_configuration_of_its_processor(self, mode: Values, processor: str) -> None:
        objects = objects_of(mode, {"processor": processor})
        flags, resources = flags_of(objects), server_of(objects).containers[-2]["resources"]

        assert flags["--model-repository"] == "/mnt/models"
        assert flags.get("--model-config-name") == (CONFIG_NAME if processor == "cpu" else None)
        assert ("--rate-limit" in flags) == (processor == "cpu")
        assert resources["limits"].get("nvidia.com/gpu") == ("1" if processor == "gpu" else None)

    @pytest.mark.parametrize("mode", [{}, KSERVE])
    def test_it_takes_no_caller_without_a_certificate_and_speaks_no_http(self, mode: Values) -> None:
        flags = flags_of(objects_of(mode))

        assert (flags["--grpc-use-ssl"], flags["--grpc-use-ssl-mutual"], flags["--allow-http"]) == (
            "true",
            "true",
            "false",
        )
        assert flags["--grpc-restricted-protocol"].startswith("shared-memory,model-repository,trace,logging:")

    @pytest.mark.parametrize("mode", [{}, KSERVE])
    def test_its_word_is_not_taken_for_its_readiness(self, mode: Values) -> None:
        server, canary = server_of(objects_of(mode)).containers[-2:]
        (health,) = canary["ports"]

        assert f"--health=0.0.0.0:{health['containerPort']}" in canary["args"]
        assert {server[name]["grpc"]["port"] for name in ("startupProbe", "readinessProbe", "livenessProbe")} == {
            health["containerPort"]
        }
        assert server["livenessProbe"]["grpc"]["service"] == "liveness"

    def test_a_card_is_given_up_before_the_next_server_has_it(self) -> None:
        (deployment,) = of_kind(objects_of(CARDS), "Deployment")
        (service,) = of_kind(objects_of(CARDS, KSERVE), "InferenceService")

        for strategy in (deployment.at("spec", "strategy"), service.at("spec", "predictor", "deploymentStrategy")):
            assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}

    def test_it_stops_within_its_grace(self) -> None:
        objects = objects_of(at("server.stopSeconds", 90))

        assert int(flags_of(objects)["--exit-timeout-secs"]) < server_of(objects).spec["terminationGracePeriodSeconds"]


class TestKServe:
    def test_what_controllers_get_wrong_by_default_is_said(self) -> None:
        (service,) = of_kind(objects_of(KSERVE), "InferenceService")

        assert service.at("metadata", "annotations") == {
            "serving.kserve.io/deploymentMode": "Standard",
            "serving.kserve.io/autoscalerClass": "external",
        }
        assert service.at("metadata", "labels", "networking.kserve.io/visibility") == "cluster-local"
        assert (
            service.at("spec", "predictor", "model", "storageUri")
            == "s3://pellicule-models/repositories/cpu-000000000000"
        )

    def test_without_a_scaler_it_is_scaled_by_nothing(self) -> None:
        (service,) = of_kind(objects_of(KSERVE, at("autoscaling.enabled", value=False)), "InferenceService")

        assert service.at("metadata", "annotations", "serving.kserve.io/autoscalerClass") == "none"
        assert service.at("spec", "predictor", "minReplicas") == service.at("spec", "predictor", "maxReplicas") == 1

    def test_the_grpc_port_comes_first_under_the_name_of_its_protocol(self) -> None:
        (runtime,) = of_kind(objects_of(KSERVE), "ServingRuntime")
        ports = runtime.at("spec", "containers")[0]["ports"]

        assert ports[0] == {"name": "h2c", "containerPort": PORT}

    def test_a_canary_is_another_repository_with_one_pod(self) -> None:
        canary = {"kserve": {"canary": [{"repository": "cpu-00000000000f", "trafficPercent": 5}]}}
        (service,) = of_kind(objects_of(KSERVE, canary), "InferenceService")
        (row,) = service.at("spec", "canary")

        assert row["trafficPercent"] == 5
        assert row["predictor"]["model"]["storageUri"].endswith("/cpu-00000000000f")
        assert (row["predictor"]["minReplicas"], row["predictor"]["maxReplicas"]) == (1, 1)

    def test_models_of_a_claim_need_no_account_of_the_bucket(self) -> None:
        claim = {"models": {"repository": "", "claim": {"name": "models", "path": "cpu"}}}
        objects = objects_of(KSERVE, claim)
        (service,) = of_kind(objects, "InferenceService")

        assert service.at("spec", "predictor", "model", "storageUri") == "pvc://models/cpu"
        assert [each.at("secrets") for each in of_kind(objects, "ServiceAccount")] == [None, None]


@each_environment
def test_the_services_are_told_where_the_models_are_and_whom_to_believe(environment: str) -> None:
    told = values(environment, "pellicule")["triton"]
    objects = rendered("inference", environment)
    (address,) = [each for each in of_kind(objects, "Service") if each.name == RELEASES["inference"]]
    (tls,) = [volume for volume in server_of(objects).volumes.values() if volume["name"] == "tls"]

    assert told["address"] == f"{address.name}:{PORT}"
    assert PORT in [port["port"] for port in address.at("spec", "ports")]
    assert told["ca"]["secret"] == tls["secret"]["secretName"]


@each_environment
def test_the_certificate_is_made_out_for_how_it_is_called(environment: str) -> None:
    names = [each.at("spec", "dnsNames") for each in of_kind(rendered("inference", environment), "Certificate")]

    for each in names:
        assert {"localhost", RELEASES["inference"], f"{RELEASES['inference']}.photos.svc.cluster.local"} <= set(each)


@each_environment
def test_analysis_and_operations_alone_reach_the_models(environment: str) -> None:
    labels = {"app.kubernetes.io/part-of": "pellicule", "app.kubernetes.io/instance": "pellicule"}
    objects = rendered("inference", environment)
    let = [
        peer["podSelector"]
        for policy in of_kind(objects, "NetworkPolicy")
        for rule in policy.at("spec", "ingress", default=[])
        if any(port["port"] == PORT for port in rule["ports"])
        for peer in rule["from"]
    ]
    reaching = {
        name
        for name in ("consent", "ingest", "analysis", "suggestion", "retention", "ops", "smoke")
        if any(selects(selector, {**labels, "app.kubernetes.io/name": name}) for selector in let)
    }

    assert reaching == {"analysis", "ops"}
    assert all("namespaceSelector" not in selector for selector in let)


@each_environment
def test_the_services_let_analysis_out_to_them(environment: str) -> None:
    server = server_of(rendered("inference", environment)).labels
    out = [
        rule
        for policy in of_kind(rendered("pellicule", environment), "NetworkPolicy")
        if policy.name == "pellicule-analysis-egress"
        for rule in policy.at("spec", "egress")
        if any(str(port["port"]) == str(PORT) for port in rule["ports"])
    ]

    assert out
    assert all(
        selects(peer["podSelector"], server) for rule in out for peer in rule.get("to", []) if "podSelector" in peer
    )


class TestScaler:
    def test_it_counts_what_waits_and_never_goes_to_zero(self) -> None:
        (scaler,) = of_kind(objects_of(), "ScaledObject")
        queries = {trigger["name"]: trigger["metadata"]["query"] for trigger in scaler.at("spec", "triggers")}

        assert queries["waiting"] == "sum(pellicule_inference_waiting)"
        assert "nv_inference_queue_duration_us" in queries["queued"]
        assert scaler.at("spec", "minReplicaCount") >= 1
        assert all("metricType" not in trigger for trigger in scaler.at("spec", "triggers"))  # shared among the pods

    def test_the_queue_of_the_services_is_one_that_they_measure(self) -> None:
        page = (Path(__file__).parents[3] / DOCUMENT).read_text("utf-8")

        assert "| `pellicule.inference.waiting` | gauge | `{request}` |" in page

    @pytest.mark.parametrize(
        ("mode", "target"), [({}, "pellicule-inference"), (KSERVE, "pellicule-inference-predictor")]
    )
    def test_it_scales_what_the_mode_makes(self, mode: Values, target: str) -> None:
        (scaler,) = of_kind(objects_of(mode), "ScaledObject")

        assert scaler.at("spec", "scaleTargetRef") == {"name": target}


STEPS: Sequence[Values] = (
    BASE,
    over(BASE, at("models.repository", "cpu-00000000000f"), at("autoscaling.enabled", value=False)),
    over(BASE, KSERVE),
    over(BASE, KSERVE, CARDS, ENGINES, LOAD),
    over(BASE, CARDS),
    BASE,
)


class TestUpgrades:
    def test_no_step_changes_what_cannot_be_changed(self) -> None:
        states = [chart("inference").objects(step, upgrade=number > 0) for number, step in enumerate(STEPS)]

        assert [_refused(before, after) for before, after in pairwise(states)] == [[]] * (len(STEPS) - 1)
        assert {each.identity: each.document for each in states[-1]} == {
            each.identity: each.document for each in states[0]
        }

    @pytest.mark.parametrize("rule", RULES)
    def test_every_state_on_the_way_is_let_in(self, rule: str) -> None:
        assert [list(RULES[rule](chart("inference").objects(step))) for step in STEPS] == [[]] * len(STEPS)

    def test_the_address_stays_whatever_the_mode(self) -> None:
        addresses = [
            {(each.name, each.at("spec", "clusterIP")) for each in of_kind(chart("inference").objects(step), "Service")}
            for step in STEPS
        ]

        assert addresses == [{("pellicule-inference", "None")}] * len(STEPS)


@pytest.mark.parametrize("environment", environments())
def test_an_upgrade_renders_to_what_an_installation_does(environment: str) -> None:
    given = values(environment, "inference")

    assert chart("inference").objects(given, upgrade=True) == chart("inference").objects(given)
