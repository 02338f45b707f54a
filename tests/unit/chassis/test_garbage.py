import gc
from collections.abc import Iterator

import pytest

from services.chassis.garbage import look_at_less_garbage


@pytest.fixture
def collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("collector")
def test_what_a_process_has_from_its_start_is_not_looked_at_again_and_again() -> None:
    kept = [[number] for number in range(1000)]
    look_at_less_garbage()
    assert gc.get_freeze_count() > len(kept)
    assert len(gc.get_objects()) < gc.get_freeze_count()
    assert gc.get_threshold()[2] > gc.get_threshold()[1]
