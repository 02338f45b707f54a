"""Ports of retention: the store, one transaction at a time, the epoch keys and the news of what is destroyed."""

from services.retention.ports.erasures import AccountDeletions, Erasures, Orders, Requests
from services.retention.ports.journal import DestructionJournal, JournalReplays
from services.retention.ports.keys import DataKeys, DataKeyWrapper, EpochKeys, Epochs, Purposes
from services.retention.ports.revocations import AwaitedDestruction, Replicas, RevocationFeed
from services.retention.ports.store import Store, Transaction

__all__ = [
    "AccountDeletions",
    "AwaitedDestruction",
    "DataKeyWrapper",
    "DataKeys",
    "DestructionJournal",
    "EpochKeys",
    "Epochs",
    "Erasures",
    "JournalReplays",
    "Orders",
    "Purposes",
    "Replicas",
    "Requests",
    "RevocationFeed",
    "Store",
    "Transaction",
]
