"""Every Containerfile keeps the rules: nothing fetched past pip's digests, nothing that installs, no root."""

import json
import re
from pathlib import Path

import pytest

from deploy.images.containerfile import Stage, instructions, stages
from tests.contract.products import ROOT

_FOLDER = ROOT / "deploy" / "images"
_RECIPES = sorted(_FOLDER.glob("*.Containerfile"))
_USER = "65532:65532"
_REGISTRY = re.compile(r"[\w-]+\.[a-z]{2,}(:\d+)?/")
_INSTALLER = re.compile(r"\b((?<!without-)pip|pip3|apt-get|apt|dpkg|curl|wget|gcc|make|ensurepip|setuptools)\b")
_PIP_INSTALL = re.compile(r"pip\b[^&]*? install [^&]*")

every_recipe = pytest.mark.parametrize("recipe", _RECIPES, ids=lambda path: path.name)


def of(recipe: Path) -> list[Stage]:
    return list(stages(recipe.read_text(encoding="utf-8")))


def test_there_is_an_image_of_the_services_and_one_of_the_models() -> None:
    assert {"service.Containerfile", "triton.Containerfile"} <= {recipe.name for recipe in _RECIPES}


@every_recipe
def test_the_base_is_an_argument(recipe: Path) -> None:
    first = instructions(recipe.read_text(encoding="utf-8"))[0]

    assert first.word == "ARG"
    assert first.rest.split("=")[0] == "BASE"
    named = {stage.name for stage in of(recipe)}
    assert {stage.base for stage in of(recipe)} <= {"${BASE}", "${PYTHON}"} | named


@every_recipe
def test_no_file_names_a_registry(recipe: Path) -> None:
    defaults = [each.rest for each in instructions(recipe.read_text(encoding="utf-8")) if each.word == "ARG"]

    assert [each for each in defaults if _REGISTRY.search(each)] == []


@every_recipe
def test_nothing_is_fetched_by_the_engine(recipe: Path) -> None:
    assert [stage.all_of("ADD") for stage in of(recipe)] == [[] for _ in of(recipe)]


@every_recipe
def test_pip_takes_nothing_but_what_the_lock_has(recipe: Path) -> None:
    steps = [step for stage in of(recipe) for step in stage.all_of("RUN")]
    installs = [found for step in steps for found in _PIP_INSTALL.findall(step)]

    assert installs
    assert [each for each in installs if "--no-deps" not in each] == []
    assert [each for each in installs if not {"--require-hashes", "--no-index"} & set(each.split())] == []
    assert [each for each in installs if "--require-hashes" in each and "--only-binary :all:" not in each] == []


@every_recipe
def test_the_last_stage_installs_nothing(recipe: Path) -> None:
    last = of(recipe)[-1]

    assert [step for step in last.all_of("RUN") if _INSTALLER.search(step)] == []


@every_recipe
def test_it_ends_as_no_root_with_a_number_that_a_cluster_can_check(recipe: Path) -> None:
    assert of(recipe)[-1].all_of("USER") == [_USER]


@every_recipe
def test_the_entry_point_is_a_list_and_names_no_models(recipe: Path) -> None:
    (entry,) = of(recipe)[-1].all_of("ENTRYPOINT")

    assert all(isinstance(word, str) for word in json.loads(entry))
    assert "--model-repository" not in recipe.read_text(encoding="utf-8").partition("ENTRYPOINT [")[2]


@every_recipe
def test_ways_to_the_index_are_mounted_and_never_copied(recipe: Path) -> None:
    text = recipe.read_text(encoding="utf-8")
    copied = " ".join(rest for stage in of(recipe) for rest in stage.all_of("COPY"))

    assert "type=secret,id=pip.conf" in text
    assert not re.search(r"pip\.conf|ca-certificates|\.netrc", copied)


@every_recipe
def test_what_it_copies_from_the_checkout_is_there_and_not_ignored(recipe: Path) -> None:
    ignored = (_FOLDER / f"{recipe.name}.dockerignore").read_text(encoding="utf-8").splitlines()
    kept = tuple(line.removeprefix("!") for line in ignored if line.startswith("!"))
    copied = [rest.split()[:-1] for stage in of(recipe) for rest in stage.all_of("COPY") if "--from" not in rest]
    sources = {source for each in copied for source in each}

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if not source.startswith(kept)] == []
    assert [name for name in kept if not any(source.startswith(name) for source in sources)] == []


def test_the_tests_and_documents_are_in_no_image() -> None:
    for recipe in _RECIPES:
        kept = (_FOLDER / f"{recipe.name}.dockerignore").read_text(encoding="utf-8").split()
        assert kept[kept.index("*") :][0] == "*"
        assert not {"!tests", "!docs", "!charts"} & set(kept)


def test_both_images_stand_on_the_same_layers() -> None:
    service, triton = (of(_FOLDER / f"{name}.Containerfile") for name in ("service", "triton"))

    assert service[0] == triton[0]
    assert service[-1].base == triton[-1].base == service[0].name


def test_the_service_image_begins_with_the_name_of_a_module() -> None:
    entry = '["/opt/pellicule/bin/python", "-m", "services.chassis.container"]'
    assert of(_FOLDER / "service.Containerfile")[-1].all_of("ENTRYPOINT") == [entry]
