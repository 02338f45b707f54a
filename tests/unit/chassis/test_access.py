import pytest

from services.chassis.access import AccessTable, Caller, ServiceNamed, check_access
from services.chassis.errors import CallerNotAllowed, TokenMissing
from services.chassis.principal import (
    Anonymous,
    Auditor,
    Operator,
    Person,
    Principal,
    Service,
    current_principal,
    current_subject,
    enter_principal,
)

PERSON = Person("a" * 32)
CALLERS: list[Principal] = [
    PERSON,
    Service("analysis"),
    Service("ingest"),
    Service("analysis", "a" * 32),
    Operator("o"),
    Auditor("a"),
    Anonymous(),
]
TABLE: AccessTable = {
    "/s/Person": frozenset({Caller.PERSON}),
    "/s/Service": frozenset({Caller.SERVICE}),
    "/s/Analysis": frozenset({ServiceNamed("analysis")}),
    "/s/Operator": frozenset({Caller.OPERATOR}),
    "/s/Auditor": frozenset({Caller.AUDITOR}),
    "/s/Both": frozenset({Caller.PERSON, ServiceNamed("ingest")}),
    "/s/Anyone": frozenset({Caller.ANYONE}),
    "/s/Nobody": frozenset(),
}


def admitted(method: str) -> list[Principal]:
    def may(principal: Principal) -> bool:
        try:
            check_access(TABLE, method, principal)
        except (CallerNotAllowed, TokenMissing):
            return False
        return True

    return [principal for principal in CALLERS if may(principal)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("/s/Person", [PERSON]),
        ("/s/Service", [Service("analysis"), Service("ingest"), Service("analysis", "a" * 32)]),
        ("/s/Analysis", [Service("analysis"), Service("analysis", "a" * 32)]),
        ("/s/Operator", [Operator("o")]),
        ("/s/Auditor", [Auditor("a")]),
        ("/s/Both", [PERSON, Service("ingest")]),
        ("/s/Anyone", CALLERS),
        ("/s/Nobody", []),
        ("/s/WithoutRow", []),
    ],
)
def test_a_method_admits_its_row_and_nobody_else(method: str, expected: list[Principal]) -> None:
    assert admitted(method) == expected


def test_who_shows_nothing_is_asked_for_a_token() -> None:
    with pytest.raises(TokenMissing):
        check_access(TABLE, "/s/Person", Anonymous())


def test_a_refusal_says_who_may_call() -> None:
    with pytest.raises(CallerNotAllowed, match="person, service ingest"):
        check_access(TABLE, "/s/Both", Operator("o"))


async def test_the_subject_is_the_person_or_whom_the_service_acts_for() -> None:
    enter_principal(PERSON)
    assert current_subject() == "a" * 32
    enter_principal(Service("suggestion", "b" * 32))
    assert (current_subject(), current_principal()) == ("b" * 32, Service("suggestion", "b" * 32))


@pytest.mark.parametrize("principal", [Service("analysis"), Operator("o"), Auditor("a"), Anonymous()])
async def test_who_acts_for_nobody_has_no_subject(principal: Principal) -> None:
    enter_principal(principal)
    with pytest.raises(CallerNotAllowed):
        current_subject()
