"""Engines in a bucket: `<prefix>/<key>/<SHA-256 of the plan>.plan`, and `manifest.json` beside it, which commits it.

Plans are named by what they hold, so that two nodes that build one key never write over each other, and a manifest is
written once and never over another one: the first node to finish wins. A plan that no manifest names is no engine,
and the next node to publish the key removes it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from inference.engines.committed import plan_folder, verify
from inference.engines.errors import EngineDamaged, EngineMissing
from inference.engines.manifest import MANIFEST_FILE, PLAN_FILE, Engine, parse_manifest, read_manifest
from inference.folders import alone, file_digest, move_into_place, scratch_folder
from inference.objects import Bucket, Objects

PREFIX: Final = "engines"


class EngineStore:
    """Bucket of engines, and the home on this machine; not for use by two threads at a time.

    Every call raises `StoreUnavailable` when the store does not answer, or refuses.
    """

    def __init__(self, bucket: Bucket, home: Path) -> None:
        self._objects, self._home = Objects(bucket), home

    def close(self) -> None:
        """Close the connections."""
        self._objects.close()

    def publish(self, key: str) -> bool:
        """Upload a committed engine, its manifest last; return whether it is new there.

        Raises:
            EngineError: as `verify` does.
        """
        engine, folder = verify(self._home, key), plan_folder(self._home, key)
        if self._objects.read(_manifest(key)) is not None:
            return False
        self._objects.upload(folder / PLAN_FILE, _plan(engine))
        new = self._objects.commit(_manifest(key), (folder / MANIFEST_FILE).read_bytes())
        self._remove_unnamed(key)
        return new

    def fetch(self, key: str) -> bool:
        """Install a published engine under the home; return whether it is new here.

        Raises:
            EngineMissing: it is not published.
            EngineDamaged: the plan is not the one that the manifest names; nothing was installed.
            ObjectMissing: the manifest is there and the plan is not; likewise.
        """
        if read_manifest(plan_folder(self._home, key)) is not None:
            verify(self._home, key)
            return False
        text = self._objects.read(_manifest(key))
        if text is None:
            raise EngineMissing(f"{key} is not published in {self._objects.place}; build it on the node", field=key)
        with alone(self._home), scratch_folder(self._home) as scratch:
            self._get_plan(self._parsed(key, text), scratch / PLAN_FILE)
            (scratch / MANIFEST_FILE).write_bytes(text)
            move_into_place(scratch, plan_folder(self._home, key))
        return True

    def engines(self, models: Iterable[str]) -> list[Engine]:
        """Return the manifests of what is published of these models.

        Raises:
            EngineDamaged: one is not as it was written.
        """
        names = [name for model in models for name in self._objects.names(f"{model}/")]
        keys = [name.removesuffix(f"/{MANIFEST_FILE}") for name in names if name.endswith(f"/{MANIFEST_FILE}")]
        return [self._parsed(key, text) for key in keys if (text := self._objects.read(_manifest(key))) is not None]

    def _parsed(self, key: str, text: bytes) -> Engine:
        return parse_manifest(text, f"{self._objects.place}/{PREFIX}/{_manifest(key)}", key)

    def _remove_unnamed(self, key: str) -> None:
        """Remove the plans of a key that its manifest does not name: of an upload that was cut, or came second."""
        engine = self._parsed(key, self._objects.read(_manifest(key)) or b"")
        for name in self._objects.names(f"{key}/"):
            if name.endswith(".plan") and name != _plan(engine):
                self._objects.remove(name)

    def _get_plan(self, engine: Engine, path: Path) -> None:
        self._objects.download(_plan(engine), path)
        if file_digest(path) != engine.plan.sha256:
            raise EngineDamaged(
                f"{engine.key}: the plan in {self._objects.place} has another digest than its manifest says; nothing "
                "was installed. Delete both objects there and publish it anew",
                field=engine.key,
            )


def _manifest(key: str) -> str:
    return f"{key}/{MANIFEST_FILE}"


def _plan(engine: Engine) -> str:
    return f"{engine.key}/{engine.plan.sha256}.plan"
