"""Settings of the consent service."""

from pathlib import Path

from services.chassis.settings import ProcessSettings, RetentionClientSettings
from services.journal.settings import JournalSettings


class Settings(ProcessSettings, RetentionClientSettings, JournalSettings):
    """What the process reads from its environment."""

    receipt_key_file: Path
    """Ed25519 private key, PEM: signs receipts. Keep its public key for as long as receipts are checked."""
    record_key_file: Path
    """32 random bytes in hex: wraps the keys of persons' records. Without it what was written down is lost."""
    policy_file: Path = Path(__file__).parent / "notices" / "policy.yaml"
    """What is offered where and to whom."""
