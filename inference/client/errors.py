"""Errors of the inference client; each class says what the caller does next."""

from datetime import timedelta
from typing import ClassVar


class ModelFault(Exception):
    """A model gave no usable outputs.

    Attributes:
        outcome: What measurements name it by.
        model: Its name.
    """

    outcome: ClassVar[str] = "failed"

    def __init__(self, model: str, message: str) -> None:
        super().__init__(f"{model}: {message}")
        self.model = model


class ModelUnavailable(ModelFault):
    """The server does not answer now; the same request may work later.

    Attributes:
        retry_after: When it makes sense to call again.
    """

    outcome = "unavailable"

    def __init__(self, model: str, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(model, message)
        self.retry_after = retry_after


class ModelBusy(ModelUnavailable):
    """As many requests as the model may have are in flight (RESOURCE_EXHAUSTED): try again later."""

    outcome = "busy"


class OutOfMemory(ModelUnavailable):
    """The server has no memory for a batch of this size, nor for half of it."""

    outcome = "out_of_memory"


class ModelAnswerBroken(ModelFault):
    """The answer cannot be used: an output is missing, empty, of another shape, or holds what is no number.

    Attributes:
        output: The output at fault; empty where the model failed altogether.
    """

    outcome = "broken"

    def __init__(self, model: str, message: str, output: str = "") -> None:
        super().__init__(model, f"output {output!r} {message}" if output else message)
        self.output = output


class TensorRefused(ModelFault):
    """The model refuses this input, now and later (INVALID_ARGUMENT)."""

    outcome = "refused"


class ModelMissing(ModelFault):
    """The server does not know the model (NOT_FOUND): it runs with the wrong repository, an operator must look."""

    outcome = "missing"
