"""Regions as they are typed."""

import pytest

from services.cli.consent import regions
from services.cli.output import UsageWrong


@pytest.mark.parametrize(
    ("typed", "region"),
    [("US-CA", "US-CA"), ("us-ca", "US-CA"), (" fr ", "FR"), ("CA", "CA"), ("CA-QC", "CA-QC"), ("US", "US"), ("", "")],
)
def test_a_country_or_a_subdivision_is_taken(typed: str, region: str) -> None:
    assert regions.parse(typed) == region


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("USA", "write US-CA"),
        ("UK", "write GB"),
        ("XX", "no country"),
        ("TX", "write US-TX"),
        ("US-XX", "US has no subdivision 'XX'; write one such as US-CA"),
        ("US-", "US has no subdivision ''"),
        ("CA-CA", "CA has no subdivision 'CA'; write one such as CA-QC"),
        ("FR-75", "write FR"),
        ("-", "no country"),
        ("California", "no country"),
        ("ＵＳ", "no country"),
    ],
)
def test_what_is_wrong_is_said(typed: str, remedy: str) -> None:
    with pytest.raises(UsageWrong, match=remedy) as caught:
        regions.parse(typed)

    assert (caught.value.reason, caught.value.field) == ("REGION_UNKNOWN", "--region")


def test_every_country_has_two_letters() -> None:
    assert len(regions.COUNTRIES) == 249
    assert all(len(code) == 2 and code.isupper() for code in regions.COUNTRIES)
    assert {country: len(names) for country, names in regions.SUBDIVISIONS.items()} == {"US": 57, "CA": 13}
