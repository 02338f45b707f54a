"""Where every purpose stands, as lines and as rows."""

import json

import pytest

from pellicule.consent.v1 import consent_pb2
from pellicule.type.v1 import purpose_pb2
from services.cli.consent.commands import print_state

LOST = consent_pb2.ConsentState(
    purposes=[
        consent_pb2.PurposeState(
            purpose=purpose_pb2.PURPOSE_LOCATION, status=consent_pb2.CONSENT_STATUS_KEY_LOST, notice="notices/1"
        )
    ]
)


def test_a_purpose_whose_key_was_lost_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    print_state(LOST, as_json=False)

    printed = capsys.readouterr()
    assert printed.out.split() == ["LOCATION", "key_lost"]
    assert "grant it again" in printed.err


def test_a_row_says_where_a_purpose_stands(capsys: pytest.CaptureFixture[str]) -> None:
    print_state(LOST, as_json=True)

    assert json.loads(capsys.readouterr().out) == {
        "purpose": "LOCATION", "status": "KEY_LOST", "notice": "notices/1", "decide_time": None, "expire_time": None,
    }  # fmt: skip
