"""Wrapping of data keys under the key of their purpose and that of an epoch together: without either none opens."""

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.retention.domain.keys import KEY_SIZE, NO_EPOCH, PurposeKey, WrappedKey, data_key_aad
from services.retention.epochs.wrapping import Wrapper


class DataKeyWrapper:
    """Implements `ports.DataKeyWrapper`.

    Args:
        purpose_key: The purpose key whose data keys these are.
        secret: The same in clear.
        epoch_secret: Gives the key of an epoch; raises `EpochGone`.
    """

    def __init__(self, purpose_key: PurposeKey, secret: bytes, epoch_secret: Callable[[str], bytes]) -> None:
        self._purpose_key = purpose_key
        self._secret = secret
        self._epoch_secret = epoch_secret
        self._wrappers: dict[str, Wrapper] = {}

    def wrap(self, id_: str, secret: bytes, epoch: str) -> WrappedKey:
        """Wrap a data key under an epoch.

        Raises:
            EpochGone: the epoch's key is destroyed.
        """
        return WrappedKey(epoch, self._under(epoch).wrap(secret, data_key_aad(id_, self._purpose_key.purpose, epoch)))

    def unwrap(self, id_: str, wrapped: WrappedKey) -> bytes:
        """Return a data key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed.
            WrapBroken: the row was altered, or another key has taken the place of its epoch's.
        """
        aad = data_key_aad(id_, self._purpose_key.purpose, wrapped.epoch)
        return self._under(wrapped.epoch).unwrap(wrapped.sealed, aad)

    def _under(self, epoch: str) -> Wrapper:
        if epoch not in self._wrappers:
            self._wrappers[epoch] = Wrapper(self._key(epoch))
        return self._wrappers[epoch]

    def _key(self, epoch: str) -> bytes:
        if epoch == NO_EPOCH:
            return self._secret
        info = b"|".join((b"data keys", self._purpose_key.aad, epoch.encode()))
        return HKDF(SHA256(), KEY_SIZE, salt=self._epoch_secret(epoch), info=info).derive(self._secret)
