"""Slot contracts: graphs, tensors, element types and shapes. What a model must do is in its trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from inference.slots.violations import SlotUnknown

_MIB: Final = 1024 * 1024
_SMALL: Final = 1024 * _MIB
_LARGE: Final = 2047 * _MIB  # protobuf reads no more in one piece


class SlotName(StrEnum):
    """The slots."""

    FACE_DETECTOR = "face_detector"
    FACE_EMBEDDER = "face_embedder"
    SCENE_ENCODER = "scene_encoder"
    TEXT_ENCODER = "text_encoder"
    RESTYLER = "restyler"


@dataclass(frozen=True)
class AnyLength:
    """A length that the model may choose, the same wherever the name stands."""

    name: str
    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.name}={self.least}..{self.most}"


@dataclass(frozen=True)
class EachLength:
    """A length that has to stay open in the graph, because every picture may have another one."""

    name: str

    def __str__(self) -> str:
        return self.name


Length: TypeAlias = int | AnyLength | EachLength


@dataclass(frozen=True)
class TensorContract:
    """An input or an output; `shape` leaves out the batch, which always comes first and stays open.

    Attributes:
        name: what it has to be called.
        elements: element types that are taken, the usual one first.
        shape: its lengths.
        meaning: what the numbers are.
        remedy: how a graph that has something else is usually brought there.
    """

    name: str
    elements: tuple[str, ...]
    shape: tuple[Length, ...]
    meaning: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{' or '.join(self.elements)} [{', '.join(['N', *map(str, self.shape)])}]"


@dataclass(frozen=True)
class GraphContract:
    """One ONNX file: what it is called once it is installed, and its tensors.

    Attributes:
        name: of the file, without its suffix.
        inputs: its inputs.
        outputs: its outputs.
        batched: whether requests are joined into batches; where they are not, the first axis may be fixed to 1.
    """

    name: str
    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]
    batched: bool = True


@dataclass(frozen=True)
class SlotContract:
    """A slot.

    Attributes:
        slot: its name.
        kind: tells two contracts of one slot apart, such as "flow" and "latent".
        task: what the model is for.
        serves: name of the model that is served.
        graphs: the files.
        largest_bytes: of one file.
        companions: files of settings that go along.
    """

    slot: SlotName
    kind: str
    task: str
    serves: str
    graphs: tuple[GraphContract, ...]
    largest_bytes: int = _SMALL
    companions: tuple[str, ...] = ()


_PICTURE_REMEDY: Final = "move scaling, channel order and transposing into the graph"


def _picture(name: str, side: int, meaning: str) -> TensorContract:
    return TensorContract(name, ("UINT8",), (side, side, 3), meaning, _PICTURE_REMEDY)


def _floats(name: str, shape: tuple[Length, ...], meaning: str, remedy: str = "") -> TensorContract:
    return TensorContract(name, ("FP32",), shape, meaning, remedy)


_CANDIDATES: Final = AnyLength("K", 1, 1024)
_FACE_DETECTOR: Final = GraphContract(
    "model",
    (_picture("image", 640, "RGB, letterboxed at the upper left, 0..255"),),
    (
        _floats("boxes", (_CANDIDATES, 4), "left, top, right, bottom in pixels of the input"),
        _floats("scores", (_CANDIDATES,), "0..1, falling", "end with TopK over the candidates"),
        _floats("landmarks", (_CANDIDATES, 5, 2), "x, y in pixels: eyes, nose, corners of the mouth, left ones first"),
    ),
)
_FACE_EMBEDDER: Final = GraphContract(
    "model",
    (_picture("chip", 150, "RGB, the face aligned by its five points, 0..255"),),
    (
        _floats(
            "descriptor",
            (AnyLength("D", 64, 1024),),
            "compared by Euclidean distance: at most 0.50 for one person, above 0.60 for two",
        ),
    ),
)
_SCENE_ENCODER: Final = GraphContract(
    "model",
    (_picture("image", 224, "RGB, the whole picture resized, 0..255"),),
    (
        _floats("logits", (1000,), "a score for each class of ImageNet, in its order, before softmax"),
        _floats("embedding", (AnyLength("D", 64, 4096),), "compared by cosine"),
        _floats("kinds", (4,), "photo, document, receipt, screenshot; they add up to 1"),
    ),
)


_SENTENCE_LENGTH: Final = 32
_TEXT_ENCODER: Final = GraphContract(
    "model",
    (
        TensorContract("ids", ("INT64",), (_SENTENCE_LENGTH,), "word pieces of BERT's lower-case vocabulary"),
        TensorContract("mask", ("INT64",), (_SENTENCE_LENGTH,), "1 where a word piece stands, 0 behind the sentence"),
    ),
    (
        _floats(
            "embedding",
            (AnyLength("D", 64, 1024),),
            "compared by cosine, of length 1",
            "pool over the word pieces and normalise inside the graph",
        ),
    ),
)


def _velocity_tensor(name: str, meaning: str) -> TensorContract:
    return _floats(name, (3, EachLength("H"), EachLength("W")), meaning, "leave height and width open")


_VELOCITY: Final = GraphContract(
    "model",
    (
        _velocity_tensor("x", "between the picture (t=0) and noise (t=1)"),
        _velocity_tensor("photo", "RGB, -1..1"),
        _floats("t", (), "0..1"),
        TensorContract("style", ("INT64",), (), "index of the style"),
    ),
    (_velocity_tensor("v", "dx/dt"),),
)
_HALVES: Final = ("FP32", "FP16")
_LATENT: Final = (
    GraphContract(
        "text_encoder",
        (TensorContract("input_ids", ("INT64", "INT32"), (77,), "token ids"),),
        (TensorContract("last_hidden_state", _HALVES, (77, AnyLength("D", 1, 8192)), "what the UNet attends to"),),
        batched=False,
    ),
    GraphContract(
        "vae_encoder",
        (TensorContract("sample", _HALVES, (3, 512, 512), "RGB, -1..1"),),
        (TensorContract("latent_sample", _HALVES, (4, 64, 64), "not scaled"),),
        batched=False,
    ),
    GraphContract(
        "unet",
        (
            TensorContract("sample", _HALVES, (4, 64, 64), "the latent with noise"),
            TensorContract("timestep", ("INT64", "INT32", "FP32", "FP16"), (), "0..999"),
            TensorContract("encoder_hidden_states", _HALVES, (77, AnyLength("D", 1, 8192)), "of the text encoder"),
        ),
        (TensorContract("out_sample", _HALVES, (4, 64, 64), "the noise, or the velocity"),),
        batched=False,
    ),
    GraphContract(
        "vae_decoder",
        (TensorContract("latent_sample", _HALVES, (4, 64, 64), "not scaled"),),
        (TensorContract("sample", _HALVES, (3, 512, 512), "RGB, -1..1"),),
        batched=False,
    ),
)

FLOW: Final = "flow"
LATENT: Final = "latent"
CONTRACTS: Final = (
    SlotContract(
        SlotName.FACE_DETECTOR, "", "Finds faces: a box, a score and five points for each.", "face_detector",
        (_FACE_DETECTOR,),
    ),
    SlotContract(
        SlotName.FACE_EMBEDDER, "", "Turns an aligned face into numbers; two of one person lie close together.",
        "face_embedder", (_FACE_EMBEDDER,),
    ),
    SlotContract(
        SlotName.SCENE_ENCODER, "", "Says what a picture shows and of what kind it is, and describes it.",
        "scene_classifier", (_SCENE_ENCODER,),
    ),
    SlotContract(
        SlotName.TEXT_ENCODER, "", "Turns a sentence into a direction; what means the same points the same way.",
        "text_encoder", (_TEXT_ENCODER,),
    ),
    SlotContract(
        SlotName.RESTYLER, FLOW, "Paints a photo anew: one network that tells the velocity of a rectified flow.",
        "restyler", (_VELOCITY,), _LARGE,
    ),
    SlotContract(
        SlotName.RESTYLER, LATENT, "Paints a photo anew: a latent diffusion model of the SD-Turbo or LCM class.",
        "restyler", _LATENT, _LARGE, ("latent.json",),
    ),
)  # fmt: skip


def contracts_of(slot: str) -> tuple[SlotContract, ...]:
    """Return the contracts that a model may fulfil to fill a slot: one, or two for the restyler.

    Raises:
        SlotUnknown: there is no such slot.
    """
    found = tuple(contract for contract in CONTRACTS if contract.slot == slot)
    if not found:
        raise SlotUnknown(f"there is no slot {slot!r}; choose one of {', '.join(SlotName)}", field="slot")
    return found


def contract_of(slot: str, kind: str) -> SlotContract:
    """Return one contract of a slot.

    Raises:
        SlotUnknown: there is none of this kind.
    """
    by_kind: Mapping[str, SlotContract] = {contract.kind: contract for contract in contracts_of(slot)}
    if kind not in by_kind:
        raise SlotUnknown(f"the slot {slot} knows no kind {kind!r}", field="slot")
    return by_kind[kind]
