from services.analysis.domain.model_set import due_purposes
from services.keyring import Purpose
from tests.contract.analysis.store_suite import MODELS


def test_more_is_due_until_every_purpose_has_findings_of_the_present_models() -> None:
    own, extras = Purpose.OLDER_MEDIA, {Purpose.LOCATION, Purpose.FACE_GROUPING}
    assert due_purposes(own, {}, MODELS) == {own, *extras}
    assert due_purposes(own, {own: "vision-1", Purpose.LOCATION: "exif-0"}, MODELS) == extras
    made = {own: "vision-1", Purpose.LOCATION: "exif-1", Purpose.FACE_GROUPING: "face-1"}
    assert due_purposes(own, made, MODELS) == set()
