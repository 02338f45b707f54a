"""Rows of ideas: for programs in words that stay, for people in their language."""

from typing import cast

from pellicule.suggestion.v1 import suggestion_pb2
from services.cli.ideas import listing

IDEA = suggestion_pb2.Suggestion(
    name="suggestions/1",
    kind=suggestion_pb2.SUGGESTION_KIND_THEME,
    title="Chiens",
    media=["media/1", "media/2"],
    state=suggestion_pb2.SUGGESTION_STATE_READY,
    evidence=[
        suggestion_pb2.Evidence(
            signal=suggestion_pb2.EVIDENCE_SIGNAL_TAG, value="dog", label="chien", media_count=2, score=1.0
        )
    ],
    renditions=[suggestion_pb2.Rendition(name="suggestions/1/renditions/hero", layout="hero")],
)


def test_evidence_is_named_for_programs_and_labelled_for_people() -> None:
    row = listing.idea(IDEA, {}, [])
    assert row["evidence"] == [{"signal": "tag", "value": "dog", "label": "chien", "media_count": 2, "score": 1.0}]


def test_photos_are_named_as_imported_and_by_resource_where_the_name_is_not_known() -> None:
    assert listing.idea(IDEA, {"media/1": "a.jpg"}, [])["media"] == ["a.jpg", "media/2"]


def test_a_picture_that_was_saved_has_its_file() -> None:
    saved = listing.idea(IDEA, {}, ["01-theme.jpg"])["renditions"]
    assert [each["file"] for each in cast("list[dict[str, object]]", saved)] == ["01-theme.jpg"]
