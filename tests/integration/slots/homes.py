"""A folder of models of one's own, with the built ones in it, so that slots can be filled without anybody noticing."""

import os
import shutil
from pathlib import Path

from inference.model_build.build import build_all, default_home


def own_home(folder: Path) -> Path:
    """Make a folder of models that shares the files of the user's."""
    built = default_home()
    home = folder / "models"
    home.mkdir(parents=True)
    for model in build_all(built):
        shutil.copytree(model.folder, home / model.name / model.key, copy_function=_share)
    return home


def _share(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
