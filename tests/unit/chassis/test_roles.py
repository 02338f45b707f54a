from functools import partial

import pytest

from services.chassis.roles import ALL_ROLES, Role, read_roles
from services.chassis.tasks import Tasks

WORKERLESS = ALL_ROLES - {Role.WORKER}


def test_roles_are_named_with_commas_between_them() -> None:
    assert read_roles("public, internal", ALL_ROLES) == {Role.PUBLIC, Role.INTERNAL}


@pytest.mark.parametrize("given", ["publik", "", "public,", "public internal"])
def test_an_unknown_role_is_named_with_those_that_there_are(given: str) -> None:
    with pytest.raises(ValueError, match=r"PELLICULE_ROLES takes prepare, public, internal, upkeep, worker"):
        read_roles(given, ALL_ROLES)


def test_a_service_without_heavy_work_has_no_workers() -> None:
    with pytest.raises(ValueError, match=r"'worker' is no role of this service.*takes prepare, public,"):
        read_roles("upkeep,worker", WORKERLESS)


async def _task(name: str) -> None:
    """Do nothing."""


ALWAYS, SERVING, RELAY, UPKEEP, WORK = (
    partial(_task, name) for name in ("always", "serving", "relay", "upkeep", "work")
)
TASKS = Tasks(always=[ALWAYS], serving=[SERVING, RELAY], upkeep=[RELAY, UPKEEP], work=[WORK])


def test_a_process_with_all_roles_runs_every_task_once() -> None:
    assert TASKS.light(ALL_ROLES) == [ALWAYS, SERVING, RELAY, UPKEEP]
    assert TASKS.heavy(ALL_ROLES) == [WORK]


def test_a_worker_runs_no_more_than_it_needs() -> None:
    assert (TASKS.light({Role.WORKER}), TASKS.heavy({Role.WORKER})) == ([ALWAYS], [WORK])


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.INTERNAL])
def test_each_listener_needs_what_serving_needs(role: Role) -> None:
    assert (TASKS.light({role}), TASKS.heavy({role})) == ([ALWAYS, SERVING, RELAY], ())
