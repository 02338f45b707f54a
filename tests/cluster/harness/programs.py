"""kubectl and helm, as an operator types them; what they say goes into the failure of the test that ran them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Document = Mapping[str, Any]


class ProgramFailed(AssertionError):
    """A program ended with an error, which is told whole."""


def run(command: Sequence[str], *, given: str | bytes | None = None, seconds: float = 300) -> str:
    """Run a program to its end; return its output."""
    text = given.encode() if isinstance(given, str) else given
    done = subprocess.run(command, input=text, capture_output=True, timeout=seconds, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise ProgramFailed(f"{' '.join(command)} ended with status {done.returncode}:\n{said[-6000:]}")
    return done.stdout.decode("utf-8", "replace")


@dataclass(frozen=True)
class Cluster:
    """A namespace of a cluster.

    Attributes:
        namespace: Where the commands are about.
    """

    namespace: str

    def kubectl(self, *arguments: str, given: str | bytes | None = None, seconds: float = 300) -> str:
        """Run kubectl in the namespace."""
        return run(["kubectl", f"--namespace={self.namespace}", *arguments], given=given, seconds=seconds)

    def apply(self, *documents: Document) -> None:
        """Make objects, or bring them to what the documents say."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=yaml.safe_dump_all(documents))

    def apply_file(self, file: Path) -> None:
        """Make the objects of a file."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(file))

    def get(self, kind: str, name: str) -> Document:
        """Return an object."""
        found: Document = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def every(self, kind: str, selector: str = "") -> Sequence[Document]:
        """Return the objects of a kind, or of several with commas between, that bear these labels."""
        listed = json.loads(self.kubectl("get", kind, "-o", "json", *([f"--selector={selector}"] if selector else [])))
        items: Sequence[Document] = listed["items"]
        return items

    def rolled_out(self, *names: str, seconds: float = 300) -> None:
        """Wait until workloads, each as `kind/name`, have all their pods ready."""
        for name in names:
            self.kubectl("rollout", "status", name, f"--timeout={seconds:.0f}s", seconds=seconds + 30)

    def run_in(self, pod: str, *command: str, given: str | bytes | None = None, seconds: float = 300) -> str:
        """Run a command in a pod; return its output."""
        stdin = ["-i"] if given is not None else []
        return self.kubectl("exec", *stdin, pod, "--", *command, given=given, seconds=seconds)

    def helm(self, *arguments: str, seconds: float = 900) -> str:
        """Run helm in the namespace."""
        return run(["helm", f"--namespace={self.namespace}", *arguments], seconds=seconds)


def secret(name: str, files: Mapping[str, str | bytes]) -> Document:
    """Return a Secret with these files."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": _texts(files)}


def config_map(name: str, files: Mapping[str, str | bytes]) -> Document:
    """Return a ConfigMap with these files."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": _texts(files)}


def _texts(files: Mapping[str, str | bytes]) -> Mapping[str, str]:
    return {name: content.decode() if isinstance(content, bytes) else content for name, content in files.items()}
