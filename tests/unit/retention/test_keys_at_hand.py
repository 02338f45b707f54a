import pytest

from services.retention.domain.keys import Derivation
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.errors import KeysAway, KeysUnavailable
from services.retention.operations.keys_at_hand import at_hand, with_keys
from tests.fakes.retention_keys import FarKeys

WANTED = Derivation("2026-03-01", b"ada")


@pytest.fixture
def far() -> FarKeys:
    return FarKeys()


async def test_what_is_away_is_fetched_and_the_work_done_again(far: FarKeys) -> None:
    begun = list[int]()

    async def work() -> str:
        begun.append(len(begun))
        far.ask(WANTED)
        far.ask(Derivation("2026-03-02", b"ada"))
        return "done"

    assert await with_keys(far.keys, work) == "done"
    assert (begun, len(far.fetched)) == ([0, 1, 2], 2)


async def test_an_answer_is_had_as_well(far: FarKeys) -> None:
    assert await at_hand(far.keys, lambda: far.ask(WANTED)) == WANTED


async def test_what_cannot_be_fetched_is_an_outage(far: FarKeys) -> None:
    far.is_away = True
    with pytest.raises(KeysUnavailable):
        await at_hand(far.keys, lambda: far.ask(WANTED))


async def test_what_is_away_again_and_again_is_an_outage(far: FarKeys) -> None:
    far.forgets = True
    with pytest.raises(KeysUnavailable):
        await at_hand(far.keys, lambda: far.ask(WANTED))


async def test_another_failure_is_not_tried_again(far: FarKeys) -> None:
    with pytest.raises(ZeroDivisionError):
        await at_hand(far.keys, lambda: 1 // 0)
    assert far.fetched == []


def test_who_names_what_is_away_says_how_much() -> None:
    assert (str(KeysAway([WANTED, WANTED])), KeysAway([WANTED]).wanted) == ("2 to fetch", frozenset({WANTED}))


def test_files_are_always_at_hand(tmp_path_factory: pytest.TempPathFactory) -> None:
    EpochFiles(tmp_path_factory.mktemp("epochs"), b"r" * 32).require([WANTED])
