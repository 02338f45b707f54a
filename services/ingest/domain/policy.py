"""Policy of the service: what is taken in, how much of it, and for how long."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.ingest.domain.limits import Limits
from services.ingest.domain.quota import Quota
from services.ingest.domain.upload_plan import PlanRules
from services.ingest.domain.window import Window


@dataclass(frozen=True)
class Policy:
    """What is taken in, and for how long.

    Attributes:
        window: Length of the rolling window.
        tolerance: What clocks and time zones may differ by.
        retention: How long a media is kept.
        upload_life: How long an upload may take.
        commit_seconds: After how long what came is committed, however little it is.
        idle_seconds: How long a stream may be silent before what it brought is committed and it ends.
        quota_bytes: A person's share of the store.
        max_bytes: Of one file.
        limits: Of one picture.
        segment_bytes: Sealed bytes held in memory before they are put into the store.
        floor_bytes: What a stream brings each minute at least; one that is slower ends, and what came is kept.
        reduced_long_side: In pixels; what is larger is wanted as a reduced copy.
    """

    window: timedelta = timedelta(days=30)
    tolerance: timedelta = timedelta(hours=15)
    retention: timedelta = timedelta(days=30)
    upload_life: timedelta = timedelta(hours=24)
    commit_seconds: float = 0.75
    idle_seconds: float = 30.0
    quota_bytes: int = 10 * 1024**3
    max_bytes: int = 100 * 1024**2
    limits: Limits = field(default_factory=lambda: Limits(max_pixels=100_000_000, max_side=16_384))
    segment_bytes: int = 8 * 1024**2
    floor_bytes: int = 65_536
    reduced_long_side: int = 2048

    def window_at(self, now: datetime) -> Window:
        """Return the rolling window at a moment of the server's clock."""
        return Window.at(now, self.window, self.tolerance)

    @property
    def quota(self) -> Quota:
        """A person's share of the store."""
        return Quota(self.quota_bytes)

    @property
    def plan_rules(self) -> PlanRules:
        """The rules of the plan."""
        return PlanRules(
            reduced_long_side=self.reduced_long_side,
            max_bytes=self.max_bytes,
            max_pixels=self.limits.max_pixels,
            max_side=self.limits.max_side,
            window=self.window,
        )
