"""Command line `python -m inference.training.restyler COMMAND`: paints, trains, exports, measures.

    paint PHOTOS PAINTINGS            photos in every style, for training
    train PAINTINGS RUN               until config.toml's time is over; goes on where it was left
    export RUN                        RUN/checkpoint.pt -> the model's restyler.onnx
    evaluate PHOTOS                   agreement with the painters on held-out photos
    sheet PHOTOS FILE                 the contact sheet
    curve                             loss.csv beside the model -> loss.png
    smoke                             all of it in small

PHOTOS holds the pictures of photos.toml under their names (`python -m deploy.training_photos PHOTOS` puts them there).
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track

from inference.training.restyler.configuration import Configuration, read_configuration
from inference.training.restyler.data import photo_files, read_photo, render
from inference.training.restyler.served import SHIPPED, Studio

_LONG_SIDE: Final = 512
_MEASURED_SIDE: Final = 320
_QUALITIES: Final = (88, 84, 80, 76, 72, 68, 64, 60, 55, 50)
_LARGEST: Final = 600_000  # bytes of the contact sheet
_CONSOLE: Final = Console(stderr=True)


def main() -> int:
    """Run one command; return its exit status."""
    arguments = _parser().parse_args()
    commands = {
        "paint": _paint,
        "train": _train,
        "export": _export,
        "evaluate": _evaluate,
        "sheet": _sheet,
        "curve": _curve,
    }
    if arguments.command == "smoke":
        return _smoke()
    commands[arguments.command](arguments, read_configuration())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.training.restyler", description="Trains the restyler.")
    commands = parser.add_subparsers(dest="command", required=True)
    arguments = {
        "paint": ("photos", "paintings"),
        "train": ("paintings", "run"),
        "export": ("run",),
        "evaluate": ("photos",),
        "sheet": ("photos", "file"),
        "curve": (),
        "smoke": (),
    }
    for name, folders in arguments.items():
        command = commands.add_parser(name)
        for folder in folders:
            command.add_argument(folder, type=Path)
    return parser


def _paint(arguments: argparse.Namespace, configuration: Configuration) -> None:
    photos = [path for path in photo_files(arguments.photos) if path.stem not in configuration.held_out]
    wanted = configuration.paintings
    painted = render(photos, arguments.paintings, wanted.count, wanted.long_side, wanted.seed)
    for _ in _with_bar(painted, "painting", wanted.count):
        pass


def _train(arguments: argparse.Namespace, configuration: Configuration) -> None:
    # PyTorch is in the training environment alone; the other commands run without it.
    from inference.training.restyler.data import Crops
    from inference.training.restyler.network import Shape
    from inference.training.restyler.train import Recipe, begin, resume, save, train, write_row

    shape, recipe = Shape(**configuration.shape), Recipe(**configuration.recipe)
    arguments.run.mkdir(parents=True, exist_ok=True)
    state, checkpoint = begin(shape, recipe), arguments.run / "checkpoint.pt"
    if checkpoint.exists():
        resume(state, checkpoint)
    crops = Crops(arguments.paintings, recipe.side, np.array(recipe.weights))
    for row in train(state, crops, recipe, lambda: save(state, shape, checkpoint)):
        write_row(arguments.run / "loss.csv", row)
        _say(f"step {row.iteration}, {row.seconds:.0f} of {recipe.seconds:.0f} s: loss {row.loss:.4f}")


def _export(arguments: argparse.Namespace, _: Configuration) -> None:
    from inference.training.restyler.export import export
    from inference.training.restyler.train import read_average

    export(read_average(arguments.run / "checkpoint.pt"), SHIPPED)
    _say(f"{SHIPPED}: {SHIPPED.stat().st_size / 1e6:.1f} MB")


def _evaluate(arguments: argparse.Namespace, configuration: Configuration) -> None:
    from inference.training.restyler.evaluate import measure

    photos = list(_held_out(arguments.photos, configuration, _MEASURED_SIDE).values())
    print("| style | statistic | network | other chance | untouched photo |\n|---|---|---|---|---|")  # noqa: T201
    for row in measure(Studio(), photos):
        figures = f"{row.network:.3f} | {row.other_chance:.3f} | {row.photo:.3f}"
        print(f"| {row.style} | {row.statistic} | {figures} |", flush=True)  # noqa: T201


def _sheet(arguments: argparse.Namespace, configuration: Configuration) -> None:
    from inference.training.restyler.contact_sheet import contact_sheet

    photos = _held_out(arguments.photos, configuration, _LONG_SIDE)
    sheet = contact_sheet(Studio(), photos, configuration.sheet, side=300, square=216)
    for quality in _QUALITIES:
        Image.fromarray(sheet).save(arguments.file, quality=quality, optimize=True)
        if arguments.file.stat().st_size <= _LARGEST:
            break


def _curve(_: argparse.Namespace, __: Configuration) -> None:
    from inference.training.restyler.loss_curve import draw

    draw(SHIPPED.with_name("loss.csv"), SHIPPED.with_name("loss.png"))


def _smoke() -> int:
    from inference.training.restyler.smoke import SmokeFailed, smoke

    try:
        _say(smoke())
    except SmokeFailed as error:
        _say(str(error))
        return 1
    return 0


def _held_out(folder: Path, configuration: Configuration, long_side: int) -> Mapping[str, NDArray[np.uint8]]:
    files = [path for path in photo_files(folder) if path.stem in configuration.held_out]
    return {path.stem: read_photo(path, long_side) for path in files}


def _with_bar(items: Iterable[Path], text: str, total: int) -> Iterable[Path]:
    return track(items, text, total=total, console=_CONSOLE)


def _say(text: str) -> None:
    _CONSOLE.print(text, markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
