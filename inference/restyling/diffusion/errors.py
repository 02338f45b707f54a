"""Errors of restyling: each with a stable reason, what is at fault, and what to do."""

from typing import ClassVar


class RestylingError(Exception):
    """A photo was not restyled.

    Attributes:
        reason: a stable name for programs.
        field: the parameter, tensor or file at fault.
    """

    reason: ClassVar[str]

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class RequestRefused(RestylingError):
    """The request itself cannot be served, now or later."""


class PictureNotRgb(RequestRefused):
    """The photo is not UINT8 [height, width, 3]."""

    reason = "PICTURE_NOT_RGB"


class PictureTooSmall(RequestRefused):
    """A side is shorter than the network can see anything in."""

    reason = "PICTURE_TOO_SMALL"


class PictureTooLarge(RequestRefused):
    """The picture would need more memory than the server grants."""

    reason = "PICTURE_TOO_LARGE"


class StyleUnknown(RequestRefused):
    """There is no such style."""

    reason = "STYLE_UNKNOWN"


class ParameterOutOfRange(RequestRefused):
    """Steps, strength or seed are outside of their range."""

    reason = "PARAMETER_OUT_OF_RANGE"


class RestylingCancelled(RestylingError):
    """No caller waits for the picture any more."""

    reason = "RESTYLING_CANCELLED"


class NetworkFailed(RestylingError):
    """The network gave no answer, or one that is no picture."""

    reason = "RESTYLER_NETWORK_FAILED"


class RestylerMisconfigured(RestylingError):
    """What was put into the slot cannot be used."""

    reason = "RESTYLER_MISCONFIGURED"
