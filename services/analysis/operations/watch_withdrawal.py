"""Watch for a withdrawal while work goes on, as another process may carry its order out."""

from contextlib import suppress

from services.analysis.operations.dependencies import Dependencies
from services.chassis.errors import DependencyUnavailable
from services.keyring import Purpose, PurposeNotGranted


async def withdrawn(subject: str, purpose: Purpose, dependencies: Dependencies) -> None:
    """Return once a person has withdrawn a purpose; other keys of theirs may be destroyed meanwhile."""
    with dependencies.keyring.revocations(subject) as revoked:
        while True:
            await revoked.wait()
            revoked.clear()
            try:
                with suppress(DependencyUnavailable):  # whether it may go on is asked again with each key
                    await dependencies.keyring.open(subject=subject, purpose=purpose, ids=[])
            except PurposeNotGranted:
                return
