"""Restyles with a latent diffusion model of the SD-Turbo or LCM class: four graphs, one to four steps, no guidance.

The graphs have the names and tensors that the usual exporters give them: `text_encoder` (input_ids [1, 77] ->
last_hidden_state [1, 77, D]), `vae_encoder` (sample [1, 3, 512, 512] -> latent_sample [1, 4, 64, 64]), `unet` (sample,
timestep [1], encoder_hidden_states -> out_sample), `vae_decoder` (latent_sample -> sample). Sizes are fixed: a photo
is scaled to 512 px, mirrored to a square, and brought back.
"""

from typing import Final

import numpy as np

from .canvas import cropped, mirrored, resized, to_picture, to_signal
from .errors import NetworkFailed
from .flow import finite, look
from .latent_settings import LatentSettings
from .noise import Noise
from .noise_levels import (
    AncestralDescent,
    ConsistencyDescent,
    Descent,
    clean_from_noise,
    clean_from_velocity,
    noised,
    seen,
)
from .request import Array, Picture, RestyleRequest, Run, Stopped, check_request

TEXT_ENCODER: Final = "text_encoder"
VAE_ENCODER: Final = "vae_encoder"
UNET: Final = "unet"
VAE_DECODER: Final = "vae_decoder"
GRAPHS: Final = (TEXT_ENCODER, VAE_ENCODER, UNET, VAE_DECODER)
SIDE: Final = 512
_BLACK: Final = -0.98
_DESCENTS: Final[dict[str, Descent]] = {"turbo": AncestralDescent(), "lcm": ConsistencyDescent()}


class LatentRestyler:
    """Restyles in the latent space of a variational autoencoder.

    Args:
        run: runs one of the four graphs.
        settings: the sampler, the scale of the latents and the styles' prompts.
    """

    def __init__(self, run: Run, settings: LatentSettings) -> None:
        self._run = run
        self._settings = settings
        self._descent = _DESCENTS[settings.sampler]
        self._embeddings: dict[int, Array] = {}
        self.styles = settings.styles

    def restyle(self, request: RestyleRequest, stopped: Stopped) -> Picture:
        """Paints one photo anew; see `FlowRestyler.restyle`."""
        check_request(request, self.styles)
        photo = to_signal(request.photo)
        height, width = photo.shape[-2:]
        inner = _fitted(height, width)
        square = mirrored(resized(photo, height=inner[0], width=inner[1]), height=SIDE, width=SIDE)
        look(stopped)
        latent = self._call(VAE_ENCODER, "latent_sample", sample=square) * np.float32(self._settings.scaling_factor)
        decoded = self._decode(self._descend(latent, request, stopped), stopped)
        _refuse_black(decoded, photo)
        return to_picture(resized(cropped(decoded, height=inner[0], width=inner[1]), height=height, width=width))

    def _descend(self, latent: Array, request: RestyleRequest, stopped: Stopped) -> Array:
        noise, text = Noise(request.seed), self._embedding(request.style)
        levels = self._descent.timesteps(request.steps, request.strength)

        def draw() -> Array:
            return noise.draw(latent.shape)

        x = noised(latent, levels[0], draw)
        for level, lower in zip(levels, (*levels[1:], None), strict=True):
            look(stopped)
            x = self._descent.advance(x, self._clean(x, level, text), level, lower, draw)
        return x

    def _clean(self, x: Array, timestep: int, text: Array) -> Array:
        answer = self._call(
            UNET,
            "out_sample",
            sample=seen(x, timestep),
            timestep=np.array([timestep], np.int64),
            encoder_hidden_states=text,
        )
        if self._settings.prediction == "epsilon":
            return clean_from_noise(x, answer, timestep)
        return clean_from_velocity(x, answer, timestep)

    def _embedding(self, style: int) -> Array:
        """Return the text embedding of a style, computed once."""
        if style not in self._embeddings:
            ids = np.array([self._settings.input_ids[style]], np.int64)
            self._embeddings[style] = self._call(TEXT_ENCODER, "last_hidden_state", input_ids=ids)
        return self._embeddings[style]

    def _decode(self, latent: Array, stopped: Stopped) -> Array:
        look(stopped)
        return self._call(VAE_DECODER, "sample", latent_sample=latent / np.float32(self._settings.scaling_factor))

    def _call(self, graph: str, output: str, **inputs: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Array:
        answer = self._run(graph, inputs)[output]
        return finite(answer.astype(np.float32, copy=False), f"the answer of {graph}")


def _fitted(height: int, width: int) -> tuple[int, int]:
    """Return the height and the width whose longer one is the side of the square."""
    scale = SIDE / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _refuse_black(decoded: Array, photo: Array) -> None:
    """Refuses a picture that is black all over though the photo is not.

    Raises:
        NetworkFailed: it is; attention in half precision overflows in some networks, and shows as this.
    """
    if decoded.max() < _BLACK <= photo.max():
        raise NetworkFailed(
            "the picture came out black: half precision overflows in the attention; export it in BF16 or FP32",
            field=VAE_DECODER,
        )
