"""Which machine and process this is, so that a restart takes a killed predecessor's work at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["Processes", "host_identity", "start_of"]

_START_FIELD = 19  # of /proc/<pid>/stat behind the command name: start time in clock ticks since boot


def host_identity() -> str:
    """Machine, boot and process-id namespace: within one, a pid and its start time name one process."""
    boot = _read("/proc/sys/kernel/random/boot_id")
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{boot}/{namespace}"


def start_of(pid: int) -> str:
    """When a process started, as the kernel counts it; '' when that is not known."""
    behind_name = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return behind_name[_START_FIELD] if len(behind_name) > _START_FIELD else ""


class Processes:
    """See `durably.engine.leases.Liveness`."""

    def is_alive(self, pid: int, process_start: str) -> bool:
        """Whether a process of that id and start time runs here; True when nothing is known."""
        if not process_start:
            return True
        return start_of(pid) == process_start and not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["Z"]


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:
        return ""
