"""Purposes as they are typed."""

import pytest

from services.cli.consent import purposes
from services.cli.output import CommandFailed


def test_purposes_come_once_and_in_their_order() -> None:
    assert purposes.parse("location, cloud_processing,LOCATION", field="--grant") == ("CLOUD_PROCESSING", "LOCATION")


@pytest.mark.parametrize("text", ["ADVERTISING", "LOCATION,ADS", ",", " "])
def test_an_unknown_purpose_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        purposes.parse(text, field="--grant")
    assert caught.value.field == "--grant"
