"""Command `restyle`: a trial of the served restyler on a picture. Nothing is stored in any service.

It is a tool for those who run or train the model: it asks the inference server of the stack directly, with a file of
one's own. No consent is asked and no photo of a person's roll is read.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from deploy.local import daemon
from deploy.local.home import default_home
from inference.client.errors import ModelBusy, ModelFault, ModelMissing, ModelUnavailable
from inference.restyling.client import RestylerClient
from inference.restyling.diffusion.errors import RestylingError
from inference.restyling.diffusion.request import MAX_SIDE, RestyleRequest, check_picture
from services.chassis.clock import SystemClock
from services.cli.output import CommandFailed, UsageWrong, emit, failures, progress_bars, say
from services.cli.photos import roll
from services.cli.restyle import generated
from services.cli.restyle.contact_sheet import contact_sheet
from services.cli.stack.failures import stack_failures
from services.picture_files.colours.rendering import render
from services.picture_files.orientation import orientation_of_opened, turn_upright

LONG_SIDE = 768
_SEEDS = 2**31
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    Image.DecompressionBombError,
    ArithmeticError,
    LookupError,
)
_REASONS: tuple[tuple[type[ModelFault], str], ...] = (
    (ModelBusy, "RESTYLER_BUSY"),
    (ModelMissing, "RESTYLER_MISSING"),
    (ModelUnavailable, "RESTYLER_UNAVAILABLE"),
    (ModelFault, "RESTYLER_FAILED"),
)


@dataclass(frozen=True)
class RestyleOptions:
    """How a picture shall be restyled; the seed is the same for all styles of a sheet."""

    steps: int
    strength: float
    seed: int

    def describe(self, identity: str, style: str) -> str:
        """Return how the picture was made, so that it can be made again."""
        return f"{identity}: {style}, {self.steps} steps, strength {self.strength:g}, seed {self.seed}"


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("restyle")(restyle)


def restyle(
    picture: Annotated[Path, typer.Argument(help="A picture of any supported format.")],
    style: Annotated[str, typer.Option(help="The style; a wrong one is answered with all of them.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every style, on one sheet beside the picture.")] = False,
    steps: Annotated[int, typer.Option(help="How often the network runs, 1 to 50.")] = 4,
    strength: Annotated[float, typer.Option(help="How far the picture is left behind, up to 1.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Draws the noise; by default another one each time.")] = None,
    long_side: Annotated[int, typer.Option(help="The picture is shrunk to this before, in pixels.")] = LONG_SIDE,
    out: Annotated[Path | None, typer.Option(help="The file to write: .png, .jpg or .webp.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line on standard output.")] = False,
) -> None:
    """Paint a picture in a style with the restyler that this stack serves."""
    with failures(as_json=as_json), _restyler_failures():
        if bool(style) == everything:
            raise UsageWrong("STYLE_MISSING", "name one --style, or ask for --all", "--style")
        target = out or Path(f"{picture.stem}-{style or 'styles'}.png")
        generated.check_format(target)
        if target.exists() and target.samefile(picture):
            raise UsageWrong("FILE_UNUSABLE", "that is the picture itself; name another file", "--out")
        photo = read_picture(picture, long_side)
        options = RestyleOptions(steps, strength, secrets.randbelow(_SEEDS) if seed is None else seed)
        description = asyncio.run(paint(_server(), photo, style, options, target))
        _tell(target, description, options, as_json=as_json)


def read_picture(path: Path, long_side: int) -> Image.Image:
    """Return a picture upright, in RGB, shrunk to a long side in pixels.

    Raises:
        CommandFailed: it is no picture, or the long side makes no sense.
        RestylingError: it is too small or too large to be restyled.
    """
    if not 1 <= long_side <= MAX_SIDE:
        raise UsageWrong("FIELD_INVALID", f"{long_side} is no length; give up to {MAX_SIDE} px", "--long-side")
    roll.register_formats()
    path.stat()  # a missing file is told from one that is no picture
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = path.read_bytes()
            with Image.open(io.BytesIO(data)) as image:
                orientation = orientation_of_opened(image, data)
                upright = turn_upright(render(image, data, long_side, Image.Resampling.LANCZOS), orientation)
    except _UNREADABLE as error:
        raise CommandFailed("PICTURE_UNREADABLE", f"it cannot be decoded: {error}", str(path)) from error
    check_picture(np.asarray(upright))
    return upright


async def paint(address: str, photo: Image.Image, style: str, options: RestyleOptions, target: Path) -> str:
    """Restyle in one style, or in all of them on a sheet, and write the file; return how it was made.

    Args:
        address: `host:port` of the inference server.
        photo: RGB.
        style: its name; empty for all of them.
        options: how.
        target: the file to write.

    Raises:
        CommandFailed: there is no such style.
        RestylingError: the picture cannot be restyled.
        ModelFault: the server does not answer, or not as it should.
    """
    async with RestylerClient(address, SystemClock()) as client:
        styles, identity = await client.styles(), await client.identity() or "restyler"
        wanted = (_known(style, styles),) if style else styles
        made = [(name, await _one(client, photo, styles.index(name), options)) for name in _shown(wanted)]
    description = options.describe(identity, " ".join(wanted))
    generated.save(made[0][1] if style else contact_sheet([("photo", photo), *made]), target, description)
    return description


async def _one(client: RestylerClient, photo: Image.Image, style: int, options: RestyleOptions) -> Image.Image:
    request = RestyleRequest(np.asarray(photo, np.uint8), style, options.steps, options.strength, options.seed)
    return Image.fromarray(await client.restyle(request))


def _shown(styles: Sequence[str]) -> Iterator[str]:
    with progress_bars() as bars:
        yield from bars.track(styles, description="painting")


def _known(style: str, styles: Sequence[str]) -> str:
    if style not in styles:
        raise UsageWrong("STYLE_UNKNOWN", f"there is no style {style!r}; choose one of {', '.join(styles)}", "--style")
    return style


def _server() -> str:
    with stack_failures():
        address = daemon.running_state(default_home()).address("triton")
    if not address:
        raise CommandFailed("RESTYLER_UNAVAILABLE", "the inference server does not run; look at `pellicule status`")
    return address


def _tell(target: Path, description: str, options: RestyleOptions, *, as_json: bool) -> None:
    if as_json:
        emit({"file": str(target), "made": description, "seed": options.seed})
    else:
        say(f"{target}  {description}")


@contextmanager
def _restyler_failures() -> Iterator[None]:
    """Turn what the restyler refuses, or its server, into the command's failure."""
    try:
        yield
    except RestylingError as error:
        raise CommandFailed(error.reason, str(error), error.field) from error
    except ModelFault as error:
        reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
        raise CommandFailed(reason, str(error), "restyler") from error
