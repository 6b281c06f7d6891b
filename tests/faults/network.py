"""A network of one's own for processes: packets between it and this machine can be lost, in the kernel.

A namespace with a pair of virtual devices; the rules are iptables', inside the namespace, so that nothing
else on the machine notices.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Sequence

__all__ = ["Namespace", "why_not"]

NUMBERS = itertools.count()


def run(*command: str) -> str:
    """Run a command as root; its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def why_not() -> str | None:
    """Why this machine forbids it, None where it does not."""
    try:
        with Namespace() as namespace:
            namespace.lose(0.5)
    except OSError as error:
        return str(error)
    return None


class Namespace:
    """Processes started with `prefix` reach this machine at `gateway`, and nothing else.

    with Namespace() as namespace:
        namespace.lose(0.1)
        subprocess.run([*namespace.prefix, "ping", namespace.gateway])
    """

    def __init__(self) -> None:
        number = (os.getpid() * 7 + next(NUMBERS)) % 16_000
        self.name = f"durably-{number}"
        self._device = f"dur{number}"
        self._base = f"10.{77 + number // 4096}.{number // 64 % 64}.{number % 64 * 4}"
        self.gateway = self._address(1)

    @property
    def prefix(self) -> Sequence[str]:
        """What a command begins with that runs in it."""
        return ("ip", "netns", "exec", self.name)

    def _address(self, last: int) -> str:
        start, _, end = self._base.rpartition(".")
        return f"{start}.{int(end) + last}"

    def __enter__(self) -> Namespace:
        run("ip", "netns", "add", self.name)
        try:
            inside = f"{self._device}p"
            run("ip", "link", "add", self._device, "type", "veth", "peer", "name", inside, "netns", self.name)
            run("ip", "address", "add", f"{self.gateway}/30", "dev", self._device)
            run("ip", "link", "set", self._device, "up")
            run(*self.prefix, "ip", "address", "add", f"{self._address(2)}/30", "dev", inside)
            run(*self.prefix, "ip", "link", "set", inside, "up")
            run(*self.prefix, "ip", "link", "set", "lo", "up")
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        run("ip", "netns", "delete", self.name)

    def lose(self, share: float) -> None:
        """Lose this share of the packets, in both directions, at random; 1: all of them."""
        chance = ("-m", "statistic", "--mode", "random", "--probability", f"{share:g}") if share < 1 else ()
        for chain in ("INPUT", "OUTPUT"):
            run(*self.prefix, "iptables", "-A", chain, "-p", "tcp", *chance, "-j", "DROP")

    def lose_connections(self) -> int:
        """Lose every packet of the connections that there are now; how many they are."""
        lines = run(*self.prefix, "ss", "-Htn", "state", "established").splitlines()
        ports = {line.split()[2].rpartition(":")[2] for line in lines}
        for port in ports:
            run(*self.prefix, "iptables", "-A", "OUTPUT", "-p", "tcp", "--sport", port, "-j", "DROP")
            run(*self.prefix, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", port, "-j", "DROP")
        return len(ports)

    def heal(self) -> None:
        """Lose nothing any more."""
        run(*self.prefix, "iptables", "-F")

    def dropped(self) -> int:
        """How many packets were lost since `lose`."""
        lines = run(*self.prefix, "iptables", "-L", "-n", "-v", "-x").splitlines()
        return sum(int(line.split()[0]) for line in lines if "DROP" in line.split())
