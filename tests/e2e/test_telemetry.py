"""What a stack tells a collector: one trace from upload to idea, its lines, and the measurements of the schema."""

from collections.abc import Iterator, Mapping

import pytest

from deploy.declarations import SERVICES
from deploy.observability.schema import metrics
from tests.e2e.harness import RunningStack
from tests.fakes.otlp_collector import OtlpCollector, Told

NOT_MADE: Mapping[str, str] = {
    "pellicule.backstop.hits": "an object would have to be as old as the bucket's lifecycle rule",
    "pellicule.dead_letters": "no event is given up",
    "pellicule.set_aside": "no item of a loop fails twice",
}
"""Metrics that this run cannot make, and why."""
AT_TIMES: Mapping[str, str] = {"pellicule.inference.retries": "the models' server may be busy for a moment"}
"""Metrics that it makes or not, and why."""
INGEST, ANALYSIS = "pellicule.internal.ingest.v1.MediaStored", "pellicule.internal.analysis.v1.MediaAnalyzed"
WAY = [
    ("suggestion", "refresh suggestions"),
    ("suggestion", f"process {ANALYSIS}"),
    ("analysis", f"send {ANALYSIS}"),
    ("analysis", "analyze media"),
    ("analysis", f"process {INGEST}"),
    ("ingest", f"send {INGEST}"),
]
"""From an idea back to its upload."""
RESOURCE = {"service.name", "service.namespace", "service.version", "service.instance.id"}


@pytest.fixture(scope="module")
def kept(told: tuple[OtlpCollector, RunningStack]) -> OtlpCollector:
    return told[0]


def test_one_trace_goes_from_the_upload_to_the_idea(kept: OtlpCollector) -> None:
    spans = {each.span: each for each in kept.spans}
    ways = [list(way(each, spans)) for each in kept.spans if each.name == "refresh suggestions"]
    whole = [found for found in ways if [(each.service, each.name) for each in found[:-1]] == WAY]
    assert whole, [[(each.service, each.name) for each in found] for found in ways]
    upload = whole[0][-1]
    assert (upload.service, upload.attributes["rpc.method"]) in {
        ("ingest", f"pellicule.ingest.v1.MediaService/{name}") for name in ("UploadMedia", "BatchUploadMedia")
    }
    assert {each.trace for each in whole[0]} == {upload.trace}


def test_the_models_are_asked_in_the_trace_of_the_photo(kept: OtlpCollector) -> None:
    spans = {each.span: each for each in kept.spans}
    asked = [each for each in kept.spans if each.name == "inference.GRPCInferenceService/ModelInfer"]
    assert "analyze media" in {spans[each.parent].name for each in asked if each.parent in spans}
    assert {str(each.attributes["pellicule.model"]) for each in asked} >= {"scene_classifier", "face_detector"}


def test_lines_bear_the_ids_of_the_span_in_which_they_were_written(kept: OtlpCollector) -> None:
    spans = {each.span: each for each in kept.spans}
    made = [each for each in kept.lines if each.name == "suggestions_made" and each.span in spans]
    assert {spans[each.span].name for each in made} == {"refresh suggestions"}
    calls = [each for each in kept.lines if each.name == "rpc" and each.span in spans]
    assert {spans[each.span].name == str(each.attributes["method"]).removeprefix("/") for each in calls} == {True}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_tells_of_itself_in_all_three_ways(kept: OtlpCollector, service: str) -> None:
    told = [[each for each in all_ if each.service == service] for all_ in (kept.spans, kept.measurements, kept.lines)]
    assert all(told)
    assert {frozenset(each.resource) - {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}
            for each in (*told[0], *told[1], *told[2])} == {frozenset(RESOURCE)}  # fmt: skip


def test_what_is_measured_is_declared(kept: OtlpCollector) -> None:
    declared = metrics()
    assert {each.name for each in kept.measurements} - declared.keys() == set()
    strange = {(each.name, key) for each in kept.measurements for key in each.attributes}
    assert strange - {(name, key) for name, metric in declared.items() for key in metric.attributes} == set()
    sent = {each.name: (each.metric.unit, each.metric.description) for each in kept.measurements if each.metric}
    assert sent == {name: (declared[name].unit, declared[name].description) for name in sent}


def test_what_is_declared_is_measured_or_there_is_a_reason(kept: OtlpCollector) -> None:
    measured = {each.name for each in kept.measurements}
    assert metrics().keys() - measured - NOT_MADE.keys() - AT_TIMES.keys() == set()
    assert NOT_MADE.keys() & measured == set()


def test_no_attribute_has_many_values(kept: OtlpCollector) -> None:
    """Count the series of each metric and process: what tells persons, media or addresses apart would show."""
    series: dict[tuple[str, str], set[frozenset[tuple[str, object]]]] = {}
    for each in kept.measurements:
        of = (each.name, str(each.resource["service.instance.id"]))
        series.setdefault(of, set()).add(frozenset(each.attributes.items()))
    assert {of: len(found) for of, found in series.items() if len(found) > 150} == {}


def way(span: Told, spans: Mapping[str, Told]) -> Iterator[Told]:
    """Yield a span, what it goes on with, and so on."""
    yield span
    while span.parent in spans:
        span = spans[span.parent]
        yield span
