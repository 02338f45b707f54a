"""What a reader in memory was told of a metric."""

from collections.abc import Mapping

from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from services.chassis.metrics import Metric


def points(reader: InMemoryMetricReader, metric: Metric) -> list[tuple[Mapping[str, object], float]]:
    """Return attributes and value, or count, of each point of a metric."""
    data = reader.get_metrics_data()
    if data is None:
        return []
    every = [each for resource in data.resource_metrics for scope in resource.scope_metrics for each in scope.metrics]
    found = [point for each in every if each.name == metric.name for point in each.data.data_points]
    return [(dict(point.attributes or {}), getattr(point, "count", getattr(point, "value", 0))) for point in found]
