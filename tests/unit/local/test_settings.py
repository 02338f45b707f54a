from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.home import StackHome
from deploy.local.settings import OBJECT_STORE, StackSettings, read_settings

NOTHING: Mapping[str, str] = {}


def read(
    folder: Path, *, environment: Mapping[str, str] = NOTHING, file: str = "", options: Mapping[str, str] = NOTHING
) -> StackSettings:
    home = StackHome(folder)
    home.settings.write_text(file, encoding="utf-8")
    return read_settings(home, environment, options)


def refusal(folder: Path, **given: str) -> StackError:
    with pytest.raises(StackError) as refused:
        read(folder, environment=given)
    return refused.value


def test_nothing_set_is_nothing_handed_to_the_services(tmp_path: Path) -> None:
    assert read(tmp_path, environment={"HOME": "/root"}).of_services == {}


def test_a_setting_of_a_service_reaches_the_services(tmp_path: Path) -> None:
    assert read(tmp_path, environment={"PELLICULE_QUOTA_BYTES": "5"}).of_services == {"PELLICULE_QUOTA_BYTES": "5"}


def test_a_file_is_read_without_its_remarks(tmp_path: Path) -> None:
    file = "# for the flat\n\n PELLICULE_LOG_LEVEL = WARNING \n"
    assert read(tmp_path, file=file).values == {"PELLICULE_LOG_LEVEL": "WARNING"}


def test_the_environment_goes_before_the_file_and_an_option_before_both(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        file="PELLICULE_WINDOW_DAYS=10\nPELLICULE_QUOTA_BYTES=1\nPELLICULE_OBJECT_STORE=seaweedfs",
        environment={"PELLICULE_QUOTA_BYTES": "2", OBJECT_STORE: "seaweedfs"},
        options={OBJECT_STORE: "minio"},
    )
    assert settings.values == {"PELLICULE_WINDOW_DAYS": "10", "PELLICULE_QUOTA_BYTES": "2", OBJECT_STORE: "minio"}


def test_a_name_that_is_no_setting_is_said_with_the_one_that_was_meant(tmp_path: Path) -> None:
    refused = refusal(tmp_path, PELLICULE_QUOTA_BYTE="5")
    assert (refused.reason, refused.field) == ("SETTING_UNKNOWN", "PELLICULE_QUOTA_BYTE")
    assert "did you mean PELLICULE_QUOTA_BYTES?" in refused.message


def test_a_name_like_no_setting_is_to_be_removed(tmp_path: Path) -> None:
    assert "remove it" in refusal(tmp_path, PELLICULE_XYZZY="5").message


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PELLICULE_QUOTA_BYTES", "much", "valid integer"),
        ("PELLICULE_WINDOW_DAYS", "0", "greater than or equal to 1"),
        ("PELLICULE_LOG_LEVEL", "debug", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("PELLICULE_POLICY_FILE", "policy.yaml", "the whole path of a file"),
        ("PELLICULE_PORT_CONSENT_PUBLIC", "66000", "from 1 to 65535"),
        ("PELLICULE_LOGS_KEPT", "-1", "a whole number above 0"),
        ("PELLICULE_OBJECT_STORE", "ceph", "seaweedfs, minio"),
        ("PELLICULE_CERTIFICATE_NAMES", "photos.example.com, a b", "'a b' is no host name"),
    ],
)
def test_a_value_that_cannot_be_is_said_by_name(tmp_path: Path, name: str, value: str, why: str) -> None:
    refused = refusal(tmp_path, **{name: value})
    assert (refused.reason, refused.field) == ("SETTING_INVALID", name)
    assert why in refused.message


def test_what_the_stack_chooses_itself_cannot_be_set(tmp_path: Path) -> None:
    assert "chosen by the stack itself" in refusal(tmp_path, PELLICULE_NATS_URL="nats://elsewhere").message


def test_what_other_commands_read_from_the_environment_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, environment={"PELLICULE_SUBJECT": "ada", "PELLICULE_HOME": "/srv"}).values == {}


@pytest.mark.parametrize("line", ["PELLICULE_QUOTA_BYTES 5", "QUOTA_BYTES=5"])
def test_a_line_that_sets_nothing_is_said_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(StackError, match="settings, line 2"):
        read(tmp_path, file=f"# mine\n{line}\n")


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    home = StackHome(tmp_path)
    home.settings.write_bytes(b"\xff")
    with pytest.raises(StackError, match="no text in UTF-8"):
        read_settings(home, {}, {})


def test_the_supervisor_is_handed_these_settings_and_no_others() -> None:
    settings = StackSettings({"PELLICULE_QUOTA_BYTES": "5"})
    environment = settings.handed_on({"PATH": "/bin", "PELLICULE_SUBJECT": "ada"})
    assert environment == {"PATH": "/bin", "PELLICULE_QUOTA_BYTES": "5"}
    assert StackSettings.inherited(environment) == settings


def test_settings_of_the_stack_reach_no_service() -> None:
    settings = StackSettings(
        {"PELLICULE_PORT_NATS": "4222", "PELLICULE_LOG_MEGABYTES": "2", "PELLICULE_LOGS_KEPT": "1"}
    )
    assert settings.of_services == {}
    assert (settings.ports, settings.log_bytes, settings.logs_kept) == ({"nats": 4222}, 2 << 20, 1)


def test_accounts_of_services_have_numbers_of_their_own_unless_none_are_wanted(tmp_path: Path) -> None:
    assert [
        read(tmp_path, environment=given).first_account
        for given in (NOTHING, {"PELLICULE_FIRST_ACCOUNT": "7000"}, {"PELLICULE_FIRST_ACCOUNT": "0"})
    ] == [60_710, 7_000, 0]


@pytest.mark.parametrize("number", ["1", "999", "-1", "nobody", "5000000000"])
def test_no_account_of_the_system_is_taken_for_a_service(tmp_path: Path, number: str) -> None:
    refused = refusal(tmp_path, PELLICULE_FIRST_ACCOUNT=number)

    assert (refused.reason, refused.field) == ("SETTING_INVALID", "PELLICULE_FIRST_ACCOUNT")


def test_files_that_settings_name_are_known(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").touch()
    given = {"PELLICULE_POLICY_FILE": str(tmp_path / "policy.yaml"), "PELLICULE_LOG_LEVEL": "DEBUG"}

    assert read(tmp_path, environment=given).files == [tmp_path / "policy.yaml"]
