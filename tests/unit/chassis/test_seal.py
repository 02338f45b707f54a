from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis import seal
from services.chassis.seal import (
    CHUNK_SIZE,
    HEADER_SIZE,
    MAX_PARTS,
    SEALED_CHUNK_SIZE,
    SealBroken,
    StreamOpener,
    StreamSealer,
    chunk_position,
    open_bytes,
    open_object,
    seal_bytes,
    seal_object,
    seal_size,
)

KEY = bytes(range(32))
AAD = b"artefact|LOCATION"

SIZES = st.sampled_from([0, 1, 17, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE, 2 * CHUNK_SIZE + 5])


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def broken(sealed: bytes, key: bytes = KEY, aad: bytes = AAD) -> bool:
    try:
        open_object(key, sealed, aad)
    except SealBroken:
        return True
    return False


@given(st.binary(max_size=2000), st.binary(max_size=100))
def test_a_record_opens_to_what_was_sealed(plaintext: bytes, aad: bytes) -> None:
    assert open_bytes(KEY, seal_bytes(KEY, plaintext, aad), aad) == plaintext


@given(st.binary(max_size=200), st.integers(min_value=0), st.integers(0, 7))
def test_a_record_with_any_bit_flipped_does_not_open(plaintext: bytes, place: int, bit: int) -> None:
    sealed = bytearray(seal_bytes(KEY, plaintext, AAD))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        open_bytes(KEY, sealed, AAD)


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_do_not_open(noise: bytes) -> None:
    with pytest.raises(SealBroken):
        open_bytes(KEY, noise, AAD)
    assert broken(noise)


def test_a_record_does_not_open_for_another_artefact_or_key() -> None:
    sealed = seal_bytes(KEY, b"secret", AAD)
    for key, aad in [(KEY, b"other|LOCATION"), (bytes(32), AAD)]:
        with pytest.raises(SealBroken):
            open_bytes(key, sealed, aad)


def test_the_same_record_never_looks_the_same_twice() -> None:
    assert seal_bytes(KEY, b"secret", AAD) != seal_bytes(KEY, b"secret", AAD)


@given(SIZES, st.lists(st.integers(min_value=0), max_size=4), st.lists(st.integers(min_value=0), max_size=4))
def test_an_object_opens_however_it_was_cut_on_the_way(size: int, cuts: list[int], cuts_back: list[int]) -> None:
    plain, sealer, opener = content(size), StreamSealer(KEY, AAD), StreamOpener(KEY, AAD)
    sealed = b"".join([*map(sealer.update, pieces(plain, cuts)), sealer.finish()])
    opened = b"".join([*map(opener.update, pieces(sealed, cuts_back)), opener.finish()])
    assert opened == plain


@given(SIZES)
def test_the_size_of_a_sealed_object_is_known_beforehand(size: int) -> None:
    assert len(seal_object(KEY, content(size), AAD)) == seal_size(size)


@settings(deadline=None)  # a broken chunk is tried as each part
@given(SIZES, st.integers(min_value=0), st.integers(0, 7))
def test_an_object_with_any_bit_flipped_does_not_open(size: int, place: int, bit: int) -> None:
    sealed = bytearray(seal_object(KEY, content(size), AAD))
    sealed[place % len(sealed)] ^= 1 << bit
    assert broken(bytes(sealed))


@settings(deadline=None)  # a broken chunk is tried as each part
@given(SIZES, st.integers(min_value=0))
def test_an_object_cut_anywhere_does_not_open(size: int, place: int) -> None:
    sealed = seal_object(KEY, content(size), AAD)
    assert broken(sealed[: place % len(sealed)])


def chunks(sealed: bytes) -> tuple[bytes, list[bytes]]:
    body = sealed[HEADER_SIZE:]
    return sealed[:HEADER_SIZE], [body[at : at + SEALED_CHUNK_SIZE] for at in range(0, len(body), SEALED_CHUNK_SIZE)]


def test_an_object_cut_at_a_chunk_does_not_open() -> None:
    header, (first, second, _) = chunks(seal_object(KEY, content(3 * CHUNK_SIZE), AAD))
    assert broken(header + first)
    assert broken(header + first + second)


def test_an_object_with_its_chunks_in_another_order_does_not_open() -> None:
    header, (first, second, third) = chunks(seal_object(KEY, content(3 * CHUNK_SIZE), AAD))
    assert broken(header + second + first + third)
    assert broken(header + first + first + third)
    assert broken(header + first + third)


def test_an_object_with_a_chunk_of_another_object_does_not_open() -> None:
    header, (first, last) = chunks(seal_object(KEY, content(2 * CHUNK_SIZE), AAD))
    _, (other, _) = chunks(seal_object(KEY, content(2 * CHUNK_SIZE), AAD))
    assert broken(header + other + last)
    assert not broken(header + first + last)


def test_an_object_with_something_behind_it_does_not_open() -> None:
    sealed = seal_object(KEY, content(CHUNK_SIZE), AAD)
    assert broken(sealed + b"x")
    assert broken(sealed + sealed)


def test_an_object_does_not_open_for_another_artefact_or_key() -> None:
    sealed = seal_object(KEY, b"secret", AAD)
    assert broken(sealed, aad=b"other|LOCATION")
    assert broken(sealed, key=bytes(32))


def test_an_object_of_another_version_does_not_open() -> None:
    sealed = seal_object(KEY, b"secret", AAD)
    assert broken(b"\x02" + sealed[1:])


@settings(deadline=None)  # the opener tries the parts before it
@given(st.integers(1, 3), st.integers(min_value=0, max_value=2 * CHUNK_SIZE), st.integers(1, MAX_PARTS - 1))
def test_an_interrupted_seal_goes_on_where_it_stopped(stored: int, rest: int, part: int) -> None:
    plain = content(stored * CHUNK_SIZE + rest + 1)
    first = StreamSealer(KEY, AAD)
    kept = first.update(plain)[: HEADER_SIZE + stored * SEALED_CHUNK_SIZE]
    second = StreamSealer(KEY, AAD, first_chunk=stored, prefix=first.prefix, part=part)
    assert second.next_chunk == stored
    tail = second.update(plain[stored * CHUNK_SIZE :]) + second.finish()
    assert open_object(KEY, kept + tail, AAD) == plain


def test_a_chunk_of_an_earlier_part_does_not_open_behind_a_later_one() -> None:
    plain = content(3 * CHUNK_SIZE)
    first = StreamSealer(KEY, AAD)
    kept = first.update(plain) + first.finish()
    second = StreamSealer(KEY, AAD, first_chunk=1, prefix=first.prefix, part=1)
    gone_on = second.update(plain[CHUNK_SIZE:]) + second.finish()
    assert open_object(KEY, kept[: chunk_position(1)] + gone_on, AAD) == plain
    mixed = kept[: chunk_position(1)] + gone_on[:SEALED_CHUNK_SIZE] + kept[chunk_position(2) :]
    assert broken(mixed)


def test_the_same_bytes_in_another_part_have_another_seal() -> None:
    first = StreamSealer(KEY, AAD)
    first.update(content(2 * CHUNK_SIZE))
    parts = [StreamSealer(KEY, AAD, first_chunk=1, prefix=first.prefix, part=part) for part in range(1, 5)]
    assert len({each.update(content(10)) + each.finish() for each in parts}) == len(parts)


def test_an_object_has_a_limited_number_of_parts() -> None:
    with pytest.raises(ValueError, match="parts"):
        StreamSealer(KEY, AAD, first_chunk=1, prefix=bytes(7), part=MAX_PARTS)


def test_going_on_needs_the_prefix_of_the_first_part() -> None:
    with pytest.raises(ValueError, match="prefix"):
        StreamSealer(KEY, AAD, first_chunk=1)
    with pytest.raises(ValueError, match="prefix"):
        StreamSealer(KEY, AAD, prefix=bytes(7))


def test_sealed_chunks_leave_as_soon_as_they_are_full() -> None:
    sealer = StreamSealer(KEY, AAD)
    assert len(sealer.update(content(CHUNK_SIZE))) == HEADER_SIZE
    assert len(sealer.update(b"x")) == SEALED_CHUNK_SIZE


def test_an_object_has_a_last_possible_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "_MAX_CHUNKS", 1)
    with pytest.raises(ValueError, match="chunks"):
        seal_object(KEY, content(CHUNK_SIZE + 1), AAD)


@pytest.mark.parametrize("first", [1, 2])
def test_an_object_is_opened_from_within(first: int) -> None:
    plain = content(2 * CHUNK_SIZE + 5)
    sealed = seal_object(KEY, plain, AAD)
    opener = StreamOpener(KEY, AAD, first_chunk=first, header=sealed[:HEADER_SIZE])
    opened = opener.update(sealed[chunk_position(first) :]) + opener.finish()
    assert opened == plain[first * CHUNK_SIZE :]


def test_to_begin_within_takes_the_header() -> None:
    with pytest.raises(ValueError, match="header"):
        StreamOpener(KEY, AAD, first_chunk=1)


@pytest.mark.parametrize("size", [1, CHUNK_SIZE, CHUNK_SIZE + 1])
def test_what_is_held_back_is_what_no_chunk_holds_yet(size: int) -> None:
    sealer = StreamSealer(KEY, AAD)
    sealer.update(content(size))
    assert sealer.held_back == content(size)[sealer.next_chunk * CHUNK_SIZE :]
