"""A person with unique markers in every field, given to a stack: what leaves a trace of them is a leak."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from PIL import ExifTags, Image

from tests.e2e.harness import RunningStack
from tests.e2e.pictures import make_roll
from tests.e2e.test_who_may_call import METHODS, called, is_internal

MARK = "Quagga"
FACTS = {"language_code": "fr", "request_id": "6f1f2f8e-7d0c-4b1a-9c53-0123456789ab"}
"""What a field must hold for the others to be looked at."""


def leave_marks(stack: RunningStack, folder: Path) -> None:
    """Import marked files, and call every public RPC with a marker in each field that takes one."""
    stack.rows("import", str(marked_roll(folder)), "--subject", f"{MARK}-person", "--grant",
               "CLOUD_PROCESSING,LOCATION,FACE_GROUPING", "--wait")  # fmt: skip
    stack.rows("search", f"{MARK} dog", "--subject", f"{MARK}-person")
    idea = stack.rows("ideas", "--subject", f"{MARK}-person")[0]
    stack.rows("dismiss", str(idea["name"]), "--subject", f"{MARK}-person")
    token = stack.run("token", "--subject", f"{MARK}-person").stdout.strip()
    metadata = (("authorization", f"Bearer {token}"), (f"x-{MARK.lower()}", f"{MARK}-metadata"))
    options = (("grpc.primary_user_agent", f"{MARK}-agent"),)
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    for service, method in METHODS:
        if not is_internal(method):
            with grpc.secure_channel(stack.address(service), credentials, options) as channel:
                call(channel, method, metadata)


def call(channel: grpc.Channel, method: MethodDescriptor, metadata: tuple[tuple[str, str], ...]) -> None:
    """Call with every field filled, and with bytes that are no message; whatever comes back is good."""
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    rpc = getattr(channel, kind)(f"/{called(method)}", request_serializer=bytes)
    request = GetMessageClass(method.input_type)()
    fill(request, method.name)
    for content in (request.SerializeToString(), f"{MARK} is no message".encode()):
        with suppress(grpc.RpcError):
            answer = rpc(iter([content]) if method.client_streaming else content, metadata=metadata, timeout=10)
            if method.server_streaming:
                next(answer, None)
                answer.cancel()


def fill(message: Message, path: str, depth: int = 0) -> None:
    """Put something into every field; of a oneof the last stays."""
    fields: Iterable[Any] = message.DESCRIPTOR.fields  # one of two classes, as protobuf is built
    for field in fields:
        value = FACTS.get(field.name) or filling(field, f"{path}.{field.name}")
        repeated = field.is_repeated
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < 4 and not field.message_type.GetOptions().map_entry:
                inner = getattr(message, field.name)
                nested = inner.add() if repeated else inner
                nested.SetInParent()
                if isinstance(nested, Timestamp):
                    nested.FromDatetime(datetime.now(UTC))
                else:
                    fill(nested, f"{path}.{field.name}", depth + 1)
        elif repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)


def filling(field: Any, path: str) -> object:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return f"{MARK} {path}"
        case FieldDescriptor.TYPE_BYTES:
            return f"{MARK} {path}".encode()
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_ENUM:
            return field.enum_type.values[-1].number
    return 1


def marked_roll(folder: Path) -> Path:
    """Write pictures whose names and metadata are marked: good ones, one cut short, one altered, one that is none."""
    make_roll(folder)
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as picture:
            exif = picture.getexif()
            exif[ExifTags.Base.ImageDescription] = f"{MARK} description"
            exif[ExifTags.Base.Artist] = f"{MARK} artist"
            picture.save(folder / f"{MARK} {path.name}", exif=exif, comment=f"{MARK} comment")
        path.unlink()
    whole = sorted(folder.iterdir())[0].read_bytes()
    (folder / f"{MARK} cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / f"{MARK} none.jpg").write_bytes(f"{MARK} is no picture".encode() * 100)
    Image.new("RGB", (64, 64)).save(folder / f"{MARK} altered.png", pnginfo=None)
    altered = bytearray((folder / f"{MARK} altered.png").read_bytes())
    altered[-20] ^= 0xFF
    (folder / f"{MARK} altered.png").write_bytes(altered)
    return folder
