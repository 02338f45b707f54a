"""Image archives of a few bytes, as engines write them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_archive(path: Path, layers: Sequence[Mapping[str, bytes]], *, name: str = "pellicule:test") -> Path:
    """Write an archive of an image with these layers, each the files that it adds by their path."""
    steps = [{"created_by": f"step {number}"} for number in range(len(layers))]
    config = json.dumps({"history": [*steps, {"created_by": "USER 1", "empty_layer": True}]}).encode()
    names = [f"{number}.tar" for number in range(len(layers))]
    manifest = [{"Config": f"{_digest(config)}.json", "RepoTags": [name], "Layers": names}]
    files = {
        "manifest.json": json.dumps(manifest).encode(),
        f"{_digest(config)}.json": config,
        **{file: _tar(layer) for file, layer in zip(names, layers, strict=True)},
    }
    path.write_bytes(_tar(files))
    return path


def metadata(name: str, version: str, *lines: str) -> dict[str, bytes]:
    """Return the file by which a distribution of Python tells of itself."""
    place = f"opt/pellicule/lib/python3.11/site-packages/{name}-{version}.dist-info/METADATA"
    return {place: "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""]).encode()}


def _tar(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
