"""Search of a person's pictures by words: the query is encoded, the findings are opened in memory and ranked."""

import asyncio

from services.analysis.domain.findings import Meaning
from services.analysis.domain.search_ranking import Match, Query, best_matches, plain_words
from services.analysis.errors import ModelFault, inference_unavailable
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.open_findings import open_findings
from services.analysis.ports import Models
from services.chassis.errors import FieldInvalid


async def search(subject: str, query: str, dependencies: Dependencies) -> list[Match]:
    """Return the person's pictures that fit words, best first.

    What is excluded as sensitive has nothing that it could be found by. The query is neither kept nor logged.

    Args:
        subject: The person's pseudonym.
        query: Words, in any language; what is shown is understood in English.
        dependencies: What is stored, what opens it, and the models that encode the query.

    Raises:
        FieldInvalid: there is no word in the query.
        PurposeNotGranted: the person does not allow any processing.
        DependencyUnavailable: the inference server or another one does not answer.
    """
    words = plain_words(query)
    if not words:
        raise FieldInvalid.of("query", "name what to look for in letters or digits, such as a dog on the beach")
    meaning, everything = await asyncio.gather(
        _meaning(query, dependencies.vision.models), open_findings(subject, dependencies)
    )
    return await asyncio.to_thread(best_matches, Query(words, meaning), everything)


async def _meaning(query: str, models: Models) -> Meaning:
    try:
        found = await models.describe([query])
    except ModelFault as error:
        raise inference_unavailable(error) from error
    return Meaning(found.vectors[0], found.encoder)
