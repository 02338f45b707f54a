from uuid import UUID

from services.keyring import Purpose, artefact_aad, metadata_aad

ID = "7f3c9a52-4e0b-4d0e-9d3f-0c8a1b2d3e4f"


def test_an_artefact_is_bound_to_its_key_and_its_purpose() -> None:
    assert artefact_aad(ID, Purpose.LOCATION) == b"7f3c9a52-4e0b-4d0e-9d3f-0c8a1b2d3e4f|LOCATION"


def test_metadata_is_bound_to_its_key_and_can_stand_in_for_no_artefact() -> None:
    assert metadata_aad(ID) == b"7f3c9a52-4e0b-4d0e-9d3f-0c8a1b2d3e4f|metadata"


def test_an_id_binds_the_same_way_as_text_and_as_a_uuid() -> None:
    assert artefact_aad(UUID(ID.upper()), "LOCATION") == artefact_aad(ID, "LOCATION")
    assert metadata_aad(UUID(ID.upper())) == metadata_aad(ID)
