"""Documents of the engines: typed, complete, and without a word too much."""

from pydantic import BaseModel, ConfigDict, ValidationError


class Document(BaseModel):
    """A document that is not changed, and that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return where a document breaks a rule first, and which one."""
    fault = error.errors(include_url=False)[0]
    return ".".join(str(part) for part in fault["loc"]), fault["msg"]
