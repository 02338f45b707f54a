"""Language that a person is answered in: as asked for, or as the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping

from services.chassis.languages import OFFERED, match_language
from services.cli.output import UsageWrong

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language_of(asked: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a language that is offered, such as "fr" for "fr-CA".

    Args:
        asked: BCP 47 code; empty leaves it to the environment, and to English where that names no offered one.
        environment: variables as POSIX has them, such as LANG=fr_CA.UTF-8.

    Raises:
        UsageWrong: LANGUAGE_UNKNOWN.
    """
    if asked:
        found = match_language(asked)
        if found is None:
            offered = ", ".join(OFFERED)
            raise UsageWrong("LANGUAGE_UNKNOWN", f"{asked!r} is not spoken here; choose from {offered}", "--language")
        return found
    code = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return match_language(code.partition(".")[0].partition("@")[0]) or OFFERED[0]
