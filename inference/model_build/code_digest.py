"""Digest of code, which is part of the key of what the code makes."""

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path


def code_digest(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of what modules do: their names and their statements.

    Comments, docstrings, layout and the packages of imports are left out: none of them changes a result, and a
    corrected sentence should not cost a build of minutes.
    """
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(f"{path.name}\0{ast.dump(_Bare().visit(ast.parse(path.read_bytes())))}\0".encode())
    return digest.hexdigest()


class _Bare(ast.NodeTransformer):
    """Reduction of a module to its statements."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        return ast.ImportFrom((node.module or "").rpartition(".")[2], node.names, node.level)
