"""Check of a model against the contract of its slot: first what its files declare, then what it does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from inference.restyling.diffusion.errors import RestylingError
from inference.restyling.diffusion.latent_settings import SETTINGS_FILE, read_settings
from inference.slots import faces, graphs, restyling, scenes, sentences
from inference.slots.candidate import Candidate
from inference.slots.contracts import FLOW, LATENT, SlotContract, SlotName
from inference.slots.files import FoundGraph, read_graph
from inference.slots.tensors import compare
from inference.slots.trial import Refused, Trial
from inference.slots.violations import Violation

Behaviour: TypeAlias = Callable[[Candidate], Iterable[Violation]]
Report: TypeAlias = Callable[["Step"], None]

BEHAVIOURS: Final[Mapping[SlotName, tuple[Behaviour, ...]]] = {
    SlotName.FACE_DETECTOR: (faces.finds_faces, faces.finds_nobody),
    SlotName.FACE_EMBEDDER: (faces.tells_people_apart,),
    SlotName.SCENE_ENCODER: (
        scenes.tells_what_is_shown,
        scenes.tells_the_kind,
        scenes.describes_alike_what_looks_alike,
    ),
    SlotName.TEXT_ENCODER: (sentences.knows_what_is_meant, sentences.ignores_padding),
    SlotName.RESTYLER: (
        graphs.run_alone,
        restyling.stays_near_the_photo,
        restyling.is_drawn_by_its_seed,
        restyling.follows_its_styles,
    ),
}


@dataclass(frozen=True)
class Step:
    """A step of a check: `done` of `total` are finished, and `name` is under way."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        violations: every point at which the contract is broken; none if it may be served.
        candidate: the model, opened; None if it could not be.
    """

    violations: tuple[Violation, ...]
    candidate: Candidate | None = None


def check(contract: SlotContract, folder: Path, report: Report = lambda _: None) -> Checked:
    """Check the files in a folder, which have the names of the contract's graphs.

    What a file declares wrongly keeps it from being run; then its behaviour is not looked at.

    Args:
        contract: what they have to fulfil.
        folder: where they are.
        report: told of each step.
    """
    behaviours = BEHAVIOURS[contract.slot]
    total = len(contract.graphs) * 2 + len(behaviours)
    declared: dict[str, FoundGraph] = {}
    violations: list[Violation] = []
    for done, graph in enumerate(contract.graphs):
        report(Step(f"reading {graph.name}", done, total))
        found = read_graph(folder / f"{graph.name}.onnx", largest_bytes=contract.largest_bytes)
        if isinstance(found, FoundGraph):
            declared[graph.name] = found
            found = compare(graph, found)
        violations += found
    styles, faults = _styles(contract, folder, declared)
    violations += faults
    candidate = None
    if not violations:
        tell = partial(_forward, report, len(contract.graphs), total)
        candidate, found_later = _behave(contract, folder, styles, tell)
        violations += found_later
    report(Step("checked", total, total))
    return Checked(tuple(dict.fromkeys(violations)), candidate)


def _forward(report: Report, before: int, total: int, name: str, done: int) -> None:
    report(Step(name, before + done, total))


def _behave(
    contract: SlotContract, folder: Path, styles: tuple[str, ...], report: Callable[[str, int], None]
) -> tuple[Candidate | None, list[Violation]]:
    trials: dict[str, Trial] = {}
    try:
        for done, graph in enumerate(contract.graphs):
            report(f"opening {graph.name}", done)
            trials[graph.name] = Trial(folder / f"{graph.name}.onnx", graph)
    except Refused as refused:
        return None, list(refused.violations)
    candidate = Candidate(contract, folder, trials, styles)
    violations: list[Violation] = []
    for done, behaviour in enumerate(BEHAVIOURS[contract.slot], len(trials)):
        report(behaviour.__name__.replace("_", " "), done)
        violations += _seen(behaviour, candidate)
    return candidate, violations


def _seen(behaviour: Behaviour, candidate: Candidate) -> Sequence[Violation]:
    """Try one behaviour; an answer of which nothing can be told is a violation too."""
    found: list[Violation] = []
    try:
        found.extend(behaviour(candidate))
    except Refused as refused:
        found.extend(refused.violations)
    return found


def _styles(
    contract: SlotContract, folder: Path, declared: Mapping[str, FoundGraph]
) -> tuple[tuple[str, ...], list[Violation]]:
    """Return the names of a restyler's styles, or why there are none."""
    if contract.kind == LATENT:
        try:
            return read_settings(folder / SETTINGS_FILE).styles, []
        except RestylingError as error:
            remedy = "an object with sampler, prediction and styles; docs/slots.md has one"
            return (), [Violation(SETTINGS_FILE, str(error), "the settings of a latent model", remedy)]
    if contract.kind != FLOW or contract.graphs[0].name not in declared:
        return (), []
    styles = declared[contract.graphs[0].name].styles
    if styles:
        return styles, []
    remedy = "add it with onnx.helper.set_model_props(model, {'styles': 'oil,pencil'})"
    expected = "the names of the styles, by index, with commas"
    return (), [Violation("metadata property 'styles'", "none", expected, remedy)]
