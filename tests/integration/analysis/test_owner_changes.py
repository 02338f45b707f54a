"""What owners change, and originals that take the place of reduced copies."""

import pytest

from pellicule.analysis.v1 import analysis_pb2
from tests.integration.analysis.harness import Harness
from tests.integration.analysis.test_consent import PORTRAIT
from tests.integration.analysis.test_whole_way import about, finished
from tests.integration.eventually import eventually
from tests.unit.analysis.photos import encode, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_an_owner_changes_is_in_the_findings_without_another_analysis(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, PORTRAIT, metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    before = await reader.get(stored.media)
    assert (before.findings.favorite, before.findings.hidden) == (True, False)
    await harness.update(stored, favorite=False, hidden=True)
    found = await eventually(lambda: reader.get(stored.media), lambda seen: seen.findings.hidden)
    assert (found.findings.favorite, found.analyze_time) == (False, before.analyze_time)
    await harness.update(stored, revision=1, favorite=True)
    await harness.update(stored, revision=3, hidden=False)
    found = await eventually(lambda: reader.get(stored.media), lambda seen: not seen.findings.hidden)
    assert (found.findings.favorite, list(found.findings.tags)) == (False, list(before.findings.tags))


async def test_an_original_takes_the_place_of_a_reduced_copy(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("chelsea")), metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    before = await reader.get(stored.media)
    assert len(before.findings.faces) == 0
    await harness.store(person, PORTRAIT, metadata=about(), replaces=stored)
    found = await eventually(lambda: reader.get(stored.media), lambda seen: len(seen.findings.faces) == 1)
    assert (found.state, len(await reader.everything())) == (analysis_pb2.ANALYSIS_STATE_DONE, 1)
    await harness.announce(stored)
    other = await harness.store(person, encode(photo("coffee")), metadata=about(9))
    await finished(reader, 2)
    assert {each.media for each in await reader.everything()} == {stored.media, other.media}
    assert len((await reader.get(stored.media)).findings.faces) == 1
