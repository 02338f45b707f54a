"""What a package needs is read out of the lock, which names for each who asks for it."""

import pytest

from deploy.images.lock import LockIncomplete, chosen, closure, read_lock, requirements, roots

_LOCK = """alpha==1 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via pellicule (pyproject.toml)
beta-two==2 \\
    --hash=sha256:bb
    # via
    #   alpha
    #   other
gamma==3 \\
    --hash=sha256:cc
    # via beta-two
other==4 \\
    --hash=sha256:dd
    # via
    #   pellicule (pyproject.toml)
"""
_PROJECT = {
    "project": {
        "dependencies": ["alpha[x]==1", "Beta_Two >= 2; python_version > '3'"],
        "optional-dependencies": {"more": ["other"]},
    }
}


def test_a_package_comes_with_all_that_it_asks_for() -> None:
    assert [pin.name for pin in closure(read_lock(_LOCK), ["alpha"])] == ["alpha", "beta-two", "gamma"]


def test_a_package_alone_comes_with_its_digests() -> None:
    (pin,) = chosen(read_lock(_LOCK), ["Alpha"])

    assert pin.requirement.split() == ["alpha==1", "\\", "--hash=sha256:aa", "\\", "--hash=sha256:ab"]


def test_the_project_stands_for_what_it_asks_for() -> None:
    assert roots("pellicule", _PROJECT) == ["alpha", "beta-two"]
    assert roots("pellicule[more]", _PROJECT) == ["alpha", "beta-two", "other"]
    assert roots("Gamma", _PROJECT) == ["gamma"]


def test_what_the_lock_does_not_have_is_named() -> None:
    with pytest.raises(LockIncomplete, match="delta"):
        closure(read_lock(_LOCK), ["alpha", "delta"])


def test_an_extra_that_is_not_there_is_named() -> None:
    with pytest.raises(LockIncomplete, match="nothing"):
        requirements(_PROJECT, ["nothing"])
