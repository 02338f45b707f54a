"""Opening of what fills the restyler's slot: one flow network, or the four graphs of a latent diffusion model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from .errors import RestylerMisconfigured
from .flow import GRAPH, FlowRestyler
from .latent import GRAPHS, LatentRestyler
from .latent_settings import SETTINGS_FILE, read_settings
from .request import Picture, RestyleRequest, Run, Stopped

FLOW: Final = "flow"
LATENT: Final = "latent"
OpenGraphs = Callable[[Sequence[str]], Run]
"""Opens graphs by their names."""


class Restyler(Protocol):
    """Paints photos anew."""

    styles: tuple[str, ...]

    def restyle(self, request: RestyleRequest, stopped: Stopped) -> Picture:
        """Paints one photo anew; see `FlowRestyler.restyle`."""


def open_restyler(family: str, styles: Sequence[str], folder: Path, graphs: OpenGraphs, *, canvas: int = 0) -> Restyler:
    """Open a restyler.

    Args:
        family: "flow" or "latent".
        styles: the names of the styles, by index; a latent one says them itself.
        folder: where a latent one's settings lie.
        graphs: opens the graphs.
        canvas: the only side that a flow network takes, in pixels; 0 for every multiple of 8.

    Raises:
        RestylerMisconfigured: there is no such family, or its settings cannot be.
    """
    if family == FLOW:
        return FlowRestyler(graphs((GRAPH,)), styles, canvas=canvas)
    if family == LATENT:
        settings = read_settings(folder / SETTINGS_FILE)
        return LatentRestyler(graphs(GRAPHS), settings)
    raise RestylerMisconfigured(f"family is {family!r}; choose {FLOW} or {LATENT}", field="family")
