from pathlib import Path

from deploy.local.home import StackHome
from deploy.local.state import PartState, Phase, ProcessId, StackState, read_state, write_state

PART = PartState(
    part="nats",
    ready=True,
    process=ProcessId(12, 34.5),
    restarts=1,
    address="127.0.0.1:4222",
    started_at="2026-03-01T12:00:00+00:00",
    note="",
)
STATE = StackState(
    Phase.READY,
    ProcessId(1, 2.5),
    "seaweedfs",
    parts=(PART,),
    litter=("/tmp/x*",),
    settings={"PELLICULE_QUOTA_BYTES": "5"},
)


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    write_state(StackHome(tmp_path), STATE)
    assert read_state(StackHome(tmp_path)) == STATE


def test_a_folder_without_a_stack_has_no_state(tmp_path: Path) -> None:
    assert read_state(StackHome(tmp_path)) is None


def test_the_state_is_its_owners_alone(tmp_path: Path) -> None:
    write_state(StackHome(tmp_path), STATE)
    assert StackHome(tmp_path).state.stat().st_mode & 0o077 == 0


def test_a_part_that_is_not_there_has_no_address() -> None:
    assert STATE.address("nats") == "127.0.0.1:4222"
    assert STATE.address("postgres") is None


def test_a_state_that_was_cut_short_says_nothing(tmp_path: Path) -> None:
    StackHome(tmp_path).state.write_text('{"phase": "rea', encoding="utf-8")
    assert read_state(StackHome(tmp_path)) is None
