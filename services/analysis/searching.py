"""Finding a person's pictures by words: the query is understood, the findings are opened in memory and compared."""

import asyncio

from services.analysis.errors import ModelFault, ModelUnavailable
from services.analysis.findings import Meaning
from services.analysis.matching import Match, Query, best_matches, plain_words
from services.analysis.operations import open_analyses
from services.analysis.ports import Library, Models
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.keyring import Keyring

SERVER = "inference-server"


async def search(subject: str, query: str, *, library: Library, keyring: Keyring, models: Models) -> list[Match]:
    """Returns the person's pictures that fit words, best first.

    What is excluded as sensitive has nothing that it could be found by. The query is neither kept nor logged.

    Args:
        subject: The person's pseudonym.
        query: Words, in any language; what is shown is understood in English.
        library: What is stored.
        keyring: Opens it.
        models: Understand the query.

    Raises:
        FieldInvalid: there is no word in the query.
        PurposeNotGranted: the person does not allow any processing.
        DependencyUnavailable: the inference server or another one does not answer.
    """
    words = plain_words(query)
    if not words:
        raise FieldInvalid.of("query", "name what to look for in letters or digits, such as a dog on the beach")
    meaning, everything = await asyncio.gather(
        _meaning(query, models), open_analyses(subject, library=library, keyring=keyring)
    )
    return await asyncio.to_thread(best_matches, Query(words, meaning), everything)


async def _meaning(query: str, models: Models) -> Meaning:
    try:
        found = await models.describe([query])
    except ModelUnavailable as error:
        raise DependencyUnavailable(
            f"{SERVER} does not answer: call again",
            metadata={"dependency": SERVER},
            retry_after=error.retry_after,
        ) from error
    except ModelFault as error:
        # Somebody must look after it; for the caller it is as good as down.
        raise DependencyUnavailable.of(SERVER) from error
    return Meaning(found.vectors[0], found.encoder)
