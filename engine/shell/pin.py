"""PINs as hashes: made with scrypt, so that trying one costs time and memory.

The hash says with which parameters it was made. It takes a tenth of a second, so it is worked out
on a thread. The PIN itself is kept nowhere.
"""

import asyncio
import hashlib
import hmac

SALT_BYTES = 16
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_MEMORY = 64 * 1024 * 1024


async def hashed(pin: str, salt: bytes) -> str:
    """What is kept of a PIN; `salt` is SALT_BYTES of chance."""
    found = await asyncio.to_thread(_scrypt, pin, salt, _COST, _BLOCK, _PARALLEL)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${salt.hex()}${found.hex()}"


async def fits(pin: str, kept: str) -> bool:
    """Whether a PIN is the one that was hashed."""
    _, cost, block, parallel, salt, wanted = kept.split("$")
    found = await asyncio.to_thread(
        _scrypt, pin, bytes.fromhex(salt), int(cost), int(block), int(parallel)
    )
    return hmac.compare_digest(found, bytes.fromhex(wanted))


def _scrypt(pin: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        pin.encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=block, p=parallel,
        maxmem=_MEMORY, dklen=32,
    )  # fmt: skip
