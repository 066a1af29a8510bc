"""Starting, listening to and killing the workers of `child.py`."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType


class Child:
    """A process that plays a role over a database until the block ends, or until it is killed."""

    def __init__(self, role: str, database: str, folder: Path, runs: int = 0) -> None:
        words = [role, database, str(folder), str(runs)]
        self._command = [sys.executable, "-m", "tests.bench.child", *words]

    def __enter__(self) -> "Child":
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def heard(self, word: str) -> float:
        """When it said `word`; raises RuntimeError when it ended without."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said, _, at = line.partition(" ")
            if said == word:
                return float(at)
        raise RuntimeError(f"the process ended and never said {word!r}")

    def kill(self) -> None:
        """Kill -9; returns when it is gone."""
        self._process.kill()
        self._process.wait()
