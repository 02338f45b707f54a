"""Errors between a published package and a served model, each with its remedy."""

from typing import ClassVar


class ModelError(Exception):
    """A failure of the model set.

    Attributes:
        reason: a stable name for programs.
        field: the model, file or setting at fault.
    """

    reason: ClassVar[str]

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class ManifestInvalid(ModelError):
    """A manifest cannot be read or breaks a rule."""

    reason = "MODEL_MANIFEST_INVALID"


class SourceUnavailable(ModelError):
    """The package with the weights could not be fetched."""

    reason = "MODEL_SOURCE_UNAVAILABLE"


class SourceDigestMismatch(ModelError):
    """The package, or the weights in it, are not the bytes that were pinned."""

    reason = "MODEL_SOURCE_DIGEST_MISMATCH"


class WeightsUnreadable(ModelError):
    """The weights have another format or another architecture than the recipe expects."""

    reason = "MODEL_WEIGHTS_UNREADABLE"


class SignatureBroken(ModelError):
    """An ONNX file has other tensors than its slot asks for."""

    reason = "MODEL_SIGNATURE_BROKEN"


class GoldenMismatch(ModelError):
    """A model answers a known input with other numbers than it should."""

    reason = "MODEL_GOLDEN_MISMATCH"


class ModelNotBuilt(ModelError):
    """A model was asked for that has not been built on this machine."""

    reason = "MODEL_NOT_BUILT"


class ServerUnreachable(ModelError):
    """The inference server did not answer, or answered with an error."""

    reason = "MODEL_SERVER_UNREACHABLE"


class StoreUnavailable(ModelError):
    """The object store does not answer, or refuses."""

    reason = "MODEL_STORE_UNAVAILABLE"


class ObjectMissing(ModelError):
    """An object that another one names is not in the bucket."""

    reason = "MODEL_OBJECT_MISSING"


class SettingMissing(ModelError):
    """The environment does not say where the object store is, or who asks it."""

    reason = "SETTING_MISSING"
