"""A disk in memory that loses power, runs out of room, or lies; SQLite writes to it through apsw.

Like a real one it keeps apart what was written and what was synced. When power fails, what was
not synced is lost, kept, or torn: of each such write a part of its sectors may be on the disk,
whatever came before or after it, and a file that was made or removed since its folder was synced
may be there or not. Everything that chance decides is decided by the dice that it is given. It
promises what SQLite takes a Linux file system to promise: bytes beside a write stay as they are,
and the first sync of a new journal or log syncs its folder too.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import apsw

SECTOR = 512
"""Bytes that reach the disk together or not at all."""

_POWERSAFE_OVERWRITE = 0x1000
_NEVER = 1 << 60

Change = tuple[int, bytes | None]
"""Bytes written at an offset, or (with None) the length that the file was cut to."""


@dataclass(slots=True)
class Contents:
    """A file: as it will be read now, as it is on the disk for sure, and what lies between."""

    now: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)

    def change(self, change: Change) -> None:
        """Write, or cut the file short, without a sync."""
        _apply(self.now, change)
        self.unsynced.append(change)

    def sync(self) -> None:
        """Everything that was written is safe from here on."""
        for change in self.unsynced:
            _apply(self.safe, change)
        self.unsynced.clear()

    def lose(self, survives: Callable[[], bool]) -> None:
        """The power fails; `survives` is asked for each write and each sector of a torn one."""
        for offset, data in self.unsynced:
            if data is None or len(data) <= SECTOR or survives():
                if survives():
                    _apply(self.safe, (offset, data))
                continue
            for at in range(0, len(data), SECTOR):
                if survives():
                    _apply(self.safe, (offset + at, data[at : at + SECTOR]))
        self.unsynced.clear()
        self.now = bytearray(self.safe)


def _apply(image: bytearray, change: Change) -> None:
    offset, data = change
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    if data is None:
        del image[offset:]
    else:
        image[offset : offset + len(data)] = data


class Disk:
    """Files by name, and what will go wrong with them.

    `cut_after` operations that change something the power fails; then nothing works any more
    until `restore`. `lies` makes syncing do nothing. `full` says for each write whether there is
    no room for it. `doing` says in words what goes on; `died_in` is what went on when power failed.
    """

    def __init__(self, dice: random.Random, *, lies: bool = False) -> None:
        self._dice = dice
        self.lies = lies
        self.cut_after = _NEVER
        self.full: Callable[[], bool] = lambda: False
        self.doing = self.died_in = ""
        self.files: dict[str, Contents] = {}
        self._safe_names: dict[str, Contents] = {}

    @property
    def dead(self) -> bool:
        """Whether the power has failed."""
        return self.cut_after < 0

    def count(self) -> None:
        """One more operation that changes something; raises when the power fails in it."""
        self.cut_after -= 1
        if self.cut_after == -1:
            self.died_in = self.doing
        self.check()

    def check(self) -> None:
        """Raise if there is no power."""
        if self.dead:
            raise apsw.exception_for(apsw.SQLITE_IOERR)

    def sync_names(self) -> None:
        """Which files there are is safe from here on."""
        if not self.lies:
            self._safe_names = dict(self.files)

    def lengthen(self, name: str, count: int) -> None:
        """Add zeros to a file and sync it, past SQLite."""
        file = self.files[name]
        file.change((len(file.now), bytes(count)))
        self.count()
        file.sync()

    def restore(self) -> None:
        """The power fails now, if it has not yet, and comes back."""
        chance = self._dice.choice((0.0, 0.1, 0.5, 0.5, 0.9, 1.0))
        names = dict(self._safe_names)
        for name in sorted(names.keys() | self.files.keys()):
            file = self.files.get(name)
            if file is not names.get(name) and self._dice.random() < 0.5:
                names.pop(name, None)
                if file is not None:
                    names[name] = file
        for name in sorted(names):
            names[name].lose(lambda: self._dice.random() < chance)
        self.files, self._safe_names = names, dict(names)
        self.cut_after, self.died_in = _NEVER, ""

    def copy(self, dice: random.Random) -> "Disk":
        """Another disk with the same files, all of them safe."""
        other = Disk(dice)
        for name, file in self.files.items():
            other.files[name] = Contents(bytearray(file.now), bytearray(file.now))
        other.sync_names()
        return other


class FileSystem(apsw.VFS):
    """Makes a disk a file system of SQLite's, under a name."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.disk = Disk(random.Random(0))
        self._unnamed = 0

    # The methods have the names that SQLite gives them.

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        disk = self.disk
        disk.check()
        if name is None:
            self._unnamed += 1
            return OpenFile(disk, Contents(), syncs_names=False)
        key = name if isinstance(name, str) else name.filename()
        new = key not in disk.files
        if new and not flags[0] & apsw.SQLITE_OPEN_CREATE:
            raise apsw.CantOpenError(key)
        file = disk.files.setdefault(key, Contents())
        journal = flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL)
        return OpenFile(disk, file, syncs_names=bool(journal and new))

    def xDelete(self, name: str, syncdir: bool) -> None:
        self.disk.count()
        self.disk.files.pop(name, None)
        if syncdir:
            self.disk.sync_names()

    def xAccess(self, name: str, flags: int) -> bool:
        return name in self.disk.files

    def xFullPathname(self, name: str) -> str:
        return name


class OpenFile:
    """A file that SQLite has open."""

    def __init__(self, disk: Disk, file: Contents, *, syncs_names: bool) -> None:
        self._disk, self._file, self._syncs_names = disk, file, syncs_names

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.check()
        return bytes(self._file.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.check()
        if self._disk.full():
            raise apsw.exception_for(apsw.SQLITE_FULL)
        self._file.change((offset, bytes(data)))  # the last one may be torn as well
        self._disk.count()

    def xTruncate(self, size: int) -> None:
        self._disk.check()
        self._file.change((size, None))
        self._disk.count()

    def xSync(self, flags: int) -> None:
        self._disk.count()
        if self._disk.lies:
            return
        self._file.sync()
        if self._syncs_names:
            self._disk.sync_names()
            self._syncs_names = False

    def xFileSize(self) -> int:
        return len(self._file.now)

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return _POWERSAFE_OVERWRITE

    def xLock(self, level: int) -> None:
        """One process has the disk."""

    def xUnlock(self, level: int) -> None:
        """One process has the disk."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xClose(self) -> None:
        """Nothing is kept for it."""
