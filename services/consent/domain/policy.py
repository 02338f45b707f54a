"""Policy: what is offered where and to whom.

An unknown region or age gets the strictest rule. Policy can only withhold a purpose from being asked for;
nothing in it can grant one, and nothing in it can prevent a refusal or a withdrawal.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.consent.domain.availability import ENGLISH, Availability, AvailabilityReason, Words
from services.consent.domain.consent import Age, AgeBand, Basis, Jurisdiction
from services.keyring import PURPOSES, Purpose

REGION_PATTERN = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
"""ISO 3166-1 alpha-2 or ISO 3166-2, in upper case."""


@dataclass(frozen=True)
class RegionRule:
    """A rule for regions.

    Attributes:
        codes: The countries and subdivisions that it is written for.
        enabled: Whether anything is offered there.
        withheld: Purposes that are not offered there, with the reason that a person is told, by language.
        needs_subdivision: Purposes that depend on the subdivision, so that the country alone is not enough.
        subdivisions: Those that a country's rule covers; None for all.
    """

    codes: tuple[str, ...]
    enabled: bool
    withheld: Mapping[Purpose, Mapping[str, str]]
    needs_subdivision: frozenset[Purpose]
    subdivisions: frozenset[str] | None

    def covers(self, subdivision: str) -> bool:
        """Tell whether a country's rule holds in a subdivision of it."""
        return self.subdivisions is None or subdivision in self.subdivisions


@dataclass(frozen=True)
class Policy:
    """A policy that was read and found good.

    Attributes:
        version: As its author named it.
        content: The bytes of its file; their SHA-256 is part of every consent event.
        minimum_age: In years; under it nothing is offered anywhere.
        not_offered: Purposes with nothing behind them, with the reason that a person is told, by language.
        offered_when_unknown: What is offered where the region or the age is not known.
        regions: No code is in two of them.
    """

    version: str
    content: bytes
    minimum_age: int
    not_offered: Mapping[Purpose, Mapping[str, str]]
    offered_when_unknown: frozenset[Purpose]
    regions: tuple[RegionRule, ...]

    @cached_property
    def sha256(self) -> str:
        """Digest of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def offered(self) -> frozenset[Purpose]:
        """The purposes that are offered anywhere: those that a notice must speak of."""
        return frozenset(PURPOSES) - self.not_offered.keys()

    def availability(self, jurisdiction: Jurisdiction, age: Age, language: str = ENGLISH) -> tuple[Availability, ...]:
        """Return a row for each purpose, in the order of the enum."""
        return tuple(self.available(purpose, jurisdiction, age, language) for purpose in PURPOSES)

    def available(
        self, purpose: Purpose, jurisdiction: Jurisdiction, age: Age, language: str = ENGLISH
    ) -> Availability:
        """Say whether a purpose may be asked for; age first, then region, the strictest answer wins."""
        if purpose in self.not_offered:
            return Availability(purpose, AvailabilityReason.PURPOSE_NOT_OFFERED, self.not_offered[purpose][language])
        words = Words(language, {"years": str(self.minimum_age), "code": jurisdiction.region_code})
        found = self._by_age(purpose, age, words)
        return self._by_region(purpose, jurisdiction, words) if found.available else found

    def _by_age(self, purpose: Purpose, age: Age, words: Words) -> Availability:
        if age.band is AgeBand.MINOR:
            return words.withheld(purpose, AvailabilityReason.AGE_TOO_LOW)
        if age.band is AgeBand.UNSPECIFIED or age.basis is Basis.UNSPECIFIED:
            return self._unknown(purpose, AvailabilityReason.AGE_UNKNOWN, words)
        return Availability(purpose)

    def _by_region(self, purpose: Purpose, jurisdiction: Jurisdiction, words: Words) -> Availability:
        code = jurisdiction.region_code
        if not code or jurisdiction.basis is Basis.UNSPECIFIED:
            return self._unknown(purpose, AvailabilityReason.REGION_UNKNOWN, words)
        rule = self._rule(code)
        if rule is None:
            return self._unknown(purpose, AvailabilityReason.REGION_NOT_COVERED, words)
        return _by_rule(purpose, code, rule, words)

    @cached_property
    def _rules(self) -> Mapping[str, RegionRule]:
        return {code: rule for rule in self.regions for code in rule.codes}

    def _rule(self, code: str) -> RegionRule | None:
        if code in self._rules:
            return self._rules[code]
        country, _, subdivision = code.partition("-")
        rule = self._rules.get(country)
        return rule if rule is not None and rule.covers(subdivision) else None

    def _unknown(self, purpose: Purpose, reason: AvailabilityReason, words: Words) -> Availability:
        if purpose in self.offered_when_unknown:
            return Availability(purpose)
        return words.withheld(purpose, reason)


def _by_rule(purpose: Purpose, code: str, rule: RegionRule, words: Words) -> Availability:
    if not rule.enabled:
        return words.withheld(purpose, AvailabilityReason.REGION_NOT_ENABLED)
    if purpose in rule.withheld:
        return words.withheld_by_policy(purpose, rule.withheld[purpose])
    if purpose in rule.needs_subdivision and code in rule.codes and "-" not in code:
        return words.withheld(purpose, AvailabilityReason.SUBDIVISION_UNKNOWN)
    return Availability(purpose)
