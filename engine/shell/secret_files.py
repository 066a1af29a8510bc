"""Secrets in files of their own, each sealed with AES-256-GCM, for their owner's eyes only.

One file per secret, so that two people who set two secrets never undo each other. Name, tenant,
version and hosts are sealed in with the value: a file that was moved, renamed or edited cannot be
opened. The key lies in the system's keyring where `handrail[keyring]` is installed, else in a
file beside them; then who can read both files has the secrets, and only the rights protect them.
"""

import hashlib
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import Move, Refused
from engine.core.secrets import SHORTEST, is_name
from engine.shell.secrets import Kept, Secret

Random = Callable[[int], bytes]

LONGEST = 16_384
"""Characters of a secret."""

KEPT = 2
"""Versions that are kept: the one before stays for what is under way."""

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SERVICE = "handrail"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z|[0-9a-f:.]{2,45}\Z")
_PRIVATE, _PRIVATE_FOLDER = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class Listed:
    """What may be told of a secret. `at` is microseconds since the epoch."""

    name: str
    version: int
    hosts: tuple[str, ...]
    at: int


class SecretFiles:
    """The secrets in `folder`, which is made when the first is set."""

    def __init__(self, folder: Path, random: Random) -> None:
        self._folder = folder
        self._random = random
        self._key: bytes | None = None

    # -- reading ------------------------------------------------------------------------------

    def get(self, tenant: str, name: str, version: int) -> Kept | None:
        """See `Keeping`; raises Refused `secret_damaged` or `secrets_open`."""
        record = self._record(self._file(tenant, name))
        if record is None:
            return None
        if (record["tenant"], record["name"]) != (tenant, name):
            raise _damaged()
        number = version or record["newest"]
        sealed = record["versions"].get(str(number))
        if sealed is None:
            return None
        hosts = tuple(record["hosts"])
        value = self._open(sealed, _bound(tenant, name, number, hosts))
        return Kept(Secret(value), number, hosts)

    def names(self, tenant: str) -> list[Listed]:
        """Every secret of a tenant by name; never a value."""
        records = [self._record(path) for path in sorted(self._folder.glob("*.json"))]
        found = [
            Listed(each["name"], each["newest"], tuple(each["hosts"]), each["at"])
            for each in records
            if each is not None and each["tenant"] == tenant
        ]
        return sorted(found, key=lambda each: each.name)

    # -- writing ------------------------------------------------------------------------------

    def put(self, tenant: str, name: str, value: str, hosts: Iterable[str], now: int) -> int:
        """Keep a new version; its number. Raises Refused for a name or value that cannot be."""
        path, bound = self._file(tenant, name), tuple(sorted({each.lower() for each in hosts}))
        _check(name, value, bound)
        before = self._record(path) or {"newest": 0, "versions": {}}
        number = int(before["newest"]) + 1
        versions = {str(number): self._seal(value, _bound(tenant, name, number, bound))}
        if before.get("hosts") == list(bound):  # else who does not know the old could send it away
            older = sorted(map(int, before["versions"]), reverse=True)[: KEPT - 1]
            versions |= {str(each): before["versions"][str(each)] for each in older}
        self._write(path, json.dumps(_record(tenant, name, number, bound, now, versions)))
        return number

    def remove(self, tenant: str, name: str) -> bool:
        """Forget a secret with all its versions; whether there was one."""
        try:
            self._file(tenant, name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _trouble("removed", error) from None
        return True

    # -- files --------------------------------------------------------------------------------

    def _file(self, tenant: str, name: str) -> Path:
        digest = hashlib.sha256(f"{tenant}\0{name}".encode()).hexdigest()
        return self._folder / f"{digest[:32]}.json"

    def _record(self, path: Path) -> dict[str, Any] | None:
        text = _private_text(path)
        if text is None:
            return None
        try:
            record = json.loads(text)
            versions = {str(int(key)): str(sealed) for key, sealed in record["versions"].items()}
            return _record(
                str(record["tenant"]), str(record["name"]), int(record["newest"]),
                tuple(map(str, record["hosts"])), int(record["at"]), versions,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged() from None

    def _write(self, path: Path, text: str) -> None:
        made = path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write_private(made, text.encode())
            made.replace(path)
        except OSError as error:
            with suppress(OSError):
                made.unlink(missing_ok=True)
            raise _trouble("written", error) from None

    # -- sealing ------------------------------------------------------------------------------

    def _seal(self, value: str, bound: bytes) -> str:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = self._random(_NONCE_BYTES)
        sealed = AESGCM(self._key_there(make=True)).encrypt(nonce, value.encode(), bound)
        return b64encode(nonce + sealed).decode()

    def _open(self, text: str, bound: bytes) -> str:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            sealed = b64decode(text, validate=True)
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return AESGCM(self._key_there()).decrypt(nonce, rest, bound).decode()
        except (InvalidTag, ValueError):
            raise _damaged() from None

    def _key_there(self, *, make: bool = False) -> bytes:
        if self._key is None:
            self._key = self._found_key() or (self._made_key() if make else None)
        if self._key is None:
            raise _damaged()
        return self._key

    def _found_key(self) -> bytes | None:
        text = _private_text(self._folder / "key")
        if text is None:
            ring = _keyring()
            text = None if ring is None else ring.get_password(_SERVICE, str(self._folder))
        if text is None:
            return None
        key = bytes.fromhex(text.strip()) if len(text.strip()) == 2 * _KEY_BYTES else b""
        if len(key) != _KEY_BYTES:
            raise _damaged()
        return key

    def _made_key(self) -> bytes:
        key = self._random(_KEY_BYTES)
        ring = _keyring()
        if ring is not None:
            ring.set_password(_SERVICE, str(self._folder), key.hex())
            return key
        try:
            self._folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write_private(self._folder / "key", key.hex().encode())
        except FileExistsError:
            return self._key_there()  # somebody else was first
        except OSError as error:
            raise _trouble("written", error) from None
        return key


def _record(
    tenant: str, name: str, newest: int, hosts: tuple[str, ...], at: int, versions: dict[str, str]
) -> dict[str, Any]:
    return {
        "v": 1,
        "tenant": tenant,
        "name": name,
        "newest": newest,
        "hosts": list(hosts),
        "at": at,
        "versions": versions,
    }


def _bound(tenant: str, name: str, version: int, hosts: tuple[str, ...]) -> bytes:
    return json.dumps(["handrail/secret/v1", tenant, name, version, list(hosts)]).encode()


def _keyring() -> Any:
    """The system's keyring, where the package is there and a real one stands behind it."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as Nothing
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), Nothing) else keyring


def _private_text(path: Path) -> str | None:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            message = f"others than their owner may read the secrets in {path.parent}"
            raise Refused("secrets_open", message, f"chmod 600 {path}", move=Move.PERSON)
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _damaged() from None
    except OSError as error:
        raise _trouble("read", error) from None


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with suppress(FileNotFoundError):
        if path.suffix == ".new":
            path.unlink()
    handle = os.open(path, flags, _PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _check(name: str, value: str, hosts: Iterable[str]) -> None:
    if not is_name(name):
        hint = "1 to 63 letters, digits, '-' or '_', beginning with a letter or digit."
        raise Refused("bad_name", f"{name[:80]!r} cannot name a secret", hint)
    for host in hosts:
        if not _HOST.match(host):
            hint = "Write it as in a URL, without scheme and port: api.example.com."
            raise Refused("bad_host", f"{host[:80]!r} is not a host", hint)
    if not SHORTEST <= len(value) <= LONGEST:
        hint = "A shorter one could be guessed, and could not be masked without masking words."
        message = f"a secret has {SHORTEST} to {LONGEST:,} characters"
        raise Refused("bad_secret", message, hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("bad_secret", "half a surrogate pair is no text") from None


def _damaged() -> Refused:
    hint = "Set it again: handrail secret set NAME."
    message = "a kept secret cannot be opened: its file or its key was changed"
    return Refused("secret_damaged", message, hint, move=Move.PERSON)


def _trouble(verb: str, error: OSError) -> Refused:
    reason = error.strerror or type(error).__name__
    hint = "Look at the rights of the folder of the database."
    return Refused("secrets_file", f"secrets cannot be {verb}: {reason}", hint, move=Move.PERSON)
