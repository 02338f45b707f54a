"""Availability of purposes, in words of every language."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.keyring import Purpose

ENGLISH: Final = "en"


class AvailabilityReason(StrEnum):
    """Why a purpose is not offered."""

    UNSPECIFIED = "UNSPECIFIED"
    AGE_UNKNOWN = "AGE_UNKNOWN"
    AGE_TOO_LOW = "AGE_TOO_LOW"
    REGION_UNKNOWN = "REGION_UNKNOWN"
    REGION_NOT_COVERED = "REGION_NOT_COVERED"
    REGION_NOT_ENABLED = "REGION_NOT_ENABLED"
    PURPOSE_WITHHELD = "PURPOSE_WITHHELD"
    SUBDIVISION_UNKNOWN = "SUBDIVISION_UNKNOWN"
    PURPOSE_NOT_OFFERED = "PURPOSE_NOT_OFFERED"


@dataclass(frozen=True)
class Availability:
    """Whether a purpose may be asked for.

    Attributes:
        purpose: Which.
        reason: Why not; UNSPECIFIED if it may.
        reason_text: The same in words.
        remedy_text: What the person can do about it; empty if nothing.
    """

    purpose: Purpose
    reason: AvailabilityReason = AvailabilityReason.UNSPECIFIED
    reason_text: str = ""
    remedy_text: str = ""

    @property
    def available(self) -> bool:
        """Whether it may be asked for."""
        return self.reason is AvailabilityReason.UNSPECIFIED


@dataclass(frozen=True)
class Words:
    """Words of one language, with what they are filled in with."""

    language: str
    values: Mapping[str, str]

    def withheld(self, purpose: Purpose, reason: AvailabilityReason) -> Availability:
        """Return that a purpose is not offered, for a reason that has words of its own here."""
        remedy = REMEDIES.get(reason)
        return Availability(
            purpose,
            reason,
            REASONS[reason][self.language].format_map(self.values),
            "" if remedy is None else remedy[self.language].format_map(self.values),
        )

    def withheld_by_policy(self, purpose: Purpose, texts: Mapping[str, str]) -> Availability:
        """Return that the region's rule withholds a purpose, for a reason that the policy words itself."""
        return Availability(purpose, AvailabilityReason.PURPOSE_WITHHELD, texts[self.language])


REASONS: Mapping[AvailabilityReason, Mapping[str, str]] = {
    AvailabilityReason.AGE_UNKNOWN: {
        "en": "the age is not known, so the strictest rule applies.",
        "fr": "l’âge n’est pas connu : la règle la plus stricte s’applique.",
    },
    AvailabilityReason.AGE_TOO_LOW: {
        "en": "it is offered to people of {years} years and over only.",
        "fr": "c’est proposé à partir de {years} ans seulement.",
    },
    AvailabilityReason.REGION_UNKNOWN: {
        "en": "the region is not known, so the strictest rule applies.",
        "fr": "la région n’est pas connue : la règle la plus stricte s’applique.",
    },
    AvailabilityReason.REGION_NOT_COVERED: {
        "en": "no rule of this installation's policy covers {code}.",
        "fr": "aucune règle de cette installation ne couvre {code}.",
    },
    AvailabilityReason.REGION_NOT_ENABLED: {
        "en": "it is not offered in {code} yet.",
        "fr": "ce n’est pas encore proposé dans la région {code}.",
    },
    AvailabilityReason.SUBDIVISION_UNKNOWN: {
        "en": "in {code} it depends on the state or province, which is not known.",
        "fr": "dans la région {code}, cela dépend de l’État ou de la province, qui n’est pas connu.",
    },
}
"""What a person is told; a test holds that every language is there."""

REMEDIES: Mapping[AvailabilityReason, Mapping[str, str]] = {
    AvailabilityReason.AGE_UNKNOWN: {
        "en": "State whether the person is {years} years old or over, and how that is known.",
        "fr": "Indiquez si la personne a {years} ans ou plus, et comment on le sait.",
    },
    AvailabilityReason.REGION_UNKNOWN: {
        "en": "State the region as an ISO 3166 code in upper case, in the United States with the state, "
        "such as CA or US-NY, and how it is known.",
        "fr": "Indiquez la région par un code ISO 3166 en majuscules, aux États-Unis avec l’État, "
        "par exemple CA ou US-NY, et comment on la connaît.",
    },
    AvailabilityReason.SUBDIVISION_UNKNOWN: {
        "en": "State it as well, as an ISO 3166-2 code that begins with {code}-.",
        "fr": "Indiquez-le aussi, par un code ISO 3166-2 qui commence par {code}-.",
    },
}
"""What a person can do about it, where something can be done."""
