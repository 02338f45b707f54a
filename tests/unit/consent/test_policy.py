import pytest

from services.chassis.languages import OFFERED
from services.consent.domain.availability import REASONS, REMEDIES, AvailabilityReason
from services.consent.domain.consent import Age, AgeBand, Basis, Jurisdiction
from services.consent.domain.policy import Policy
from services.consent.notices.policy_file import read_policy
from services.keyring import Purpose
from tests.unit.consent.harness import FOLDER, OF_AGE

_EUROPE = ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"]
_EUROPE += ["MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB"]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(FOLDER / "notices" / "policy.yaml")


def _at(code: str, basis: Basis = Basis.SELF_DECLARED) -> Jurisdiction:
    return Jurisdiction(code, basis)


def _offered(policy: Policy, jurisdiction: Jurisdiction, age: Age = OF_AGE) -> set[Purpose]:
    return {row.purpose for row in policy.availability(jurisdiction, age) if row.available}


@pytest.mark.parametrize("code", ["US-CA", "US-NY", "US-DC", "CA", "CA-QC"])
def test_the_united_states_and_canada_are_offered_everything_there_is(policy: Policy, code: str) -> None:
    assert _offered(policy, _at(code)) == policy.offered


@pytest.mark.parametrize("purpose", [Purpose.GENERATIVE_EDITING, Purpose.MODEL_IMPROVEMENT])
@pytest.mark.parametrize("language", OFFERED)
def test_a_purpose_with_nothing_behind_it_is_offered_nowhere(policy: Policy, purpose: Purpose, language: str) -> None:
    result = policy.available(purpose, _at("US-CA"), OF_AGE, language)

    assert result.reason is AvailabilityReason.PURPOSE_NOT_OFFERED
    assert ("release" if language == "en" else "version") in result.reason_text


@pytest.mark.parametrize("code", ["US-IL", "US-TX"])
def test_illinois_and_texas_are_not_offered_face_grouping(policy: Policy, code: str) -> None:
    assert policy.offered - _offered(policy, _at(code)) == {Purpose.FACE_GROUPING}


def test_without_the_state_face_grouping_is_withheld_and_the_remedy_is_to_state_it(policy: Policy) -> None:
    result = policy.available(Purpose.FACE_GROUPING, _at("US"), OF_AGE)

    assert not result.available
    assert "US-" in result.remedy_text
    assert policy.offered - _offered(policy, _at("US")) == {Purpose.FACE_GROUPING}


@pytest.mark.parametrize("code", _EUROPE)
def test_europe_is_listed_but_off(policy: Policy, code: str) -> None:
    result = policy.available(Purpose.CLOUD_PROCESSING, _at(code), OF_AGE)

    assert (result.available, result.reason_text) == (False, f"it is not offered in {code} yet.")


@pytest.mark.parametrize("code", ["BR", "US-ILL", "US-ZZ", "ZZ"])
def test_a_region_that_no_row_covers_gets_the_strictest_row(policy: Policy, code: str) -> None:
    assert _offered(policy, _at(code)) == set()


@pytest.mark.parametrize("jurisdiction", [Jurisdiction(), _at("US-CA", Basis.UNSPECIFIED), _at("")])
def test_an_unknown_region_gets_the_strictest_row_and_the_remedy(policy: Policy, jurisdiction: Jurisdiction) -> None:
    rows = policy.availability(jurisdiction, OF_AGE)

    assert not any(row.available for row in rows)
    assert all("ISO 3166" in row.remedy_text for row in rows if row.purpose in policy.offered)


@pytest.mark.parametrize("age", [Age(), Age(AgeBand.ADULT), Age(AgeBand.UNSPECIFIED, Basis.VERIFIED)])
def test_an_unknown_age_gets_the_strictest_row_and_the_remedy(policy: Policy, age: Age) -> None:
    rows = policy.availability(_at("US-CA"), age)

    assert not any(row.available for row in rows)
    assert all("18" in row.remedy_text for row in rows if row.purpose in policy.offered)


@pytest.mark.parametrize("basis", list(Basis))
def test_a_minor_is_offered_nothing_however_that_is_known(policy: Policy, basis: Basis) -> None:
    assert _offered(policy, _at("US-CA"), Age(AgeBand.MINOR, basis)) == set()


def test_every_reason_has_a_name_and_words_in_every_language(policy: Policy) -> None:
    cases = {
        AvailabilityReason.AGE_UNKNOWN: (_at("US-CA"), Age()),
        AvailabilityReason.AGE_TOO_LOW: (_at("US-CA"), Age(AgeBand.MINOR, Basis.VERIFIED)),
        AvailabilityReason.REGION_UNKNOWN: (Jurisdiction(), OF_AGE),
        AvailabilityReason.REGION_NOT_COVERED: (_at("BR"), OF_AGE),
        AvailabilityReason.REGION_NOT_ENABLED: (_at("FR"), OF_AGE),
        AvailabilityReason.PURPOSE_WITHHELD: (_at("US-IL"), OF_AGE),
        AvailabilityReason.SUBDIVISION_UNKNOWN: (_at("US"), OF_AGE),
    }
    elsewhere = {AvailabilityReason.UNSPECIFIED, AvailabilityReason.PURPOSE_NOT_OFFERED}
    assert set(cases) == set(AvailabilityReason) - elsewhere
    for reason, (jurisdiction, age) in cases.items():
        english, french = (policy.available(Purpose.FACE_GROUPING, jurisdiction, age, language) for language in OFFERED)
        assert english.reason is french.reason is reason
        assert english.reason_text != french.reason_text
        assert bool(english.remedy_text) is bool(french.remedy_text)


def test_the_words_stand_in_every_language() -> None:
    assert all(set(texts) == set(OFFERED) for texts in (*REASONS.values(), *REMEDIES.values()))
