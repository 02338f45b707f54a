"""NOTICE that goes with built models: whose work they are and under which terms."""

from collections.abc import Sequence
from typing import Final

from inference.model_build.manifest import Manifest, PackageSource

NOTICE_FILE: Final = "NOTICE"
_HEAD: Final = """\
Pellicule's model set: licences of the weights, and the terms of the pictures they were learnt from.
The weights are taken out of the packages named here when the models are built; they are not part of Pellicule.
"""


def notice(manifests: Sequence[Manifest]) -> str:
    """Write the NOTICE of a set of models, in the order given."""
    return "\n".join([_HEAD, *(_section(manifest) for manifest in manifests)])


def _section(manifest: Manifest) -> str:
    source, licence = manifest.source, manifest.licence
    if isinstance(source, PackageSource):
        origin = f"{source.member} of the Python package {source.package} {source.version}"
    else:
        origin = f"{source.file}, trained by {source.trained_by}"
    return (
        f"{manifest.identity}\n"
        f"  Upstream:   {licence.upstream}\n"
        f"  Weights:    {origin}\n"
        f"  Licence:    {licence.spdx}. {licence.copyright}\n"
        f"  Data:       {licence.data}\n"
        f"  Data terms: {licence.data_terms}\n"
    )
