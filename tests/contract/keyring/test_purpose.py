from pellicule.type.v1 import purpose_pb2
from services.keyring import PURPOSES


def test_the_purposes_are_those_of_the_contract() -> None:
    assert [f"PURPOSE_{purpose}" for purpose in PURPOSES] == purpose_pb2.Purpose.keys()[1:]
