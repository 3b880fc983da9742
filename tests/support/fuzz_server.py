"""A warm process that answers each request in a child of its own: one try of a fuzzer, as if its command had been typed.

Started by `tests.support.fuzzing` as a script, with a copy of the project as its only PYTHONPATH, so that what is imported is the
copy. All is imported once. A request is a line of JSON on stdin, its answer a line of JSON on stdout.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

#: Seconds of CPU, gigabytes of new memory, and megabytes of one file that a try may take.
CPU, MEMORY, FILE = 90, 3, 200
#: Seconds of wall-clock time after which a try hangs, on a machine as busy as it may be.
WALL = 90.0
#: Kinds of audit events that start another process or reach for the network.
OUTWARD = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "socket.connect", "socket.bind", "webbrowser.open"}
#: Kinds of audit events that change files, with how many of their first arguments are paths.
CHANGES = {
    "os.mkdir": 1, "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.link": 2, "os.symlink": 2, "os.chmod": 1, "os.truncate": 1,
    "os.utime": 1, "shutil.rmtree": 1, "shutil.move": 2, "shutil.copyfile": 2,
}  # fmt: skip
#: Those of them whose last arguments are the folders where relative paths begin.
RELATIVE = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink"}


def warm() -> None:
    """Import all that a study may import, and let nothing of it remember what files said."""
    import experiments
    import sim

    for package in (experiments, sim):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".pages" not in module.name:
                importlib.import_module(module.name)
    import platform
    from multiprocessing import resource_tracker

    import matplotlib.font_manager
    import pyarrow.parquet
    from hydra.core.plugins import Plugins
    from tqdm import tqdm

    assert matplotlib.font_manager and pyarrow.parquet
    platform.processor()  # asks a process, once
    resource_tracker.ensure_running()
    tqdm.get_lock()

    from experiments.configuration.overrides import read_override
    from experiments.configuration.schema import register
    from experiments.runs import manifests

    Plugins.instance()
    register()
    for typed in ("months=2", "-m=1", "instruments=[cqo,recall]", "study.arms={a: [x], b: []}", "name='a b'", "seed=1,2", "x=${y:z}"):
        with contextlib.suppress(ValueError):  # the parser learns its grammar
            read_override(typed)
    for found in gc.get_objects():
        if isinstance(found, _lru_cache_wrapper) and str(found.__module__).split(".")[0] in {"agents", "sim", "experiments"}:
            found.__name__ == "_register" or found.cache_clear()
    manifests._validator().is_valid({})


def watch(allowed: tuple[str, ...], note: int) -> None:
    """Note, by the events of Python's audit, what reaches outside the allowed folders."""

    def inside(path: Any, folder: int = -1) -> bool:
        if isinstance(path, int):
            return True
        base = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else ""
        where = os.path.realpath(os.path.join(base, os.fsdecode(path)))
        return where == os.devnull or any(where == folder or where.startswith(f"{folder}/") for folder in allowed)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in OUTWARD:
            told = f"{event} {arguments[0]!r} {str(arguments[1:2])[:200]}"
            if event != "subprocess.Popen" or os.path.basename(os.fsdecode(arguments[0])) != "git":
                os.write(note, f"{told}\n".encode(errors="replace"))
        elif event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) and not inside(path):
                os.write(note, f"open to write {path!r}\n".encode(errors="replace"))
        elif event in CHANGES:
            number = CHANGES[event]
            folders = [folder for folder in arguments[number:] if isinstance(folder, int)][-number:] if event in RELATIVE else []
            folders += [-1] * (number - len(folders))
            paths = [path for path, folder in zip(arguments, folders, strict=False) if not inside(path, folder)]
            if paths:
                os.write(note, f"{event} {paths!r}\n".encode(errors="replace"))

    sys.addaudithook(hook)


def blank() -> None:
    """Save blank figures: they are made, but not drawn, which takes most of the time of a small study."""
    from matplotlib.figure import Figure
    from PIL import Image

    def savefig(self: Figure, path: Any, **how: Any) -> None:
        Image.new("RGB", (8, 8)).save(path, format="PNG")

    Figure.savefig = savefig  # type: ignore[method-assign]


def child(request: dict[str, Any]) -> None:
    """Do what was typed; the process ends here."""
    status = 70
    try:
        for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, request["stdout"], WRITTEN), (2, request["stderr"], WRITTEN)):
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(k, "wb", closefd=False), encoding="utf-8") for k in (1, 2))
        note = os.open(request["note"], WRITTEN, 0o600)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU + 1))
        grown = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + MEMORY * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (grown, grown))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE * 2**20, FILE * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        gc.set_threshold(100_000, 50, 1000)  # saves time
        os.chdir(request["cwd"])
        sys.argv = ["strongchain", *request["arguments"]]
        if not request["drawn"]:
            blank()
        watch(tuple(request["allowed"]), note)
        from experiments.run import main

        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # as the interpreter would
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Fork a child for a request, wait for it, and say how it ended."""
    process = os.fork()
    if process == 0:
        child(request)
    limit, hangs = time.monotonic() + WALL, False
    pause = 0.001
    while True:
        ended, status, used = os.wait4(process, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > limit and not hangs:
            os.kill(process, signal.SIGKILL)
            hangs = True
        time.sleep(pause)
        pause = min(0.02, 1.2 * pause)
    code = os.waitstatus_to_exitcode(status)
    return {"status": code, "hangs": hangs, "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss}


def serve() -> None:
    """Answer requests until there are no further ones."""
    talk = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    warm()
    gc.collect()
    gc.freeze()  # a child neither searches nor copies what is common to all
    import experiments

    print(json.dumps({"ready": experiments.__file__}), file=talk, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=talk, flush=True)


if __name__ == "__main__":
    serve()
