"""A person with unique markers in every field, and all that a stack writes down and sends: none of them is in it."""

import os
from pathlib import Path

from tests.e2e.harness import RunningStack
from tests.e2e.marked import MARK
from tests.e2e.test_who_may_call import METHODS, called, is_internal
from tests.fakes.otlp_collector import OtlpCollector


def test_nothing_that_is_told_a_collector_holds_a_mark(told: tuple[OtlpCollector, RunningStack]) -> None:
    kept, _ = told
    assert b"UploadMedia" in kept.spans_sent
    assert b"rpc.server" in kept.measurements_sent
    assert b"UploadMedia" in kept.lines_sent
    assert around(kept.spans_sent) == []
    assert around(kept.measurements_sent) == []
    assert around(kept.lines_sent) == []


def test_no_file_of_the_stack_holds_a_mark(told: tuple[OtlpCollector, RunningStack]) -> None:
    """Look at what the servers wrote: logs, tables, events, dead letters, objects, write-ahead logs."""
    _, stack = told
    files = [Path(place, name) for place, _, names in os.walk(stack.home.path) for name in names]
    logs = b"".join(path.read_bytes() for path in files if path.relative_to(stack.home.path).parts[0] == "logs")
    calls = {called(method) for _, method in METHODS if not is_internal(method)}
    assert {name for name in calls if f"/{name}".encode() not in logs} == set()
    found = {str(path.relative_to(stack.home.path)): around(path.read_bytes()) for path in files if path.is_file()}
    assert {path: words for path, words in found.items() if words} == {}


def around(content: bytes) -> list[bytes]:
    """Return the places of marks, with what is around the first few."""
    places: list[bytes] = []
    low, start = content.lower(), 0
    while len(places) < 3 and (start := low.find(MARK.lower().encode(), start)) >= 0:
        places.append(content[max(start - 80, 0) : start + 80])
        start += 1
    return places
