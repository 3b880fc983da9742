"""What operating systems do differently: Windows gives a file that is open no new name, and tells no process that its parent has ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["answer_like_ctrl_c", "on_windows", "parent_lives", "take_the_place"]

#: Waits, in seconds, before a file is moved again onto one that another program has open: a scanner of viruses, say.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
#: Rights, answers and errors of Windows' functions on processes.
SYNCHRONIZE, WAIT_TIMEOUT, ACCESS_DENIED = 0x00100000, 0x102, 5


def on_windows() -> bool:
    """Whether this is Windows."""
    return os.name == "nt"


def take_the_place(part: Path, path: Path) -> None:
    """Move a file onto another one, as `os.replace`; on Windows, where that fails as long as the other one is open, a few times.

    Raises
    ------
    OSError
        If it cannot be moved, on Windows after about a second.
    """
    for pause in PAUSES if on_windows() else ():
        try:
            os.replace(part, path)
            return
        except PermissionError:
            time.sleep(pause)
    os.replace(part, path)


def answer_like_ctrl_c() -> None:
    """Answer what ends a process as Ctrl-C is answered: SIGTERM of a batch system, and on Windows, which sends none, Ctrl-Break."""
    for name in ("SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


def parent_lives(parent: int) -> Callable[[], bool]:
    """Return what says whether the process that started this one still lives.

    Elsewhere, an orphan gets another parent. On Windows it keeps the number of the old one, which another process may get, so a handle of
    the parent is kept and asked.
    """
    return _parent_on_windows(parent, _kernel32()) if on_windows() else lambda: os.getppid() == parent


def _parent_on_windows(parent: int, kernel: Any) -> Callable[[], bool]:
    """`kernel` has Windows' functions OpenProcess, WaitForSingleObject and GetLastError."""
    handle = kernel.OpenProcess(SYNCHRONIZE, False, parent)
    if not handle:  # it has ended, unless we may not ask: then the worker lives on, as it did without this
        denied = kernel.GetLastError() == ACCESS_DENIED
        return lambda: denied
    return lambda: kernel.WaitForSingleObject(handle, 0) == WAIT_TIMEOUT


def _kernel32() -> Any:
    """Windows' functions on processes; a handle is as long as a pointer."""
    import ctypes

    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.OpenProcess.argtypes = (ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32)
    kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    kernel.WaitForSingleObject.restype = ctypes.c_uint32
    return kernel
