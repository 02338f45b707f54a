import mmap
from pathlib import Path

import onnxruntime
import pytest

# Names in the binaries of the releases that upload usage data (1.29 and later, as of 1.32).
UPLOADER = (b"Microsoft::Applications::Events", b"Microsoft12Applications6Events", b"telemetry_1ds")
LIBRARIES = sorted(Path(onnxruntime.__file__).parent.rglob("*.so*"))


def test_there_are_libraries_to_look_into() -> None:
    assert LIBRARIES


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_the_runtime_holds_no_uploader(library: Path) -> None:
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        assert [name for name in UPLOADER if content.find(name) != -1] == []
