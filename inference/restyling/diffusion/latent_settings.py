"""Settings of a latent diffusion model besides its four graphs: read from `latent.json` in its folder.

An object with `sampler` ("turbo" or "lcm"), `prediction` ("epsilon", or "v_prediction"), `scaling_factor` (0.18215
when it is left out), and `styles`: a list of objects with `name` and `input_ids`, the 77 token ids of its prompt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from .errors import RestylerMisconfigured

SETTINGS_FILE: Final = "latent.json"
PROMPT_LENGTH: Final = 77
SAMPLERS: Final = ("turbo", "lcm")
PREDICTIONS: Final = ("epsilon", "v_prediction")
SCALING_FACTOR: Final = 0.18215
"""Of the autoencoder that Stable Diffusion 1 and 2 share (Rombach et al., CVPR 2022)."""


@dataclass(frozen=True)
class LatentSettings:
    """The settings of a latent diffusion model.

    Attributes:
        sampler: "turbo" for adversarially distilled networks, "lcm" for consistency networks.
        prediction: what the network answers: "epsilon" (the noise) or "v_prediction".
        scaling_factor: latents are multiplied by it after encoding.
        styles: the names of the styles, by index.
        input_ids: 77 token ids of each style's prompt.
    """

    sampler: str
    prediction: str
    scaling_factor: float
    styles: tuple[str, ...]
    input_ids: tuple[tuple[int, ...], ...]


def read_settings(path: Path) -> LatentSettings:
    """Read `latent.json`.

    Raises:
        RestylerMisconfigured: it is missing, is no JSON, or says what cannot be; the message says where.
    """
    try:
        table = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise RestylerMisconfigured(f"{path}: missing; it names the sampler and the styles", field=path.name) from error
    except ValueError as error:
        raise RestylerMisconfigured(f"{path}: not JSON: {error}", field=path.name) from error
    if not isinstance(table, dict):
        raise RestylerMisconfigured(f"{path}: has to be an object", field=path.name)
    return parse_settings(table)


def parse_settings(table: Mapping[str, object]) -> LatentSettings:
    """Make settings out of what `latent.json` holds.

    Raises:
        RestylerMisconfigured: a value cannot be; `field` names it.
    """
    unknown = set(table) - {"sampler", "prediction", "scaling_factor", "styles"}
    if unknown:
        raise _wrong(min(unknown), "no such setting")
    styles = _styles(table.get("styles"))
    return LatentSettings(
        sampler=_one_of("sampler", table.get("sampler"), SAMPLERS),
        prediction=_one_of("prediction", table.get("prediction", "epsilon"), PREDICTIONS),
        scaling_factor=_positive(table.get("scaling_factor", SCALING_FACTOR)),
        styles=tuple(name for name, _ in styles),
        input_ids=tuple(ids for _, ids in styles),
    )


def _one_of(name: str, value: object, choices: Sequence[str]) -> str:
    if value not in choices:
        raise _wrong(name, f"is {value!r}; choose one of {', '.join(choices)}")
    return str(value)


def _positive(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise _wrong("scaling_factor", f"is {value!r}; give a number above 0")
    return float(value)


def _styles(value: object) -> list[tuple[str, tuple[int, ...]]]:
    if not isinstance(value, list) or not value:
        raise _wrong("styles", "give at least one, each with `name` and `input_ids`")
    styles = [_style(index, entry) for index, entry in enumerate(value)]
    if len({name for name, _ in styles}) != len(styles):
        raise _wrong("styles", "two have the same name")
    return styles


def _style(index: int, entry: object) -> tuple[str, tuple[int, ...]]:
    table = entry if isinstance(entry, dict) else {}
    name, ids = table.get("name"), table.get("input_ids")
    if not isinstance(name, str) or not name.replace("_", "").replace("-", "").isalnum():
        raise _wrong(f"styles[{index}].name", "give a name of letters, digits, - and _")
    if not isinstance(ids, list) or len(ids) != PROMPT_LENGTH or not all(_is_id(each) for each in ids):
        raise _wrong(f"styles[{index}].input_ids", f"give {PROMPT_LENGTH} token ids")
    return name, tuple(cast("list[int]", ids))


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _wrong(name: str, what: str) -> RestylerMisconfigured:
    return RestylerMisconfigured(f"{SETTINGS_FILE}: {name}: {what}", field=name)
