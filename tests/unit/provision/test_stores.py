"""Stores of an installation: what is declared is spread over them, and nothing of it is lost or said twice."""

import pytest

from deploy.declarations import BUCKETS, JOURNAL_BUCKET, SERVICES, identities
from deploy.provision.credentials import ADMINISTRATOR, Credentials
from deploy.provision.errors import ProvisionError
from deploy.provision.object_store import Identity
from deploy.provision.settings import ProvisionSettings
from deploy.provision.stores import stores

HERE, ELSEWHERE = "https://here:9000", "https://elsewhere:9000"
VARIABLES = {
    "PELLICULE_PROVISION_ADMINISTRATOR_S3_SECRET_KEY": "all",
    **{f"PELLICULE_PROVISION_{name.upper()}_S3_SECRET_KEY": f"secret of {name}" for name in SERVICES},
    "PELLICULE_PROVISION_INGEST_S3_ACCESS_KEY": "AKINGEST",
}


def test_one_store_has_everything() -> None:
    (store,) = stores(ProvisionSettings(s3_endpoint=HERE))

    assert store.rights == identities()
    assert ({*BUCKETS} <= {*store.plain}, store.locked) == (True, (JOURNAL_BUCKET,))


def test_a_journal_elsewhere_is_there_alone() -> None:
    objects, journal = stores(ProvisionSettings(s3_endpoint=HERE, journal_s3_endpoint=ELSEWHERE))

    assert (objects.locked, journal.plain, journal.locked) == ((), (), (JOURNAL_BUCKET,))
    assert [name for name, rights in objects.rights.items() if JOURNAL_BUCKET in rights.all] == []
    assert {bucket for rights in journal.rights.values() for bucket in rights.all} == {JOURNAL_BUCKET}


def test_both_together_are_what_is_declared() -> None:
    apart = stores(ProvisionSettings(s3_endpoint=HERE, journal_s3_endpoint=ELSEWHERE))
    given = [(name, bucket) for each in apart for name, rights in each.rights.items() for bucket in rights.all]

    assert sorted(given) == sorted((name, bucket) for name, rights in identities().items() for bucket in rights.all)


def test_a_prefix_is_before_every_bucket() -> None:
    (store,) = stores(ProvisionSettings(s3_endpoint=HERE, bucket_prefix="acme-"))
    named = {*store.plain, *store.locked, *(bucket for rights in store.rights.values() for bucket in rights.all)}

    assert {name for name in named if not name.startswith("acme-")} == set()


def test_keys_are_the_name_and_the_secret_unless_another_is_given() -> None:
    (store,) = stores(ProvisionSettings(s3_endpoint=HERE))
    keys = store.identities(Credentials(None, VARIABLES))

    assert keys[ADMINISTRATOR] == Identity("administrator", "all")
    assert keys["consent"] == Identity("consent", "secret of consent")
    assert keys["ingest"] == Identity("AKINGEST", "secret of ingest")


def test_who_makes_models_may_be_missing_and_a_service_not() -> None:
    (store,) = stores(ProvisionSettings(s3_endpoint=HERE))
    without = {name: value for name, value in VARIABLES.items() if "_CONSENT_" not in name}

    assert set(store.identities(Credentials(None, VARIABLES))) == {ADMINISTRATOR, *SERVICES}
    with pytest.raises(ProvisionError, match="s3-secret-key of consent"):
        store.identities(Credentials(None, without))


def test_a_password_is_read_out_of_the_url_that_the_service_has() -> None:
    url = "postgresql://ingest:a%2Fb@host/ingest"

    assert Credentials(None, {"PELLICULE_PROVISION_INGEST_DATABASE_URL": url}).password("ingest", "database") == "a/b"
