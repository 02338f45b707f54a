import pytest

from pellicule.analysis.v1 import analysis_pb2
from services.suggestion.clients.analysis import analyzed_photo


@pytest.mark.parametrize(
    ("sensitivity", "is_sensitive"),
    [
        (analysis_pb2.SENSITIVITY_UNSPECIFIED, False),
        (analysis_pb2.SENSITIVITY_SAFE, False),
        (analysis_pb2.SENSITIVITY_REVIEW, True),
        (analysis_pb2.SENSITIVITY_EXCLUDED, True),
    ],
)
def test_what_may_be_intimate_counts_as_if_it_were(
    sensitivity: analysis_pb2.Sensitivity.ValueType, is_sensitive: bool
) -> None:
    findings = analysis_pb2.Findings(kind=analysis_pb2.MEDIA_KIND_PHOTO, sensitivity=sensitivity)
    assert analyzed_photo(analysis_pb2.Analysis(media="media/1", findings=findings)).photo.is_sensitive is is_sensitive


def test_every_level_of_sensitivity_is_decided_about() -> None:
    assert sorted(analysis_pb2.Sensitivity.values()) == [0, 1, 2, 3]
