"""Sealing: AES-256-GCM for records, and for objects in chunks that cannot be cut short or swapped.

Objects follow the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar, 2015): header = version byte and
a random 7-byte prefix; then each 1 MiB chunk of plaintext sealed under the nonce
`prefix(7) | counter(4, big-endian) | part(7 bits), last(1 bit)`. A missing tail, a swapped or repeated chunk and a
chunk of another object all fail to open. What goes on after an interruption is another part, so that a chunk which was
sealed before and lost never shares its nonce with the one in its place; the opener tries the parts in their order. The
additional data is `<artefact>|<purpose>`, so that a ciphertext moved to another artefact or purpose fails too.
"""

import os
import struct
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK_SIZE = 1024 * 1024
"""Bytes of plaintext in a chunk; the last one may be shorter."""
TAG_SIZE = 16
PREFIX_SIZE = 7
HEADER_SIZE = 1 + PREFIX_SIZE
SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE

_NONCE_SIZE = 12
_VERSION = b"\x01"
_MAX_CHUNKS = 2**32
MAX_PARTS = 128
"""Parts of an object: it is begun once, and gone on with once less than this."""

Buffer: TypeAlias = bytes | bytearray | memoryview


class SealBroken(Exception):
    """The bytes were not sealed with this key for this artefact and purpose, or were altered or cut."""

    def __init__(self) -> None:
        super().__init__("the seal does not open: wrong key, wrong artefact or purpose, or altered bytes")


def seal_bytes(key: bytes, plaintext: Buffer, aad: bytes) -> bytes:
    """Seals a small record under a random nonce.

    Args:
        key: 32 bytes, made for this artefact alone.
        plaintext: Up to a few MiB.
        aad: `<artefact>|<purpose>`.

    Returns:
        Nonce (12 bytes), ciphertext, tag (16 bytes).
    """
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def open_bytes(key: bytes, sealed: Buffer, aad: bytes) -> bytes:
    """Open what `seal_bytes` sealed.

    Raises:
        SealBroken: wrong key or `aad`, or altered bytes.
    """
    view = memoryview(sealed)
    return _open(AESGCM(key), bytes(view[:_NONCE_SIZE]), view[_NONCE_SIZE:], aad)


def seal_size(plain: int) -> int:
    """Return the size in bytes of a sealed object of `plain` bytes."""
    return HEADER_SIZE + plain + TAG_SIZE * max(1, -(-plain // CHUNK_SIZE))


def chunk_position(number: int) -> int:
    """Return where in a sealed object the chunk of that number begins, counted from 0; the first with the header."""
    return HEADER_SIZE + number * SEALED_CHUNK_SIZE if number else 0


def seal_object(key: bytes, plaintext: Buffer, aad: bytes) -> bytes:
    """Seals a whole object that is in memory; the same format as `StreamSealer`."""
    sealer = StreamSealer(key, aad)
    return b"".join((sealer.update(plaintext), sealer.finish()))


def open_object(key: bytes, sealed: Buffer, aad: bytes) -> bytes:
    """Open a whole object that is in memory.

    Raises:
        SealBroken: wrong key or `aad`, or altered, cut or reordered bytes.
    """
    opener = StreamOpener(key, aad)
    return b"".join((opener.update(sealed), opener.finish()))


class StreamSealer:
    """Seals an object as its bytes come in; holds back at most one chunk.

    To go on after an interruption, give `first_chunk`, the `prefix` of the first part and a higher `part` than any that
    has sealed anything of this object, and feed the bytes from `first_chunk * CHUNK_SIZE` on; the header is not written
    again. Two sealers of one prefix and part would reuse a nonce.
    """

    def __init__(
        self, key: bytes, aad: bytes, *, first_chunk: int = 0, prefix: bytes | None = None, part: int = 0
    ) -> None:
        if (first_chunk > 0) != (prefix is not None):
            raise ValueError("to go on, give both first_chunk and the prefix of the part that is stored")
        if not 0 <= part < MAX_PARTS:
            raise ValueError(f"an object has at most {MAX_PARTS} parts")
        self._cipher = AESGCM(key)
        self._aad = aad
        self._counter = first_chunk
        self._part = part
        self._header_due = first_chunk == 0
        self._pending = _Pending()
        self.prefix = os.urandom(PREFIX_SIZE) if prefix is None else prefix

    @property
    def next_chunk(self) -> int:
        """Number of the chunk that will be sealed next."""
        return self._counter

    @property
    def held_back(self) -> bytes:
        """Plaintext of the chunk that has not been sealed yet: at most `CHUNK_SIZE` bytes."""
        return self._pending.whole()

    @property
    def held_back_size(self) -> int:
        """How many bytes have not been sealed yet."""
        return self._pending.size

    def update(self, data: Buffer) -> bytes:
        """Take plaintext and return the sealed chunks that are ready, perhaps none.

        The chunk that may be the last is held back, so its flag can be set. `data` must not change before
        the next call.
        """
        self._pending.add(data)
        parts = [self._header()]
        while self._pending.size > CHUNK_SIZE:
            parts.append(self._seal(self._pending.take(CHUNK_SIZE), last=False))
        return b"".join(parts) if len(parts) > 2 or parts[0] else b"".join(parts[1:])

    def finish(self) -> bytes:
        """Return the last sealed chunk, which may be of zero bytes."""
        return self._header() + self._seal(self._pending.take(self._pending.size), last=True)

    def _header(self) -> bytes:
        due, self._header_due = self._header_due, False
        return _VERSION + self.prefix if due else b""

    def _seal(self, chunk: Buffer, *, last: bool) -> bytes:
        nonce = _nonce(self.prefix, self._counter, self._part, last=last)
        self._counter += 1
        return self._cipher.encrypt(nonce, chunk, self._aad)


class StreamOpener:
    """Opens a sealed object as its bytes come in.

    Every chunk returned is authentic; that nothing is missing at the end is known only when `finish`
    returns.

    To begin within the object, give `first_chunk` and the object's first `HEADER_SIZE` bytes, and feed it from
    `chunk_position(first_chunk)` on.
    """

    def __init__(self, key: bytes, aad: bytes, *, first_chunk: int = 0, header: bytes | None = None) -> None:
        if (first_chunk > 0) != (header is not None):
            raise ValueError("to begin within, give both first_chunk and the header")
        self._cipher = AESGCM(key)
        self._aad = aad
        self._counter = first_chunk
        self._part = 0
        self._prefix = None if header is None else _read_header(header)
        self._pending = _Pending()

    def update(self, data: Buffer) -> bytes:
        """Take sealed bytes and return the plaintext of the chunks that are ready, perhaps none.

        Raises:
            SealBroken: wrong key or `aad`, or altered or reordered bytes.
        """
        self._pending.add(data)
        if self._prefix is None and self._pending.size >= HEADER_SIZE:
            self._prefix = _read_header(bytes(self._pending.take(HEADER_SIZE)))
        parts: list[bytes] = []
        while self._prefix is not None and self._pending.size > SEALED_CHUNK_SIZE:
            parts.append(self._open(self._prefix, self._pending.take(SEALED_CHUNK_SIZE), last=False))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> bytes:
        """Return the plaintext of the last chunk.

        Raises:
            SealBroken: the object was cut short, or as for `update`.
        """
        if self._prefix is None:
            raise SealBroken
        return self._open(self._prefix, self._pending.take(self._pending.size), last=True)

    def _open(self, prefix: bytes, chunk: Buffer, *, last: bool) -> bytes:
        parts = range(self._part, MAX_PARTS if self._counter else 1)  # the first chunk is never one gone on with
        for part in parts:
            try:
                opened = _open(self._cipher, _nonce(prefix, self._counter, part, last=last), chunk, self._aad)
            except SealBroken:
                continue
            self._part, self._counter = part, self._counter + 1
            return opened
        raise SealBroken


_MOST_VIEWS = 64


class _Pending:
    """Bytes that wait for their chunk to fill, kept as views: a whole chunk is never copied."""

    def __init__(self) -> None:
        self._views: list[memoryview] = []
        self.size = 0

    def add(self, data: Buffer) -> None:
        view = memoryview(data)
        if view.nbytes:
            self._views.append(view)
            self.size += view.nbytes
        if len(self._views) > _MOST_VIEWS:  # a view of one byte takes two hundred
            self._views = [memoryview(self.whole())]

    def whole(self) -> bytes:
        return b"".join(self._views)

    def take(self, size: int) -> Buffer:
        """Remove and return the first `size` bytes, which must be there."""
        taken: list[memoryview] = []
        missing = size
        while missing:
            view = self._views.pop(0)
            if view.nbytes > missing:
                self._views.insert(0, view[missing:])
                view = view[:missing]
            taken.append(view)
            missing -= view.nbytes
        self.size -= size
        return taken[0] if len(taken) == 1 else b"".join(taken)


def _open(cipher: AESGCM, nonce: bytes, sealed: Buffer, aad: bytes) -> bytes:
    if len(nonce) != _NONCE_SIZE or len(sealed) < TAG_SIZE:
        raise SealBroken
    try:
        return cipher.decrypt(nonce, sealed, aad)
    except InvalidTag as error:
        raise SealBroken from error


def _nonce(prefix: bytes, counter: int, part: int, *, last: bool) -> bytes:
    if counter >= _MAX_CHUNKS:
        raise ValueError("an object has at most 2**32 chunks")
    return prefix + struct.pack(">IB", counter, part << 1 | last)


def _read_header(header: bytes) -> bytes:
    if header[:1] != _VERSION:
        raise SealBroken
    return header[1:]
