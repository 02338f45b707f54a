import numpy as np
import pytest

from inference.vision.pictures import Picture
from tests.contract.analysis.models_suite import BLANK, ModelsSuite
from tests.fakes.models import FACE_COLOUR, FakeModels


class TestFakeModels(ModelsSuite):
    @pytest.fixture
    def models(self) -> FakeModels:
        return FakeModels()

    @pytest.fixture
    def portrait(self) -> Picture:
        canvas = BLANK.copy()
        canvas[80:200, 100:200] = np.asarray(FACE_COLOUR, np.uint8)
        return canvas
