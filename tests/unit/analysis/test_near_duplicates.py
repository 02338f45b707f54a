import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest

from services.analysis.domain.findings import Embedding, Kind
from services.analysis.domain.near_duplicates import Shot, duplicate_groups

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ALIKE = 0xF0F0_F0F0_F0F0_F0F0
RECEIPT = ("Corner Bakery", "12 Mill Lane", "Rye bread 4.20", "TOTAL 4.20", "14/11/2026")


def direction(cosine: float) -> Embedding:
    """Return a vector at this cosine to `direction(1)`."""
    return np.asarray([cosine, np.sqrt(1 - cosine**2), 0], np.float32)


def shot(
    number: int,
    seconds: float | None = 0.0,
    *,
    bits: int = 0,
    cosine: float = 1.0,
    kind: Kind = Kind.PHOTO,
    lines: tuple[str, ...] = (),
) -> Shot:
    time = None if seconds is None else NOON + timedelta(seconds=seconds)
    return Shot(UUID(int=number), time, ALIKE ^ ((1 << bits) - 1), direction(cosine), kind, lines=lines)


def groups(*shots: Shot) -> list[set[int]]:
    found: dict[UUID, set[int]] = {}
    for media, leader in duplicate_groups(shots).items():
        found.setdefault(leader, set()).add(media.int)
    return sorted(found.values(), key=min)


def test_a_burst_is_a_group_named_after_its_first_shot() -> None:
    assert duplicate_groups([shot(2, 2, bits=3), shot(7, 0), shot(5, 1, bits=6)]) == {
        UUID(int=number): UUID(int=7) for number in (2, 5, 7)
    }


def test_a_single_shot_is_in_no_group() -> None:
    assert duplicate_groups([shot(1), shot(2, 3600, bits=5)]) == {}


def test_no_shots_make_no_groups() -> None:
    assert duplicate_groups([]) == {}


@pytest.mark.parametrize(
    ("seconds", "bits", "cosine", "same"),
    [
        (200, 10, 0.5, True),
        (200, 11, 0.5, False),
        (200, 22, 0.87, True),
        (200, 22, 0.8, False),
        (30, 27, 0.85, True),
        (90, 27, 0.85, False),
        (30, 29, 0.99, False),
        (400, 10, 0.9, False),
        (400, 3, 0.99, True),
        (10, 5, 0.1, False),
    ],
)
def test_looks_and_time_decide_together(seconds: float, bits: int, cosine: float, same: bool) -> None:
    assert bool(groups(shot(1), shot(2, seconds, bits=bits, cosine=cosine))) == same


def test_a_copy_is_found_without_any_time() -> None:
    assert groups(shot(1, None), shot(2, 0, bits=1)) == [{1, 2}]


def test_likeness_without_a_time_is_not_enough() -> None:
    assert groups(shot(1, None), shot(2, None, bits=9)) == []


@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.RECEIPT, Kind.SCREENSHOT])
def test_papers_and_screens_must_match_more_closely(kind: Kind) -> None:
    first = shot(1, kind=kind, lines=RECEIPT)
    assert groups(first, shot(2, 5, bits=8, cosine=0.95, kind=kind, lines=RECEIPT)) == []
    assert groups(first, shot(2, 5, bits=2, cosine=0.995, kind=kind, lines=RECEIPT)) == [{1, 2}]


@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.RECEIPT, Kind.SCREENSHOT])
@pytest.mark.parametrize("seconds", [0.0, 5.0, 7 * 86_400.0, None], ids=str)
@pytest.mark.parametrize(
    "lines",
    [
        ("Corner Bakery", "12 Mill Lane", "Rye bread 4.20", "TOTAL 9.20", "14/11/2026"),
        ("Corner Bakery", "12 Mill Lane", "Rye bread 4.20", "TOTAL 4.20", "15/11/2026"),
        ("Corner Bakery", "12 Mill Lane", "Oat bread 4.20", "TOTAL 4.20", "14/11/2026"),
        ("Corner Bakery", "12 Mill Lane", "TOTAL 4.20", "14/11/2026"),
        (),
    ],
    ids=["another sum", "another day", "other goods", "fewer goods", "nothing read"],
)
def test_papers_that_say_something_else_are_never_near_duplicates(
    kind: Kind, seconds: float | None, lines: tuple[str, ...]
) -> None:
    assert groups(shot(1, kind=kind, lines=RECEIPT), shot(2, seconds, kind=kind, lines=lines)) == []


def test_a_week_of_one_shops_receipts_is_no_group() -> None:
    receipts = [
        shot(day, 86_400.0 * day, kind=Kind.RECEIPT, lines=(*RECEIPT[:-1], f"{14 + day}/11/2026")) for day in range(7)
    ]
    again = shot(99, 86_460.0, kind=Kind.RECEIPT, lines=(*RECEIPT[:-1], "15/11/2026"))
    assert groups(*receipts, again) == [{1, 99}]


@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.RECEIPT])
def test_papers_that_could_not_be_read_are_no_near_duplicates(kind: Kind) -> None:
    assert groups(shot(1, kind=kind), shot(2, 5, kind=kind)) == []


def test_screens_without_any_text_go_by_their_looks() -> None:
    assert groups(shot(1, kind=Kind.SCREENSHOT), shot(2, 5, kind=Kind.SCREENSHOT)) == [{1, 2}]


def test_a_paper_that_is_taken_for_a_photo_is_none_of_the_papers() -> None:
    assert groups(shot(1, kind=Kind.RECEIPT, lines=RECEIPT), shot(2, 5)) == []


def test_what_is_written_in_photos_keeps_none_apart() -> None:
    assert groups(shot(1, lines=("EXIT 7",)), shot(2, 2, bits=3, lines=("EXIT 1",))) == [{1, 2}]


def test_a_pan_does_not_chain_on_for_ever() -> None:
    turn = [shot(number, 20.0 * number, cosine=float(np.cos(0.45 * number)), bits=8) for number in range(7)]
    assert len(groups(*turn)) > 1


def test_the_order_of_arrival_changes_nothing() -> None:
    shots = [shot(number, 7.0 * number, bits=number % 9, cosine=1 - number % 5 / 20) for number in range(40)]
    expected = duplicate_groups(shots)
    for seed in range(5):
        shuffled = shots.copy()
        Random(seed).shuffle(shuffled)
        assert duplicate_groups(shuffled) == expected


def test_thousands_of_shots_are_grouped_in_no_time() -> None:
    random = np.random.default_rng(1)
    shots = [
        Shot(
            UUID(int=number),
            NOON + timedelta(minutes=number / 3),
            int(random.integers(1 << 62)),
            random.standard_normal(1280).astype(np.float32),
        )
        for number in range(3000)
    ]
    started = time.thread_time()  # what others do on this machine does not count
    duplicate_groups(shots)
    assert time.thread_time() - started < 5


def test_what_other_encoders_described_is_not_compared() -> None:
    one = replace(shot(1), encoder="scene_classifier-1")
    other = replace(shot(2), embedding=np.ones(4, np.float32), encoder="scene_classifier-custom-0123")
    assert groups(one, other) == []
