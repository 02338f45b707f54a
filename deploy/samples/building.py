"""Builder of the sample roll: pictures under `DCIM`, beside them `ROLL.md` and `roll.json`."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.samples import files, manifest
from deploy.samples.credits import catalogue
from deploy.samples.developing import develop
from deploy.samples.drawings import drawn
from deploy.samples.errors import SourcesMissing
from deploy.samples.layout import WINDOW, Frame, copy_name, lay_out, seeded, usable_until
from deploy.samples.manifest import Manifest, RollFile
from deploy.samples.metadata import MARK
from deploy.samples.notice import notice
from deploy.samples.recipe import Recipe, digest_of, recipe
from deploy.samples.sources import Library, Pixels, default_cache, open_library

NOTICE: Final = "ROLL.md"
_DARK_STOPS: Final = -3.0
# Each holds a few hundred megabytes while it makes the largest picture.
_WORKERS: Final = 2


@dataclass(frozen=True)
class Step:
    """How far the build is: `done` of `total` pictures."""

    text: str
    done: int
    total: int


Report = Callable[[Step], None]


@dataclass(frozen=True)
class Roll:
    """A roll that lies ready.

    Attributes:
        folder: holds `DCIM`, `ROLL.md` and `roll.json`.
        pictures: the folder to import.
        files: what is true of each file.
        missing_packages: packages whose pictures could not be had.
        built: whether this call made it, rather than found it.
    """

    folder: Path
    pictures: Path
    files: tuple[RollFile, ...]
    missing_packages: tuple[str, ...]
    built: bool


def build_roll(
    target: Path,
    *,
    now: datetime,
    progress: Report = lambda _: None,
    library: Library | None = None,
    plan: Recipe | None = None,
) -> Roll:
    """Build the roll, or find it as an earlier call left it.

    Args:
        target: folder of the roll; is made when it is missing.
        now: aware; the roll ends on the day before.
        progress: told of each picture.
        library: the pictures to make it of; those of this machine by default.
        plan: what to make; `roll.toml` by default.

    Raises:
        TargetInUse: the folder holds pictures that are not of the roll.
        SourcesMissing: the extra `samples` is not installed.
    """
    found = manifest.read(target)
    plan = plan or recipe()
    digest = digest_of(plan)
    if found is not None and manifest.holds(found, target, recipe=digest, now=now):
        progress(Step("present", len(found.files), len(found.files)))
        return _roll(target, found, built=False)
    manifest.refuse_strangers(found, target)
    if library is None:
        library = open_library(default_cache(), told=lambda text: progress(Step(text, 0, 0)))
    return _roll(target, _build(target, plan, now, library, progress), built=True)


def _roll(target: Path, made: Manifest, *, built: bool) -> Roll:
    return Roll(target, target / manifest.PICTURES, made.files, made.missing_packages, built)


def _build(target: Path, plan: Recipe, now: datetime, library: Library, progress: Report) -> Manifest:
    frames = [chosen for frame in lay_out(plan, now) if (chosen := _chosen(frame, library)) is not None]
    if not any(frame.source for frame in frames):
        raise SourcesMissing("no picture was found; install pellicule with its extra `samples`")
    part = target / f"{manifest.PICTURES}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    rows = _develop_all(frames, library, part, now, progress)
    rows += _copy_all(plan, rows, part, now)
    made = Manifest(
        mark=MARK, recipe=digest_of(plan), built_for=now, usable_until=usable_until(frames),
        missing_packages=library.missing_packages, files=tuple(rows),
    )  # fmt: skip
    _put_in_place(target, part, made)
    return made


def _chosen(frame: Frame, library: Library) -> Frame | None:
    """Return a frame with a source that is at hand; nothing when it has none."""
    if frame.shot.draw or library.has(frame.source):
        return frame
    if frame.instead is None or not library.has(frame.instead[0]):
        return None
    source, look = frame.instead
    return replace(frame, source=source, look=look)


def _develop_all(
    frames: Sequence[Frame], library: Library, part: Path, now: datetime, progress: Report
) -> list[RollFile]:
    rows = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        for row in pool.map(lambda frame: _make(frame, library, part, now), frames):
            rows.append(row)
            progress(Step(row.file, len(rows), len(frames)))
    return rows


def _make(frame: Frame, library: Library, part: Path, now: datetime) -> RollFile:
    pixels = _pixels(frame, library)
    content = files.encoded(pixels, frame, catalogue()[frame.source] if frame.source else None)
    files.write(part / frame.name, content, frame.taken.timestamp())
    height, width = pixels.shape[:2]
    return RollFile(
        file=frame.name, shot=frame.id, kind=frame.shot.kind, event=frame.shot.event, burst=frame.burst,
        duplicate_of=None, blurred=frame.blurred, dark=frame.look.exposure <= _DARK_STOPS, faces=frame.faces,
        taken_at=frame.taken, position=frame.position, place=frame.shot.place or None,
        in_window=frame.taken > now - WINDOW, width=width, height=height,
        orientation=files.stored_orientation(frame), source=frame.source or None,
        sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content),
    )  # fmt: skip


def _pixels(frame: Frame, library: Library) -> Pixels:
    scene = drawn(frame, library) if frame.shot.draw else library.pixels(frame.source)
    if frame.shot.kind == "screenshot":
        return scene
    return develop(scene, frame.look, seeded("grain", frame.id))


def _copy_all(plan: Recipe, rows: Sequence[RollFile], part: Path, now: datetime) -> list[RollFile]:
    by_shot = {row.shot: row for row in rows}
    copies = []
    for copy in plan.copies:
        original = by_shot.get(copy.of)
        if original is not None:
            name = copy_name(copy, original.taken_at, now)
            shutil.copy2(part / original.file, part / name)
            copies.append(original.model_copy(update={"file": name, "duplicate_of": original.file}))
    return copies


def _put_in_place(target: Path, part: Path, made: Manifest) -> None:
    """Swap the new pictures in.

    The manifest comes before them: without them it does not hold, and the next run builds again; pictures without a
    manifest would be taken for somebody's own.
    """
    pictures = target / manifest.PICTURES
    shutil.rmtree(pictures, ignore_errors=True)
    (target / NOTICE).write_text(notice(made), "utf-8")
    (target / manifest.MANIFEST).write_text(made.model_dump_json(indent=1) + "\n", "utf-8")
    part.replace(pictures)
