import pytest

from pellicule.analysis.v1 import analysis_pb2
from pellicule.internal.analysis.v1 import library_service_pb2
from services.suggestion.clients.analysis import analyzed_photo


def entry(**findings: object) -> library_service_pb2.LibraryEntry:
    found = analysis_pb2.Findings(kind=analysis_pb2.MEDIA_KIND_PHOTO, **findings)  # type: ignore[arg-type]
    return library_service_pb2.LibraryEntry(analysis=analysis_pb2.Analysis(media="media/1", findings=found))


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
    assert analyzed_photo(entry(sensitivity=sensitivity)).photo.is_sensitive is is_sensitive


def test_every_level_of_sensitivity_is_decided_about() -> None:
    assert sorted(analysis_pb2.Sensitivity.values()) == [0, 1, 2, 3]


@pytest.mark.parametrize("hidden", [False, True])
def test_what_its_owner_hid_is_known(hidden: bool) -> None:
    assert analyzed_photo(entry(hidden=hidden)).photo.is_hidden is hidden
