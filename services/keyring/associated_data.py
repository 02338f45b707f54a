"""Associated data of seals: the bytes that services agree on, so that one can open what another has sealed.

Changing a byte here makes everything that is sealed unreadable: tests hold the literal forms.
"""

from uuid import UUID


def artefact_aad(data_key_id: UUID | str, purpose: str) -> bytes:
    """Return what the seal of an artefact is bound to: a picture, a finding, a suggestion.

    Args:
        data_key_id: `DataKey.id` of the key that seals it.
        purpose: Name of the purpose that the key was created for, such as "LOCATION".
    """
    return f"{data_key_id}|{purpose}".encode()


def metadata_aad(data_key_id: UUID | str) -> bytes:
    """Return what the seal of a media's metadata is bound to; its key seals the picture as well."""
    return f"{data_key_id}|metadata".encode()
