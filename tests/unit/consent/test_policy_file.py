from pathlib import Path

import pytest

from services.consent.domain.consent import Age, Basis, Jurisdiction
from services.consent.domain.policy import Policy
from services.consent.errors import PolicyInvalid
from services.consent.notices.policy_file import parse_policy, read_policy
from services.keyring import Purpose
from tests.unit.consent.harness import FOLDER, OF_AGE

_SMALL = """
version: "1"
minimum_age: 18
when_unknown: {offers: []}
regions:
  - {codes: [CA], enabled: true}
"""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(FOLDER / "notices" / "policy.yaml")


def _at(code: str, basis: Basis = Basis.SELF_DECLARED) -> Jurisdiction:
    return Jurisdiction(code, basis)


def _offered(policy: Policy, jurisdiction: Jurisdiction, age: Age = OF_AGE) -> set[Purpose]:
    return {row.purpose for row in policy.availability(jurisdiction, age) if row.available}


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
        (_SMALL.replace("enabled: true", "enabled: true, withheld: {LOCATION: {en: never}}"), "withheld.LOCATION: "),
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
