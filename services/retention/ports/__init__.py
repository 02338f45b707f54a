"""Ports of retention: the store, one transaction at a time, the epoch keys and the news of what is destroyed."""

from services.retention.ports.erasures import AccountDeletions, Erasures, Orders, Requests
from services.retention.ports.keys import DataKeys, DataKeyWrapper, EpochKeys, Epochs, Purposes
from services.retention.ports.store import RevocationFeed, Store, Transaction

__all__ = [
    "AccountDeletions",
    "DataKeyWrapper",
    "DataKeys",
    "EpochKeys",
    "Epochs",
    "Erasures",
    "Orders",
    "Purposes",
    "Requests",
    "RevocationFeed",
    "Store",
    "Transaction",
]
