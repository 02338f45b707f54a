"""Purposes of processing that a person may consent to: the closed list of the contracts, in their order."""

from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """A purpose of processing; its value is what tables, seals and events write down."""

    CLOUD_PROCESSING = "CLOUD_PROCESSING"
    OLDER_MEDIA = "OLDER_MEDIA"
    LOCATION = "LOCATION"
    FACE_GROUPING = "FACE_GROUPING"
    GENERATIVE_EDITING = "GENERATIVE_EDITING"
    MODEL_IMPROVEMENT = "MODEL_IMPROVEMENT"


PURPOSES: Final = tuple(Purpose)
"""All of them: the fences that the erasure of a person raises."""
