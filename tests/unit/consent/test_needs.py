from services.consent.domain.needs import NEEDS, needs_of, with_dependants
from services.keyring import Purpose


def test_improving_models_is_never_needed_for_anything() -> None:
    assert all(Purpose.MODEL_IMPROVEMENT not in needs_of(purpose) for purpose in Purpose)


def test_nothing_needs_itself() -> None:
    assert all(purpose not in needs_of(purpose) for purpose in NEEDS)


def test_everything_builds_on_cloud_processing_and_nothing_on_the_others() -> None:
    assert with_dependants([Purpose.CLOUD_PROCESSING]) == tuple(Purpose)
    assert with_dependants([Purpose.LOCATION]) == (Purpose.LOCATION,)
