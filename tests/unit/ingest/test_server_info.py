from services.chassis.languages import OFFERED
from services.ingest.domain.policy import Policy
from services.ingest.translation.server_info import server_info
from services.keyring import PURPOSES
from tests.fakes.clock import FakeClock


def test_an_installation_says_what_it_takes() -> None:
    now = FakeClock().now()
    info = server_info(Policy(max_bytes=5_000_000), now)
    assert info.version
    assert set(info.content_types) == {"image/jpeg", "image/png", "image/webp", "image/heic", "image/avif"}
    assert (info.max_size_bytes, info.max_batch_file_bytes, info.max_chunk_bytes) == (5_000_000, 5_000_000, 1 << 20)
    assert (info.window_days, info.retention_days, info.upload_hours) == (30, 30, 24)
    assert (info.max_batch_count, info.reduced_long_side) == (1000, 2048)
    assert list(info.language_codes) == list(OFFERED)
    assert len(info.purposes) == len(PURPOSES)
    assert info.server_time.ToDatetime(now.tzinfo) == now
