from pathlib import Path

import pytest

from services.consent.domain import Age, AgeBand, Basis, Jurisdiction, Purpose
from services.consent.policy import Policy, PolicyInvalid, parse_policy, read_policy
from tests.unit.consent.service import FOLDER, OF_AGE

_SMALL = """
version: "1"
minimum_age: 18
when_unknown: {offers: []}
regions:
  - {codes: [CA], enabled: true}
"""
_EUROPE = ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"]
_EUROPE += ["MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB"]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(FOLDER / "policy.yaml")


def _at(code: str, basis: Basis = Basis.SELF_DECLARED) -> Jurisdiction:
    return Jurisdiction(code, basis)


def _offered(policy: Policy, jurisdiction: Jurisdiction, age: Age = OF_AGE) -> set[Purpose]:
    return {row.purpose for row in policy.availability(jurisdiction, age) if row.available}


@pytest.mark.parametrize("code", ["US-CA", "US-NY", "US-DC", "CA", "CA-QC"])
def test_the_united_states_and_canada_are_offered_everything(policy: Policy, code: str) -> None:
    assert _offered(policy, _at(code)) == set(Purpose)


@pytest.mark.parametrize("code", ["US-IL", "US-TX"])
def test_illinois_and_texas_are_not_offered_face_grouping(policy: Policy, code: str) -> None:
    assert set(Purpose) - _offered(policy, _at(code)) == {Purpose.FACE_GROUPING}


def test_without_the_state_face_grouping_is_withheld_and_the_remedy_is_to_state_it(policy: Policy) -> None:
    answer = policy.available(Purpose.FACE_GROUPING, _at("US"), OF_AGE)

    assert not answer.available
    assert "US-" in answer.remedy
    assert set(Purpose) - _offered(policy, _at("US")) == {Purpose.FACE_GROUPING}


@pytest.mark.parametrize("code", _EUROPE)
def test_europe_is_listed_but_off(policy: Policy, code: str) -> None:
    answer = policy.available(Purpose.CLOUD_PROCESSING, _at(code), OF_AGE)

    assert (answer.available, answer.reason) == (False, f"it is not offered in {code} yet.")


@pytest.mark.parametrize("code", ["BR", "US-ILL", "US-ZZ", "ZZ"])
def test_a_region_that_no_row_covers_gets_the_strictest_row(policy: Policy, code: str) -> None:
    assert _offered(policy, _at(code)) == set()


@pytest.mark.parametrize("jurisdiction", [Jurisdiction(), _at("US-CA", Basis.UNSPECIFIED), _at("")])
def test_an_unknown_region_gets_the_strictest_row_and_the_remedy(policy: Policy, jurisdiction: Jurisdiction) -> None:
    rows = policy.availability(jurisdiction, OF_AGE)

    assert not any(row.available for row in rows)
    assert all("ISO 3166" in row.remedy for row in rows)


@pytest.mark.parametrize("age", [Age(), Age(AgeBand.ADULT), Age(AgeBand.UNSPECIFIED, Basis.VERIFIED)])
def test_an_unknown_age_gets_the_strictest_row_and_the_remedy(policy: Policy, age: Age) -> None:
    rows = policy.availability(_at("US-CA"), age)

    assert not any(row.available for row in rows)
    assert all("18" in row.remedy for row in rows)


@pytest.mark.parametrize("basis", list(Basis))
def test_a_minor_is_offered_nothing_however_that_is_known(policy: Policy, basis: Basis) -> None:
    assert _offered(policy, _at("US-CA"), Age(AgeBand.MINOR, basis)) == set()


def test_an_operator_can_enable_a_region() -> None:
    policy = parse_policy(_SMALL.replace("CA", "FR").encode(), source="policy.yaml")

    assert _offered(policy, _at("FR")) == set(Purpose)


def test_every_change_of_the_file_makes_another_digest() -> None:
    one, two = (parse_policy(text.encode(), source="x") for text in [_SMALL, _SMALL + "# more\n"])

    assert one.sha256 != two.sha256


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("regions: [", "policy.yaml: is no YAML"),
        (_SMALL.replace("minimum_age: 18", "minimum_age: 3"), "minimum_age: "),
        (_SMALL.replace("offers: []", "offers: [ADVERTISING]"), "when_unknown.offers[0]: "),
        (_SMALL.replace("CA", "canada"), "regions[0].codes[0]: "),
        (_SMALL.replace("enabled: true", "enabled: true, grants: [LOCATION]"), "regions[0].grants: "),
        (_SMALL + "  - {codes: [CA], enabled: false}\n", "CA is listed twice"),
        ("", "the document: "),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_the_place(broken: str, said: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        parse_policy(broken.encode(), source="policy.yaml")

    assert str(refused.value).startswith("policy.yaml: ")
    assert said in str(refused.value)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"nowhere\.yaml: cannot be read"):
        read_policy(tmp_path / "nowhere.yaml")
