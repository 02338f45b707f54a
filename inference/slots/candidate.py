"""Candidate: the files of an operator's model, staged under the names that the server will find them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.restyling.assembly import FlowRestylerFiles, LatentRestylerFiles, RestylerFiles
from inference.restyling.diffusion.opening import Restyler
from inference.restyling.local import open_local
from inference.slots.contracts import FLOW, SlotContract
from inference.slots.trial import Trial

_THREADS = 2


@dataclass(frozen=True)
class Candidate:
    """A model on trial.

    Attributes:
        contract: of its slot.
        folder: where its files are.
        trials: its graphs, opened, by their names.
        styles: names of the styles of a restyler.
    """

    contract: SlotContract
    folder: Path
    trials: Mapping[str, Trial]
    styles: tuple[str, ...] = ()

    @property
    def only(self) -> Trial:
        """The graph, where there is but one."""
        (trial,) = self.trials.values()
        return trial

    def restyler(self) -> Restyler:
        """Open a restyler as it will be served.

        Raises:
            RestylerMisconfigured: the settings of a latent model cannot be.
        """
        return open_local(restyler_files(self.contract, self.folder, self.styles), threads=_THREADS)


def restyler_files(contract: SlotContract, folder: Path, styles: tuple[str, ...]) -> RestylerFiles:
    """Names the files of a restyler as those who serve it want them."""
    if contract.kind == FLOW:
        return FlowRestylerFiles(folder / f"{contract.graphs[0].name}.onnx", styles)
    return LatentRestylerFiles(folder)
