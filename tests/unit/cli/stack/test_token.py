"""Whose a token is."""

from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local import authority
from deploy.local.home import StackHome
from services.chassis.clock import SystemClock
from services.chassis.issuer_keys import FileKeys
from services.chassis.tokens import TokenVerifier
from services.cli.output import CommandFailed, UsageWrong
from services.cli.stack.token import local_token


@pytest.mark.parametrize("subject", ["", "  "])
def test_a_token_is_somebodys(subject: str, tmp_path: Path) -> None:
    with pytest.raises(UsageWrong) as caught:
        local_token(StackHome(tmp_path), subject, ttl=timedelta(hours=1))

    assert caught.value.field == "--subject"


async def test_a_token_bears_the_names_that_the_operator_has_set(tmp_path: Path) -> None:
    home = stack_home(tmp_path)
    settings = {"PELLICULE_TOKEN_ISSUER": "flat", "PELLICULE_TOKEN_AUDIENCE": "photos"}
    token = local_token(home, "ada", ttl=timedelta(hours=1), settings=settings)
    verifier = TokenVerifier(FileKeys(home.key(authority.JWKS)), issuer="flat", audience="photos", clock=SystemClock())
    assert (await verifier.verify(token)).subject == "ada"


@pytest.mark.parametrize(
    "settings",
    [{"PELLICULE_TOKEN_JWKS_FILE": "/keys.json"}, {"PELLICULE_TOKEN_JWKS_URL": "https://issuer.example/jwks"}],
    ids=["file", "url"],
)
def test_where_another_issuer_is_trusted_none_is_made(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(CommandFailed, match="another issuer"):
        local_token(StackHome(tmp_path), "ada", ttl=timedelta(hours=1), settings=settings)


def stack_home(folder: Path) -> StackHome:
    home = StackHome(folder)
    authority.ensure_credentials(home, SystemClock())
    return home
