"""Declarations: what each service may touch, and nothing else; the one table that a new service is added to.

The local stack, the provisioning Job and the users of the bus are made from it, and a cluster's network policies are
held against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JOURNAL_BUCKET = "journal"
"""Where the journal of destructions is, unless it is a directory of one machine."""


@dataclass(frozen=True)
class BucketRights:
    """What an identity may do at the object store.

    Attributes:
        owns: Buckets whose objects it may read, write, delete and list, and whose lifecycle rules are its own.
        reads: Buckets that it may read and list.
        appends: Buckets that it may read, list and add objects to, and where it deletes nothing.
    """

    owns: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All that it may look into."""
        return (*self.owns, *self.reads, *self.appends)

    def and_those(self, other: "BucketRights") -> "BucketRights":
        """Return both rights together."""
        return BucketRights(self.owns + other.owns, self.reads + other.reads, self.appends + other.appends)


@dataclass(frozen=True)
class Declaration:
    """One service.

    Its database, its role there, its user of the bus and its identity at the object store bear its name.

    Attributes:
        owns: Buckets that are its own.
        reads: Buckets of others that it may read.
        hears: Its consumers on the streams of other services, each as `STREAM.consumer`.
        calls: Services whose internal listener it calls, each told as `PELLICULE_<NAME>_TARGET`.
        works: Whether it has heavy work, and a stream of hints at it.
        infers: Whether it asks Triton, and is told where it is.
        records: Whether it writes to the journal of destructions, which every service reads.
    """

    owns: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    works: bool = False
    infers: bool = False
    records: bool = False

    @property
    def stores_objects(self) -> bool:
        """Whether it asks the object store for more than the journal."""
        return bool(self.owns or self.reads)


DECLARATIONS: Mapping[str, Declaration] = {
    "retention": Declaration(records=True),
    "consent": Declaration(hears=("RETENTION.consent-purge",), calls=("retention",)),
    "ingest": Declaration(
        owns=("media",), hears=("RETENTION.ingest-purge", "SUGGESTION.ingest-saved"), calls=("retention",)
    ),
    "analysis": Declaration(
        owns=("previews",),
        reads=("media",),
        hears=("RETENTION.analysis-purge", "INGEST.analysis-media", "CONSENT.analysis-consent"),
        calls=("retention",),
        works=True,
        infers=True,
    ),
    "suggestion": Declaration(
        owns=("renditions",),
        hears=("RETENTION.suggestion-purge", "ANALYSIS.suggestion-analyzed"),
        calls=("retention", "analysis"),
        works=True,
    ),
}

SERVICES = tuple(DECLARATIONS)
BUCKETS = tuple(bucket for each in DECLARATIONS.values() for bucket in each.owns)
"""The buckets that services own."""

MODEL_IDENTITIES: Mapping[str, BucketRights] = {
    "triton": BucketRights(reads=("models", "engines")),
    "engine-builder": BucketRights(owns=("engines",), appends=("models",)),
    "model-publisher": BucketRights(owns=("models",)),
    "load-keeper": BucketRights(owns=("loads",)),
}
"""Who else has an identity at the object store of a cluster: what serves models, makes them, and loads servers."""


def own_rights(service: str) -> BucketRights:
    """Return the rights of a service at the store of one machine, where the journal is a directory."""
    declared = DECLARATIONS[service]
    return BucketRights(owns=declared.owns, reads=declared.reads)


def journal_rights() -> Mapping[str, BucketRights]:
    """Return the rights of each service at the journal's bucket: all read it, and who records adds to it."""
    return {
        service: BucketRights(appends=(JOURNAL_BUCKET,)) if each.records else BucketRights(reads=(JOURNAL_BUCKET,))
        for service, each in DECLARATIONS.items()
    }


def identities() -> Mapping[str, BucketRights]:
    """Return the rights of all who have an identity at the object store of a cluster, where the journal is as well."""
    services = {service: own_rights(service).and_those(rights) for service, rights in journal_rights().items()}
    return {**services, **MODEL_IDENTITIES}


@dataclass(frozen=True)
class BusRights:
    """What a user may do on the bus, by patterns of subjects."""

    publish: Sequence[str]
    subscribe: Sequence[str]

    def document(self) -> Mapping[str, object]:
        """Return the permissions as the server's configuration writes them."""
        return {"publish": {"allow": list(self.publish)}, "subscribe": {"allow": list(self.subscribe)}}


def bus_rights(service: str) -> BusRights:
    """Return the rights of a service: its own events, streams and inboxes, and its consumers on others' streams."""
    declared = DECLARATIONS.get(service, Declaration())
    hints = (f"pellicule.internal.{service}.work", *_of_stream(f"{service.upper()}_WORK")) if declared.works else ()
    heard = (subject for consumer in declared.hears for subject in _of_consumer(consumer))
    return BusRights(
        publish=(f"pellicule.internal.{service}.v1.>", *_of_stream(service.upper()), *hints, *heard),
        subscribe=(f"_INBOX_{service}.>",),
    )


def _of_stream(stream: str) -> Sequence[str]:
    return (
        f"$JS.API.STREAM.*.{stream}",
        f"$JS.API.CONSUMER.*.{stream}.>",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.>",
        f"$JS.ACK.{stream}.>",
    )


def _of_consumer(consumer: str) -> Sequence[str]:
    actions = ("CREATE", "INFO", "DELETE", "MSG.NEXT")
    return (*(f"$JS.API.CONSUMER.{action}.{consumer}" for action in actions), f"$JS.ACK.{consumer}.>")
