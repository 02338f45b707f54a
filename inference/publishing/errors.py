"""Errors between a model repository and the machine that serves it, each with its remedy."""

from inference.model_build.errors import ModelError


class RepositoryInvalid(ModelError):
    """A folder is no model repository, or a published one is not as it was written."""

    reason = "MODEL_REPOSITORY_INVALID"


class RepositoryMissing(ModelError):
    """There is no published repository of this name."""

    reason = "MODEL_REPOSITORY_MISSING"


class RepositoryDamaged(ModelError):
    """A file of a published repository is not the one that was published."""

    reason = "MODEL_REPOSITORY_DAMAGED"
