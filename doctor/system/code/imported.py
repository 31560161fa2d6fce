"""The child process that imports models and says what SQLAlchemy made of them.

Run as ``python -m doctor.system.code.imported PATH MARK``; the answer is the line after MARK.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import TextIO

from doctor.model.schema import CodeModels
from doctor.system.code.mapped import Recorder
from doctor.system.code.source.files import python_files, shown
from doctor.system.code.wire import to_json

_MAX_MEMORY = 4 * 1024**3
_MAX_OUTPUT = 64 * 1024**2


def declared(path: Path) -> CodeModels:
    """Import the file or every file of the folder at ``path``; return the tables it declares.

    This runs the code of the models with all its effects.
    """
    files = list(python_files(path)) if path.is_dir() else [path]
    with Recorder() as recorder:
        for file in files:
            root, name = _module_name(file, path)
            if str(root) not in sys.path:
                sys.path.insert(0, str(root))
            importlib.import_module(name)
    return recorder.models(shown(path))


def _module_name(file: Path, named: Path) -> tuple[Path, str]:
    """Return the folder to import from and the dotted name of the module in ``file``."""
    root = file.parent
    while (root / "__init__.py").is_file() and root.parent != root:
        root = root.parent
    if named.is_dir() and root.is_relative_to(named):
        root = named  # the folders below a folder without __init__.py are packages as well
    parts = file.relative_to(root).with_suffix("").parts
    return root, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def answer(path: Path, mark: str, out: TextIO) -> None:
    """Write the marked line: the models, or the error that importing them ended with."""
    try:
        line = to_json(declared(path))
    except BaseException as error:  # noqa: BLE001 - whatever the models raise is the answer
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename}:{last.lineno or 1}"
        line = json.dumps({"error": f"{type(error).__name__}: {error}", "where": where})
    out.write(f"\n{mark}\n{line}\n")
    out.flush()


def _limit() -> None:
    for kind, limit in ((resource.RLIMIT_AS, _MAX_MEMORY), (resource.RLIMIT_FSIZE, _MAX_OUTPUT)):
        _, hard = resource.getrlimit(kind)
        bounded = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (bounded, hard))


def _leave() -> None:
    """End at once, with whatever processes and threads the models started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    _limit()
    answer(Path(sys.argv[1]), sys.argv[2], sys.stdout)
    _leave()
