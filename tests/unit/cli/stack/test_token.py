"""Whose a token is."""

from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from services.cli.output import UsageWrong
from services.cli.stack.token import local_token


@pytest.mark.parametrize("subject", ["", "  "])
def test_a_token_is_somebodys(subject: str, tmp_path: Path) -> None:
    with pytest.raises(UsageWrong) as caught:
        local_token(StackHome(tmp_path), subject, ttl=timedelta(hours=1))

    assert caught.value.field == "--subject"
