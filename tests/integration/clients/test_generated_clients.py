"""A mobile team generates its client from the contracts: each generator takes every file, options and all."""

import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from deploy.clients import GO_MESSAGES, GO_SERVICES, client_tools
from tests.contract.products import ROOT

_GOOGLE = Path(str(importlib.metadata.distribution("googleapis-common-protos").locate_file("")))
_SHARED = (
    *(f"google/api/{name}.proto" for name in ("annotations", "field_behavior", "http", "resource")),
    "google/rpc/status.proto",
)
_OURS = tuple(sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto" / "pellicule").rglob("*.proto")))
_PUBLIC = tuple(name for name in _OURS if "/internal/" not in name)

pytestmark = pytest.mark.skipif(not client_tools().ready, reason="client tools: python -m deploy.clients")


def test_go_gets_messages_and_services_under_the_package_that_the_contracts_name(tmp_path: Path) -> None:
    if not (GO_MESSAGES.cached() and GO_SERVICES.cached()):
        pytest.skip("the generators for Go are not built here: python -m deploy.clients")
    plugins = (f"--plugin=protoc-gen-go={GO_MESSAGES.path}", f"--plugin=protoc-gen-go-grpc={GO_SERVICES.path}")

    _generate(*plugins, f"--go_out={tmp_path}", f"--go-grpc_out={tmp_path}", *_PUBLIC)

    assert "package ingestv1" in (tmp_path / "pellicule/ingest/v1/media_service.pb.go").read_text(encoding="utf-8")
    assert "WatchMedia(" in (tmp_path / "pellicule/ingest/v1/media_service_grpc.pb.go").read_text(encoding="utf-8")


def test_java_and_kotlin_get_a_file_for_each_message(tmp_path: Path) -> None:
    _generate(f"--java_out={tmp_path}", f"--kotlin_out={tmp_path}", *_PUBLIC, *_SHARED)

    folder = tmp_path / "app" / "pellicule" / "ingest" / "v1"
    assert (folder / "Media.java").is_file()
    assert (folder / "MediaKt.kt").is_file()


def test_ios_gets_classes_with_the_prefix_that_the_contracts_name(tmp_path: Path) -> None:
    _generate(f"--objc_out={tmp_path}", *_PUBLIC, *_SHARED)

    header = (tmp_path / "pellicule/ingest/v1/Media.pbobjc.h").read_text(encoding="utf-8")
    assert "@interface PLCMedia : GPBMessage" in header


def test_typescript_gets_modules_that_its_compiler_takes(tmp_path: Path) -> None:
    tools = client_tools()
    plugin = tools.modules / "@bufbuild" / "protoc-gen-es" / "bin" / "protoc-gen-es"
    wrapper = tmp_path / "protoc-gen-es"
    wrapper.write_text(f'#!/bin/sh\nexec "{tools.node}" "{plugin}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    generated = tmp_path / "ts"
    generated.mkdir()
    (generated / "node_modules").symlink_to(tools.modules)

    options = ("--es_opt=target=ts,import_extension=js", f"--es_out={generated}")
    _generate(f"--plugin=protoc-gen-es={wrapper}", *options, *_PUBLIC, *_SHARED)

    checked = _run(
        str(tools.node),
        str(tools.modules / "typescript" / "bin" / "tsc"),
        *("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"),
        *(str(path) for path in sorted(generated.glob("pellicule/*/v1/*_service_pb.ts"))),
        directory=generated,
    )
    assert (checked.stdout, checked.stderr, checked.returncode) == ("", "", 0)


def _generate(*arguments: str) -> None:
    paths = (f"--proto_path={ROOT / 'proto'}", f"--proto_path={_GOOGLE}")
    run = _run(str(client_tools().protoc), *paths, *arguments)
    assert (run.returncode, run.stderr) == (0, "")


def _run(*command: str, directory: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
