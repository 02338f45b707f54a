"""Sweep: all that time asks for, and no call; each step by itself, so that none stops another."""

from functools import partial

from services.chassis.failed_work.set_aside import SetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.loops import Step
from services.retention.operations.deadlines import destroy_due_keys, destroy_expired_purposes
from services.retention.operations.delete_account import begin_due_account_deletions
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.keys_at_hand import at_hand
from services.retention.operations.purge import carry_out_orders


def deadline_steps(set_aside: SetAside, dependencies: Dependencies) -> dict[str, Step]:
    """Return, by name, the steps that destroy what has come to its end."""
    purposes, accounts, keys = (
        Turns(kind, set_aside, dependencies.clock) for kind in ("expired_purpose", "account_deletion", "due_key")
    )
    return {
        "expired_purposes": partial(destroy_expired_purposes, purposes, dependencies),
        "account_deletions": partial(begin_due_account_deletions, accounts, dependencies),
        "due_keys": partial(destroy_due_keys, keys, dependencies),
    }


def own_orders_step(set_aside: SetAside, dependencies: Dependencies) -> Step:
    """Return the step that deletes the rows which destructions left behind."""
    turns = Turns("own_order", set_aside, dependencies.clock)
    return partial(carry_out_orders, turns, set_aside, dependencies)


async def epoch_is_due(dependencies: Dependencies) -> bool:
    """Tell whether the day of the newest epoch is over, or its key lost."""
    keys = dependencies.epoch_keys
    newest = keys.newest
    return newest < dependencies.clock.now().date().isoformat() or not await at_hand(keys, lambda: keys.has(newest))
