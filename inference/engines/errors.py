"""Errors between a model and an engine that serves it, each with its remedy."""

from inference.model_build.errors import ModelError


class EngineError(ModelError):
    """A failure of the engines; `field` names the model, key, file or setting at fault."""

    reason = "ENGINE_FAILED"


class TargetUnknown(EngineError):
    """A GPU, a Triton tag or a TensorRT version is not in the tables and was not named either."""

    reason = "ENGINE_TARGET_UNKNOWN"


class ProfileInvalid(EngineError):
    """The table of profiles breaks a rule, or has no row for a model."""

    reason = "ENGINE_PROFILE_INVALID"


class GraphUnsupported(EngineError):
    """TensorRT would not read the graph of a model."""

    reason = "ENGINE_GRAPH_UNSUPPORTED"


class TensorRTMissing(EngineError):
    """There is no TensorRT, or no GPU, on this machine."""

    reason = "ENGINE_TENSORRT_MISSING"


class BuildFailed(EngineError):
    """TensorRT could not build or run a plan, or took too long."""

    reason = "ENGINE_BUILD_FAILED"


class AccuracyLost(EngineError):
    """A plan answers too differently from ONNX Runtime; it was not committed."""

    reason = "ENGINE_ACCURACY_LOST"


class EngineMissing(EngineError):
    """There is no committed engine of this key."""

    reason = "ENGINE_MISSING"


class EngineDamaged(EngineError):
    """A plan or a manifest is not what was committed."""

    reason = "ENGINE_DAMAGED"


class WrongTarget(EngineError):
    """A plan was built for another TensorRT version, another Triton or another compute capability."""

    reason = "ENGINE_WRONG_TARGET"
