"""Makes exports: chooses the precision, types the graph, asks the probes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from inference.engines import deltas, graphs, half, metrics, precision, probes
from inference.engines.exports import ONNX_FILE, PROBES_FILE, RECORD_FILE, Export, Record, find_export
from inference.engines.probes import Probe
from inference.engines.profiles import Profile, profile
from inference.folders import alone, scratch_folder, settle
from inference.model_build.build import BuiltModel
from inference.model_build.code_digest import code_digest
from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import Model

_CODE: Final = (deltas, graphs, half, metrics, precision, probes)

Report = Callable[[str], None]


def export(
    model: Model,
    built: BuiltModel,
    home: Path,
    report: Report = lambda _: None,
    *,
    served: str | None = None,
    under: Profile | None = None,
) -> Export:
    """Makes a model's typed graph lie ready; what lies there already is left alone.

    Args:
        model: the model.
        built: as it lies built on this machine.
        home: the folder of engines, made when it is missing.
        report: told what is being done.
        served: the name that the plan is served under; the model's own when it is left out.
        under: the profile; the shipped one of that name when it is left out.

    Raises:
        GraphUnsupported: TensorRT would not read the graph.
        ProfileInvalid: the model has no profile.
    """
    name = served or model.name
    chosen = under or profile(name)
    target = home / "exports" / name / _key(model, built, chosen)
    with alone(home):
        present = find_export(target)
        if present is not None:
            return present
        report("export")
        with scratch_folder(home) as scratch:
            record = _write(scratch, name, model, built, chosen)
            settle(scratch, target)
    return Export(record, target)


def _write(folder: Path, name: str, model: Model, built: BuiltModel, plan: Profile) -> Record:
    source = onnx.load(str(built.path))
    graphs.check_readable(name, source)
    inputs = graphs.graph_inputs(source, plan.shapes)
    asked = probes.probes(model.manifest, inputs)
    reference = precision.run(source, asked)
    choice = precision.choose(source, plan, asked, reference)
    data = choice.model.SerializeToString(deterministic=True)
    (folder / ONNX_FILE).write_bytes(data)
    _write_probes(folder / PROBES_FILE, asked, reference)
    record = Record(
        model=name,
        identity=built.identity,
        precision=choice.precision,
        onnx_sha256=hashlib.sha256(data).hexdigest(),
        source_sha256=built.sha256,
        inputs={each.name: each.shape for each in inputs},
        profile=plan,
        deltas=choice.deltas,
    )
    (folder / RECORD_FILE).write_text(record.model_dump_json(indent=2) + "\n", "utf-8")
    return record


def _write_probes(path: Path, asked: tuple[Probe, ...], reference: deltas.Outputs) -> None:
    arrays = {f"{probe.name}/in/{name}": array for probe in asked for name, array in probe.inputs.items()}
    for probe, answer in zip(asked, reference, strict=True):
        arrays |= {f"{probe.name}/out/{name}": array for name, array in answer.items()}
    np.savez_compressed(path, **arrays)


def _key(model: Model, built: BuiltModel, plan: Profile) -> str:
    digest = hashlib.sha256(f"{built.sha256} {plan.model_dump_json()}".encode())
    digest.update(code_digest(Path(module.__file__) for module in _CODE if module.__file__).encode())
    for path in sorted(probes.PICTURES.glob("*.[jp][pn]g")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for name, array in golden_inputs(model.manifest).items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]
