"""Purposes are the same everywhere: each package declares them itself, and none may differ."""

import pytest

from tests.contract.products import enum_names, service_names

_DECLARED = {service: enum_names(service, "Purpose") for service in service_names()}
_DECLARING = sorted(service for service, names in _DECLARED.items() if names)


def test_consent_and_retention_declare_the_purposes() -> None:
    assert {"consent", "retention"} <= set(_DECLARING)


@pytest.mark.parametrize("service", _DECLARING)
def test_names_and_numbers_are_those_of_consent(service: str) -> None:
    assert _DECLARED["consent"] == _DECLARED[service]


@pytest.mark.parametrize("word", ["AD", "ADS", "ADVERTISING", "REVIEW", "SALE"])
def test_what_must_never_be_granted_cannot_be_expressed(word: str) -> None:
    assert [name for name in _DECLARED["consent"] if word in name.split("_")] == []
