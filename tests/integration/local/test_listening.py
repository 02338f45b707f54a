import pytest

from deploy.local.listening import bound_address, certificate_names, outside_addresses

ALL = "0.0.0.0"  # noqa: S104  # nothing answers there
NOT_OURS = "203.0.113.77"  # a documentation address: no machine has it


def test_an_address_is_bound_as_it_is() -> None:
    assert [bound_address(address) for address in ("127.0.0.1", ALL)] == ["127.0.0.1", ALL]


def test_a_name_stands_for_its_address() -> None:
    assert bound_address("localhost") in ("127.0.0.1", "::1")


def test_an_address_of_another_machine_is_refused_with_those_of_this_one() -> None:
    with pytest.raises(ValueError, match=rf"{NOT_OURS} is no address of this machine; listen on 127\.0\.0\.1"):
        bound_address(NOT_OURS)


def test_loopback_needs_no_further_names() -> None:
    assert certificate_names("127.0.0.1", ["photos.example.com"]) == ("photos.example.com",)


def test_all_addresses_are_named_when_all_are_listened_on() -> None:
    assert set(certificate_names(ALL, [])) >= set(outside_addresses())


def test_one_address_is_named_when_one_is_listened_on() -> None:
    for address in outside_addresses():
        assert certificate_names(address, []) == (address,)
