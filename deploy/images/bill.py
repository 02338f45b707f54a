"""Bill of materials of an image (CycloneDX 1.5, JSON): every package in it, and what each needs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from deploy.images.archive import ImageArchive
from deploy.images.packages import Package, packages

SPECIFICATION: Final = "1.5"


def bill(image: ImageArchive, *, version: str, epoch: int) -> Mapping[str, object]:
    """Return the document; the same image gives the same one.

    Args:
        image: What is described, read with `packages.is_wanted`.
        version: Of Pellicule.
        epoch: The time that it bears, in seconds since 1970.
    """
    found = packages(image.files)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_OID, image.image_id)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z"),
            "component": _image(image, version),
        },
        "components": [_component(package) for package in found],
        "dependencies": _dependencies(image, found),
    }


def _image(image: ImageArchive, version: str) -> Mapping[str, object]:
    return {
        "type": "container",
        "bom-ref": _reference(image),
        "name": image.name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": image.image_id}],
    }


def _reference(image: ImageArchive) -> str:
    return f"sha256:{image.image_id}"


def _component(package: Package) -> Mapping[str, object]:
    kept = {"type": "library", "bom-ref": package.url, "name": package.name, "version": package.version}
    licences = {"licenses": [{"license": {"name": package.licence}}]} if package.licence else {}
    return {**kept, **licences, "purl": package.url}


def _dependencies(image: ImageArchive, found: Sequence[Package]) -> Sequence[Mapping[str, object]]:
    here = {package.name: package.url for package in found if package.url.startswith("pkg:pypi/")}
    of_image = {"ref": _reference(image), "dependsOn": [package.url for package in found]}
    needs = ({here[name] for name in package.needs if name in here} - {package.url} for package in found)
    rows = [{"ref": p.url, "dependsOn": sorted(n)} for p, n in zip(found, needs, strict=True) if n]
    return [of_image, *rows]
