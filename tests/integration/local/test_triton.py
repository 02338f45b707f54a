import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc.aio as triton

from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.memory_bound import GROWTH_MEGABYTES
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.triton import (
    Models,
    ModelSource,
    TritonPorts,
    TritonServer,
    new_shared_memory_prefix,
    triton_server,
)
from tests.integration.local.traces import is_listening, litter, processes_of_group

CONFIG = """name: "doubler"
backend: "python"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
"""
LEAK_MIB = 16
MODEL = """import triton_python_backend_utils as server


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        LEAK
        x = server.get_input_tensor_by_name(request, "x").as_numpy()
        return server.InferenceResponse([server.Tensor("y", 2 * x)])
"""


async def doubles(address: str) -> bool:
    question = triton.InferInput("x", [1, 4], "FP32")
    question.set_data_from_numpy(np.ones((1, 4), np.float32))
    async with triton.InferenceServerClient(address) as client:
        answer = await client.infer("doubler", [question], client_timeout=5)
    return bool((answer.as_numpy("y") == 2).all())


@pytest.fixture
def models(tmp_path: Path) -> ModelSource:
    model = tmp_path / "repository" / "doubler"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text(CONFIG)
    (model / "1" / "model.py").write_text(MODEL.replace("LEAK", "pass"))
    return lambda: doubler(tmp_path / "repository")


@pytest.fixture
def leaking(tmp_path: Path, models: ModelSource) -> ModelSource:
    leak = f"self.__dict__.setdefault('kept', []).append(bytes([7]) * ({LEAK_MIB} << 20))"
    (tmp_path / "repository" / "doubler" / "1" / "model.py").write_text(MODEL.replace("LEAK", leak))
    return models


async def doubler(repository: Path) -> Models:
    return Models(repository, ["doubler"], doubles, {})


def model_processes(server: int) -> Sequence[psutil.Process]:
    return psutil.Process(server).children(recursive=True)


async def test_a_model_answers(tmp_path: Path, models: ModelSource) -> None:
    async with triton_server(tmp_path, models) as server:
        assert await doubles(server.address)


async def test_the_probe_notices_a_dead_model_process(tmp_path: Path, models: ModelSource) -> None:
    reserved = [ReservedPort(), ReservedPort()]
    server = new_server(tmp_path, models, reserved)
    process = await bring_up(server)
    for model in model_processes(process.pid):
        model.kill()
    answers = await server.probe()
    await process.stop()
    sweep(server.litter())
    close(reserved)
    assert not answers


async def test_a_server_whose_memory_grows_without_end_no_longer_counts_as_well(
    tmp_path: Path, leaking: ModelSource
) -> None:
    reserved = [ReservedPort(), ReservedPort()]
    server = new_server(tmp_path, leaking, reserved, growth_megabytes=4 * LEAK_MIB)
    process = await bring_up(server)
    answers = [await server.probe() for _ in range(8)]
    last_words = process.last_words()
    await process.stop()
    sweep(server.litter())
    close(reserved)
    assert answers[0]
    assert not answers[-1]
    assert re.match(r"its memory has grown by \d+ MiB, more than the 64 MiB that it may", last_words)


async def test_a_killed_server_leaves_no_shared_memory_once_swept(tmp_path: Path, models: ModelSource) -> None:
    reserved = [ReservedPort(), ReservedPort()]
    server = new_server(tmp_path, models, reserved)
    process = await bring_up(server)
    os.kill(process.pid, signal.SIGKILL)
    await process.stop()
    sweep(server.litter())
    close(reserved)
    assert not processes_of_group(process.pid)
    assert not is_listening(server.address)
    assert not [found for pattern in server.litter() for found in litter(pattern)]


async def test_two_servers_do_not_touch_each_others_shared_memory(tmp_path: Path, models: ModelSource) -> None:
    async with triton_server(tmp_path / "one", models) as one:
        async with triton_server(tmp_path / "other", models):
            pass
        assert await doubles(one.address)


def new_server(
    folder: Path, models: ModelSource, reserved: Sequence[ReservedPort], *, growth_megabytes: int = GROWTH_MEGABYTES
) -> TritonServer:
    return TritonServer(
        data=folder / "data",
        log=folder / "log",
        ports=TritonPorts(*(port.number for port in reserved)),
        models=models,
        shared_memory_prefix=new_shared_memory_prefix(),
        growth_megabytes=growth_megabytes,
    )


def close(reserved: Sequence[ReservedPort]) -> None:
    for port in reserved:
        port.close()
