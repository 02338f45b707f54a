"""Refusals of consent: a class for each `ErrorReason`, and for each file that cannot be used; each names the remedy."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from services.chassis.errors import DependencyUnavailable, DomainError, Status
from services.consent.domain.consent import Age, Jurisdiction
from services.keyring import Purpose


class NoticeUnknown(DomainError):
    """No published notice has this digest."""

    status = Status.NOT_FOUND
    reason = "NOTICE_UNKNOWN"

    @classmethod
    def of(cls, digest: str) -> Self:
        """Return the error for a digest."""
        name = f"notices/{digest}"
        return cls(
            f"no notice {name} was published: read the current one as notices/current",
            metadata={"notice": name},
        )


class NoticeSuperseded(DomainError):
    """The notice is not the one in force, so nothing new is granted under it."""

    status = Status.FAILED_PRECONDITION
    reason = "NOTICE_SUPERSEDED"

    @classmethod
    def by(cls, current: str) -> Self:
        """Return the error with the digest of the notice in force."""
        name = f"notices/{current}"
        return cls(
            f"the notice is no longer in force: show {name} and ask again",
            metadata={"current": name},
        )


class NoticeNotServed(DomainError):
    """The decision names no record of the notice having been shown to this person."""

    status = Status.FAILED_PRECONDITION
    reason = "NOTICE_NOT_SERVED"

    @classmethod
    def of(cls, digest: str) -> Self:
        """Return the error for the notice that the decision names."""
        name = f"notices/{digest}"
        return cls(
            f"notice_serving: names no record of {name} having been shown to the caller: "
            "show it, call RecordNoticeServed and send the name that it returns",
            metadata={"notice": name},
        )


class PurposeNotAvailable(DomainError):
    """Policy does not offer the purpose in the person's region or at their age."""

    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NOT_AVAILABLE"

    @classmethod
    def of(cls, purpose: Purpose, reason: str, remedy: str, jurisdiction: Jurisdiction, age: Age) -> Self:
        """Return the error with what policy said, in English."""
        return cls(
            f"{purpose} is not offered: {reason}" + (f" {remedy}" if remedy else ""),
            metadata={"purpose": purpose, "region": jurisdiction.region_code, "age_band": age.band},
        )


class PurposeNeedsAnother(DomainError):
    """The purpose builds on one that is not granted."""

    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NEEDS_ANOTHER"

    @classmethod
    def of(cls, purpose: Purpose, needs: Purpose) -> Self:
        """Return the error with what is missing."""
        return cls(
            f"{purpose} builds on {needs}, which is not granted: grant {needs} as well",
            metadata={"purpose": purpose, "needs": needs},
        )


class RequestIdReused(DomainError):
    """The request id was used before for another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"

    @classmethod
    def of(cls, request_id: object) -> Self:
        """Return the error for a request id."""
        return cls(
            "request_id: was used before for another request: send a new UUID with every new request",
            metadata={"request_id": str(request_id)},
        )


class SubjectErased(DomainError):
    """The person was erased while the decision was on its way."""

    status = Status.ABORTED
    reason = "SUBJECT_ERASED"

    @classmethod
    def during_request(cls) -> Self:
        """Return the error."""
        return cls("everything of the person was erased while this was on its way: nothing was granted; decide again")


class KeyServiceSilent(DependencyUnavailable):
    """The retention service, which makes and destroys the keys of purposes, does not answer."""

    @classmethod
    def for_grant(cls) -> Self:
        """Return the error of a decision: it leaves nothing behind."""
        return cls._of("nothing is granted")

    @classmethod
    def for_withdrawal(cls) -> Self:
        """Return the error of a withdrawal: it is written down and will be done."""
        return cls._of("the withdrawal is written down and is carried out as soon as it answers")

    @classmethod
    def _of(cls, meanwhile: str) -> Self:
        return cls(
            f"the key service does not answer: {meanwhile}; call again to be told",
            metadata={"dependency": "retention"},
            retry_after=timedelta(seconds=1),
        )


class NoticeInvalid(ValueError):
    """A notice file cannot be used; the message names the file, the place and the remedy."""

    @classmethod
    def in_file(cls, source: str, problems: str) -> Self:
        """Return the error for a file's content."""
        return cls(f"{source}: {problems}")

    @classmethod
    def none_in(cls, directory: Path) -> Self:
        """Return the error for a directory without any."""
        return cls(f"{directory}: holds no notice: put at least one *.json there")

    @classmethod
    def edition_twice_in(cls, directory: Path) -> Self:
        """Return the error for a directory with two of one edition."""
        return cls(f"{directory}: two files are of one edition: give each notice its own")

    @classmethod
    def edition_changed(cls, edition: str) -> Self:
        """Return the error for an edition that was published with other words before."""
        return cls(f"edition {edition} was published with other words before: give the new text a new edition")


class PolicyInvalid(ValueError):
    """The policy file cannot be used; the message names the file, the place and the remedy."""

    @classmethod
    def in_file(cls, source: object, problems: str) -> Self:
        """Return the error for a file's content."""
        return cls(f"{source}: {problems}")


class ReceiptKeyInvalid(ValueError):
    """The file of the receipt key cannot be used; the message names it and the remedy."""

    @classmethod
    def of(cls, path: Path, problem: str) -> Self:
        """Return the error for a file."""
        return cls(f"{path}: {problem}: make one with `openssl genpkey -algorithm ed25519`")


class RecordKeyInvalid(ValueError):
    """The file of the record key cannot be used; the message names it and the remedy."""

    @classmethod
    def of(cls, path: Path, problem: str) -> Self:
        """Return the error for a file."""
        return cls(f"{path}: {problem}: make 32 bytes with `openssl rand -hex 32`")

    @classmethod
    def of_other_records(cls) -> Self:
        """Return the error for a key that does not open what is written down."""
        return cls("the record key does not open the records of this database: put the file back that made them")
