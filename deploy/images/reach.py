"""Reach of requirements in an environment: what is installed there and asked for by nothing.

Run as `python -m deploy.images.reach EXTRA...` with the environment's own Python; prints the packages that can go. The
lock names a package for whatever extra of another asks for it, so that some are installed in vain.
"""

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement

from deploy.images.lock import ROOT, normalised, read_project, requirements


def reached(wanted: Iterable[str]) -> frozenset[str]:
    """Return the names of the installed packages that these requirements need, directly or not."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(each) for each in wanted]
    while waiting:
        requirement = waiting.pop()
        key = (normalised(requirement.name), frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            waiting += _asked_for_by(requirement)
    return frozenset(name for name, _ in seen)


def installed() -> frozenset[str]:
    """Return the names of all packages of this environment."""
    return frozenset(normalised(each.metadata["Name"]) for each in distributions())


def _asked_for_by(requirement: Requirement) -> Sequence[Requirement]:
    extras = ("", *requirement.extras)
    try:
        texts = distribution(requirement.name).requires or ()
    except PackageNotFoundError:
        return []
    asked = map(Requirement, texts)
    return [each for each in asked if each.marker is None or any(each.marker.evaluate({"extra": e}) for e in extras)]


def main(extras: Sequence[str]) -> int:
    """Print what the project with these extras does not need, a name a line."""
    wanted = requirements(read_project(ROOT), extras)
    sys.stdout.write("".join(f"{name}\n" for name in sorted(installed() - reached(wanted))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
