import pytest

from inference.client.verdicts import Verdict, verdict


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("StatusCode.UNAVAILABLE", "[request id: 1] Exceeds maximum queue size", Verdict.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "Request timeout expired", Verdict.OVERLOAD),
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", Verdict.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' has no available versions", Verdict.RETRY),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'x' is not found", Verdict.MISSING),
        ("StatusCode.CANCELLED", "", Verdict.RETRY),
        ("StatusCode.INTERNAL", "Stub process 'x_0_1' is not healthy.", Verdict.BREAK),
        ("StatusCode.INTERNAL", "CUDA out of memory", Verdict.MEMORY),
        ("StatusCode.INTERNAL", "Fail: a node failed", Verdict.FAILED),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape", Verdict.REFUSED),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", Verdict.SLOW),
        ("None", "something new", Verdict.BREAK),
    ],
)
def test_every_error_has_its_verdict(code: str, message: str, expected: Verdict) -> None:
    assert verdict(code, message) is expected
