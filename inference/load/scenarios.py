"""Scenario file, typed: what is tried, how long, and what has to hold."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SHIPPED: Final = Path(__file__).with_name("scenarios.toml")

TargetName: TypeAlias = Literal["cpu", "gpu"]
Seconds = Annotated[float, Field(gt=0, le=4 * 3600)]
Share = Annotated[float, Field(gt=0, le=1)]


class ScenariosInvalid(Exception):
    """The file cannot be used: says which field, and why."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(_Table):
    """What the generator never exceeds.

    Attributes:
        most_outstanding: requests at a time.
        answer_seconds: wait for one answer.
    """

    most_outstanding: Annotated[int, Field(gt=0, le=65536)]
    answer_seconds: Seconds


class Target(_Table):
    """What differs from machine to machine.

    Attributes:
        batch: examples in a request.
        in_flight: requests that find the peak.
        peak_seconds: for which it is looked for.
        stall_ms: the longest time in which callers may wait and none be answered.
    """

    batch: Annotated[int, Field(gt=0, le=128)]
    in_flight: Annotated[int, Field(gt=0, le=1024)]
    peak_seconds: Seconds
    stall_ms: Annotated[float, Field(gt=0)]


class Poisson(_Table):
    """Shares of the peak; stalls count up to `held_share`."""

    shares: Annotated[tuple[Share, ...], Field(min_length=1)]
    seconds: Seconds
    held_share: Share


class Burst(_Table):
    """A step up and down again; see the comments of the file."""

    base_share: Share
    factor: Annotated[float, Field(gt=1, le=100)]
    before_seconds: Seconds
    during_seconds: Seconds
    after_seconds: Seconds
    queue_seconds: Seconds
    goodput_share: Share
    recovery_seconds: Seconds
    recovered_ratio: Annotated[float, Field(ge=1)]
    recovered_floor_ms: Annotated[float, Field(gt=0)]


class Soak(_Table):
    """A long time at an even load."""

    share: Share
    seconds: Seconds
    warm_up_share: Annotated[float, Field(ge=0, lt=1)]
    rise_mib: Annotated[float, Field(gt=0)]


class Chaos(_Table):
    """A fault under load, and the time until all is as before."""

    share: Share
    before_seconds: Seconds
    after_seconds: Seconds
    most_seconds: Seconds
    queue_seconds: Seconds
    recovery_seconds: Seconds


class Mlperf(_Table):
    """MLPerf's own load generator."""

    min_seconds: Seconds
    single_stream_queries: Annotated[int, Field(gt=0, le=65536)]
    server_queries: Annotated[int, Field(gt=0, le=65536)]
    server_share: Share
    server_latency_ms: Annotated[float, Field(gt=0)]
    samples: Annotated[int, Field(gt=0, le=4096)]


class Scenarios(_Table):
    """The whole file."""

    bounds: Bounds
    targets: dict[TargetName, Target]
    poisson: Poisson
    burst: Burst
    soak: Soak
    chaos: Chaos
    mlperf: Mlperf


def read_scenarios(path: Path = SHIPPED) -> Scenarios:
    """Read a scenario file.

    Raises:
        ScenariosInvalid: it is no TOML, or a field breaks a rule.
    """
    try:
        return Scenarios.model_validate(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ScenariosInvalid(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "file"
        raise ScenariosInvalid(f"{path}: {place}: {fault['msg']}") from error
