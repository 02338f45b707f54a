"""A real Triton with models of our own that are slow, wrong or raise, when they are asked to."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import tritonclient.grpc.aio as triton

from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.process import ServerProcess
from deploy.local.parts.triton import Models, TritonPorts, TritonServer, new_shared_memory_prefix

SLOW = 1000.0
"""A number that the models take half a second for."""
NOT_A_NUMBER, NOTHING, RAISES = 1001.0, 1002.0, 1003.0
"""Numbers that they answer with NaN, with no number at all, and not at all."""
WORKED = 1004.0
"""A number that they answer with how often they took half a second."""

_CONFIG = """name: "{name}"
backend: "python"
max_batch_size: 8
input [ {{ name: "x" data_type: TYPE_FP32 dims: [ 4 ] }} ]
output [ {{ name: "y" data_type: TYPE_FP32 dims: [ 4 ] }} ]
instance_group [ {{
  count: 1 kind: KIND_CPU rate_limiter {{ resources [ {{ name: "core" global: true count: 1 }} ] }}
}} ]
dynamic_batching {{ }}
parameters {{ key: "identity" value {{ string_value: "{name}-7" }} }}
"""
_MODEL = """import time

import numpy as np
import triton_python_backend_utils as server


class TritonPythonModel:
    worked = 0

    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        if request.is_cancelled():
            return server.InferenceResponse([], error=server.TritonError("given up", server.TritonError.CANCELLED))
        x = server.get_input_tensor_by_name(request, "x").as_numpy()
        y = 2 * x
        first = float(x[0, 0])
        if first == 1000.0:
            time.sleep(0.5)
            self.worked += 1
        if first == 1001.0:
            y[0, 0] = np.nan
        if first == 1002.0:
            y = y[:, :0]
        if first == 1003.0:
            return server.InferenceResponse([], error=server.TritonError("Fail: a node failed"))
        if first == 1004.0:
            y[:] = self.worked
        return server.InferenceResponse([server.Tensor("y", y)])
"""


class ModelServer:
    """The server, which can be stopped, started and hurt."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._names = names
        self._repository = folder / "repository"
        for name in names:
            (self._repository / name / "1").mkdir(parents=True)
            (self._repository / name / "config.pbtxt").write_text(_CONFIG.format(name=name))
            (self._repository / name / "1" / "model.py").write_text(_MODEL)
        self._reserved = [ReservedPort(), ReservedPort()]
        self.part = TritonServer(
            data=folder / "triton",
            log=folder / "triton.log",
            ports=TritonPorts(*(port.number for port in self._reserved)),
            models=self._models,
            shared_memory_prefix=new_shared_memory_prefix(),
        )
        self.address = self.part.address
        self._process: ServerProcess | None = None

    async def start(self) -> None:
        self._process = await bring_up(self.part)

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None
        sweep(self.part.litter())

    def drain(self) -> None:
        """Asks it to stop, as a node does that is taken out of service: what it has accepted it still answers."""
        psutil.Process(self.process.pid).send_signal(signal.SIGTERM)

    @property
    def process(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("it does not run")
        return self._process

    def close(self) -> None:
        for port in self._reserved:
            port.close()

    async def _models(self) -> Models:
        return Models(self._repository, self._names, self._answers_rightly, {})

    async def _answers_rightly(self, address: str) -> bool:
        async with triton.InferenceServerClient(address) as client:
            for name in self._names:
                tensor = triton.InferInput("x", [1, 4], "FP32")
                tensor.set_data_from_numpy(np.ones((1, 4), np.float32))
                answer = await client.infer(name, [tensor], client_timeout=5)
                if not (answer.as_numpy("y") == 2).all():
                    return False
        return True


def kill_models(server: int) -> None:
    """Kills the model processes of a server, which goes on and says that it is ready."""
    for model in psutil.Process(server).children(recursive=True):
        model.kill()


@asynccontextmanager
async def model_server(folder: Path, *names: str) -> AsyncIterator[ModelServer]:
    """Yield a server for the time of the block; the test starts it."""
    server = ModelServer(folder, *names)
    try:
        yield server
    finally:
        await server.stop()
        server.close()
