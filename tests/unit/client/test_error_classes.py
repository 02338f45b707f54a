import pytest

from inference.client.error_classes import ErrorClass, classify


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("StatusCode.UNAVAILABLE", "[request id: 1] Exceeds maximum queue size", ErrorClass.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "Request timeout expired", ErrorClass.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", ErrorClass.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' has no available versions", ErrorClass.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' is not found", ErrorClass.MISSING),
        ("StatusCode.CANCELLED", "", ErrorClass.RETRY),
        ("StatusCode.INTERNAL", "Stub process 'x_0_1' is not healthy.", ErrorClass.BREAK),
        ("StatusCode.INTERNAL", "CUDA out of memory", ErrorClass.MEMORY),
        ("StatusCode.INTERNAL", "Fail: a node failed", ErrorClass.FAILED),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape", ErrorClass.REFUSED),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", ErrorClass.SLOW),
        ("None", "something new", ErrorClass.BREAK),
    ],
)
def test_every_error_has_its_class(code: str, message: str, expected: ErrorClass) -> None:
    assert classify(code, message) is expected
