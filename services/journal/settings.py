"""Settings of the journal: where a service finds it."""

from pathlib import Path
from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.journal.ports import JournalObjects


class JournalBucketSettings(BaseSettings):
    """A bucket of an S3 server, another one than the databases' backups go to."""

    model_config = SettingsConfigDict(env_prefix="PELLICULE_", frozen=True, extra="ignore")

    journal_bucket: str = ""
    """The bucket of the journal; empty where it is a directory."""
    journal_s3_endpoint: str = ""
    """`http://host:port` or `https://...`."""
    journal_s3_access_key: str = ""
    journal_s3_secret_key: SecretStr = SecretStr("")
    journal_s3_region: str = "us-east-1"
    s3_ca_file: Path | None = None
    """Certificates that the server is checked against under TLS, as those of the other buckets' are."""


class JournalSettings(JournalBucketSettings):
    """Where the journal of destructions is: a bucket, or a directory on one machine."""

    journal_dir: Path | None = None
    """The directory of the journal: in none of the databases' backups; absent where it is a bucket."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.journal_dir is None) == (not self.journal_bucket):
            raise ValueError("journal_dir: set it on one machine, or journal_bucket with an S3 server; not both")
        return self


def journal_objects(settings: JournalSettings) -> JournalObjects:
    """Return the place of the journal."""
    from services.journal.bucket import JournalBucket
    from services.journal.directory import JournalDirectory

    return JournalBucket(settings) if settings.journal_dir is None else JournalDirectory(settings.journal_dir)
