"""Each engine is told the same in its own words, and nothing of the machine is copied into an image."""

from pathlib import Path

import pytest

from deploy.images.engines import ENGINES, EngineFailed, EngineName, Recipe, build_command, find_engine, save_command

RECIPE = Recipe(
    file=Path("/checkout/service.Containerfile"),
    context=Path("/checkout"),
    tag="pellicule:1",
    arguments={"BASE": "base:1"},
    epoch=1_800_000_000,
    secrets={"pip.conf": Path("/etc/pip.conf")},
)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gets_arguments_secrets_file_and_context(engine: EngineName) -> None:
    command = build_command(engine, RECIPE)

    assert command[:2] == (engine, "build")
    assert {"--build-arg=BASE=base:1", "--secret=id=pip.conf,src=/etc/pip.conf", "--tag=pellicule:1"} <= set(command)
    assert command[-1] == "/checkout"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gets_the_time_that_files_bear(engine: EngineName) -> None:
    assert any("1800000000" in word for word in build_command(engine, RECIPE))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_is_written_where_it_is_wanted(engine: EngineName) -> None:
    command = save_command(engine, "pellicule:1", Path("/out/pellicule.tar"))

    assert any("/out/pellicule.tar" in word for word in command)
    assert any(word.endswith("pellicule:1") for word in command)


def test_a_machine_without_an_engine_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(EngineFailed, match="buildah or podman or docker"):
        find_engine()
