"""Assumptions of the simulation: assumed of persons, measured of the services, configured by us, and prices.

Every figure says where it is from. What is assumed is no measurement of ours: put your own in its place.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Persons:
    """Assumed of persons.

    Attributes:
        photos_a_day: Mean; a survey of 2,000 adults in the United States (OnePoll for Mixbook, September 2023) says 6.
        spread: Standard deviation of the logarithm of a person's photos; few take many.
        most_photos: Beyond which no roll goes in 30 days.
        window_days: How long a photo is kept: the default of `PELLICULE_RETENTION_DAYS`.
        original_share: Of the photos that are sent whole; the others are sent reduced.
        original_megabytes: Of a photo that is sent whole.
        reduced_megabytes: Of one reduced to 2048 pixels.
        peak: Photos in the busiest hour against the mean hour.
        previews_a_day: Previews that a person looks at.
        ideas_a_month: Suggestions made for a person.
        purposes: Purposes that a person grants.
        location_share: Photos with a place that may be used.
        faces_share: Photos with a face, of persons who grant FACE_GROUPING.
    """

    photos_a_day: float = 6.0
    spread: float = 1.1
    most_photos: int = 6000
    window_days: int = 30
    original_share: float = 0.3
    original_megabytes: float = 2.8
    reduced_megabytes: float = 0.7
    peak: float = 4.0
    previews_a_day: float = 60.0
    ideas_a_month: float = 12.0
    purposes: float = 3.0
    location_share: float = 0.6
    faces_share: float = 0.3


@dataclass(frozen=True)
class Measured:
    """Measured on one virtual machine with two cores, shared with other work: docs/capacity.md names each run.

    Attributes:
        key_opens: Keys opened a second by one process of retention (`pellicule bench keys`).
        rewraps: Data keys wrapped anew a second, of one process and one PostgreSQL; the lowest of the runs.
        uploads: Photos a second: the lowest ratio of `pellicule bench upload`, times raw puts that are synced, eight at
            a time, into the slowest store, SeaweedFS on one disk: 53. MinIO made 170.
        analyses: Photos a second, services and Triton on two cores (`pellicule bench analyze`), the lowest of the runs.
        cores: Of that machine.
    """

    key_opens: float = 6014.0
    rewraps: float = 663.0
    uploads: float = 0.52 * 53
    analyses: float = 5.7
    cores: float = 2.0


@dataclass(frozen=True)
class Database:
    """Assumed of the databases: none of it was measured.

    Attributes:
        row_bytes: A row with its indexes, on average.
        key_row_bytes: The same of a data key, which has five indexes.
        wal_a_row: Bytes of the log for a row that is written.
        wal_a_rewrap: The same for a key that is wrapped anew.
        journal_bytes_a_key: A destroyed data key in the journal: its id in quotes and a comma.
        backup_megabytes: Read a second by a backup of the databases.
        archive_megabytes: Of the log that is archived a second.
    """

    row_bytes: float = 500.0
    key_row_bytes: float = 800.0
    wal_a_row: float = 800.0
    wal_a_rewrap: float = 1500.0
    journal_bytes_a_key: float = 39.0
    backup_megabytes: float = 100.0
    archive_megabytes: float = 30.0


@dataclass(frozen=True)
class Configured:
    """Set by `deploy/environments/production.yaml`, `deploy/platform` and the charts' defaults; a test compares.

    Attributes:
        servers: Pods of a service at the most.
        upkeep: Pods of a service's upkeep.
        workers: Pods of analysis and of suggestion at the most.
        pool: Connections of a process to its database.
        connections: That PostgreSQL takes.
        inference_servers: Of Triton at the most.
        inference_cores: Of each.
    """

    servers: int = 12
    upkeep: int = 2
    workers: int = 10
    pool: int = 8
    connections: int = 1000
    inference_servers: int = 8
    inference_cores: int = 4


@dataclass(frozen=True)
class Prices:
    """Prices of a month, in a unit of your choice: parameters, no offers of anybody.

    Attributes:
        core: A core.
        object_gigabyte: A gigabyte in the object store, all copies of it included.
        database_gigabyte: A gigabyte of a database's disk; three servers have one each.
        million_puts: A million objects written.
        base: What a cell costs however few are in it: pods at their fewest, nodes of the databases and of the bus, an
            edge.
    """

    core: float = 20.0
    object_gigabyte: float = 0.02
    database_gigabyte: float = 0.15
    million_puts: float = 5.0
    base: float = 1500.0


@dataclass(frozen=True)
class Assumptions:
    """Everything that the simulation is told."""

    persons: Persons = Persons()
    measured: Measured = Measured()
    database: Database = Database()
    configured: Configured = Configured()
    prices: Prices = Prices()
