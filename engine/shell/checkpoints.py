"""Signed checkpoints of the journal, written to a second place while work goes on.

Whoever may write to the database can write another journal into it whose chain holds. So the
process that serves signs now and then how long the journal is, the hash of its newest event and
the root over all, and adds the note to a file elsewhere: after every 1,000 events, and a minute
after anything new. It reads what was committed, in a thread, and never takes part in a commit. A
journal that does not go on where the last checkpoint ended gets no new one: the evidence stays on
top.

It refuses to know what an event says, and to mend anything.
"""

import asyncio
import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import note
from engine.core.errors import Move, Refused
from engine.core.merkle import Tree
from engine.core.note import Checkpoint, Note
from engine.shell.clock import Clock
from engine.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LOG = logging.getLogger("handrail.audit")

EVERY = 1_000
"""Events to a checkpoint."""

LATEST = 60_000_000
"""Microseconds after which what is new is signed, however little it is."""

LOOK = 5.0
"""Seconds between two looks at how far the journal has come."""

TAIL = 65_536
"""Bytes at the end of the file in which the newest checkpoint is looked for first."""

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Places:
    """Where the checkpoints lie, and the key that signs them."""

    notes: Path
    key: Path


def read_notes(places: Places, origin: str) -> Iterator[Note | str]:
    """The checkpoints of a journal in the order of the file; a text says why one is none.

    One without its end is passed over: its writer was interrupted. Raises Refused
    `checkpoints_unreadable`.
    """
    try:
        text = places.notes.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(places.notes, error) from error
    for number, part in enumerate(note.split(text), 1):
        if not part.startswith("handrail/"):
            yield f"checkpoint {number} of {places.notes} cannot be read"
        elif part.startswith(f"{origin}\n") and not note.unfinished(part):
            try:
                yield note.read(part)
            except ValueError as error:
                yield f"checkpoint {number} of {places.notes} is damaged: {error}"


def newest(places: Places, origin: str) -> Checkpoint | None:
    """The checkpoint of a journal that covers most; the end of the file is read before the rest.

    Raises Refused `checkpoints_unreadable`.
    """
    try:
        with places.notes.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(places.notes, error) from error
    own = [part for part in note.split(text) if part.startswith(f"{origin}\n")]
    for part in reversed(own):
        with suppress(ValueError):
            return note.read(part).checkpoint
    found = [each.checkpoint for each in read_notes(places, origin) if isinstance(each, Note)]
    return max(found, key=lambda each: each.size, default=None)


def _unreadable(path: Path, error: Exception) -> Refused:
    reason = getattr(error, "strerror", None) or type(error).__name__
    message = f"the checkpoints in {path} cannot be read: {reason}"
    hint = "Mend the file or its rights, or name another with HANDRAIL_CHECKPOINTS."
    return Refused("checkpoints_unreadable", message, hint, move=Move.PERSON)


# -- the key ----------------------------------------------------------------------------------


def signing_key(path: Path) -> "Ed25519PrivateKey":
    """The key of this installation, made when there is none; for its owner's eyes only.

    Raises Refused `checkpoint_key` when it cannot be read, written, or others may read it.
    """
    try:
        if not path.exists():
            _make_key(path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise _bad_key(path, "others than its owner may read it", f"chmod 600 {path}")
        return _key_of(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no key"
        raise _bad_key(path, reason, "Mend the file, or remove it to have a new key.") from error


def public_key(path: Path) -> bytes | None:
    """The public half of the key, or None where there is no key. Raises Refused."""
    return signing_key(path).public_key().public_bytes_raw() if path.exists() else None


def _key_of(text: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(b64decode(text.strip(), validate=True))


def _make_key(path: Path) -> None:
    """Make it whole before it has its name: another process may want it at the same time."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    _add(fresh, b64encode(Ed25519PrivateKey.generate().private_bytes_raw()) + b"\n")
    try:
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def _bad_key(path: Path, reason: str, hint: str) -> Refused:
    message = f"the key of the checkpoints, {path}, cannot be used: {reason}"
    return Refused("checkpoint_key", message, hint, move=Move.PERSON)


def genuine(public: bytes, found: Note) -> bool:
    """Whether a checkpoint was signed by the key with this public half."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if found.key != note.key_id(found.checkpoint.origin, public):
        return False
    try:
        text = found.checkpoint.text.encode()
        Ed25519PublicKey.from_public_bytes(public).verify(found.signature, text)
    except InvalidSignature:
        return False
    return True


# -- writing ----------------------------------------------------------------------------------


class Signer:
    """Signs checkpoints as the journal grows."""

    def __init__(self, store: Store, clock: Clock, places: Places) -> None:
        self._store, self._clock, self._places = store, clock, places
        self._origin = note.origin_of(store.place)
        self._size, self._since = 0, clock.now()

    async def follow(self) -> None:
        """Sign for as long as this is awaited; trouble is told once and then tried again."""
        told = ""
        while told != "stop":
            await asyncio.sleep(LOOK)
            try:
                await self.look()
                told = ""
            except Refused as trouble:
                if trouble.code != told:
                    _LOG.warning("%s: %s %s", trouble.code, trouble.message, trouble.hint)
                told = "stop" if trouble.code == "journal_not_the_signed_one" else trouble.code
            except Exception:
                _LOG.exception("the writing of checkpoints met a bug")

    async def look(self) -> None:
        """Sign what is new if it is enough, or has waited long enough."""
        now = self._clock.now()
        if self._store.head() - self._size < EVERY and now - self._since < LATEST:
            return
        self._since = now
        rows = await self._store.fetch("journal_head")
        if rows and rows[0]["position"] != self._size:
            self._size = await asyncio.to_thread(self.sign, now)

    def sign(self, now: int) -> int:
        """Sign every 1,000 events since the last checkpoint, and where the journal ends now.

        Returns how many events are signed. Raises Refused, also `journal_not_the_signed_one`.
        """
        tree = self._last()
        head, written = b"", []
        for page in self._store.scan("journal_hashes", tree.size):
            if page[0][0] != tree.size + 1:
                raise self._not_ours(f"event {tree.size + 1:,} is missing")
            leaves = [bytes(line[1]) for line in page]
            while room := leaves[: EVERY - tree.size % EVERY]:
                tree.grow(room)
                head = room[-1]
                del leaves[: len(room)]
                if tree.size % EVERY == 0:
                    written.append(self._signed(tree, head, now))
        if tree.size % EVERY and head:
            written.append(self._signed(tree, head, now))
        if written:
            # The empty lines before it end a note whose writer was interrupted.
            self._write("\n\n" + "\n".join(written) + "\n")
        return tree.size

    def _last(self) -> Tree:
        """The tree as the last checkpoint has it."""
        last = newest(self._places, self._origin)
        if last is None:
            return Tree()
        page = next(self._store.scan("journal_hashes", last.size - 1), None)
        if page is None:
            raise self._not_ours(f"it ends before event {last.size:,}, which was signed")
        if (last.size, last.head) != (page[0][0], bytes(page[0][1])):
            raise self._not_ours(f"event {last.size:,} is not the one that was signed")
        return Tree(last.size, last.peaks)

    def _signed(self, tree: Tree, head: bytes, now: int) -> str:
        key = signing_key(self._places.key)
        made = Checkpoint(self._origin, tree.size, tree.root(), head, now, tuple(tree.peaks))
        public = key.public_key().public_bytes_raw()
        own = note.key_id(self._origin, public)
        return note.written(Note(made, own, key.sign(made.text.encode())))

    def _write(self, text: str) -> None:
        path = self._places.notes
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _add(path, text.encode())
        except OSError as error:
            message = f"checkpoints cannot be written to {path}: {error.strerror}"
            hint = "Name a file that can be with HANDRAIL_CHECKPOINTS."
            raise Refused("checkpoints_unwritable", message, hint, move=Move.PERSON) from error

    def _not_ours(self, reason: str) -> Refused:
        message = f"the journal is not the one that was signed: {reason}"
        hint = "No checkpoint is written any more. See: handrail audit verify"
        return Refused("journal_not_the_signed_one", message, hint, move=Move.PERSON)


def _add(path: Path, data: bytes) -> None:
    """Add to the end of a private file in one piece, synced."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
