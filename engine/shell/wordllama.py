"""WordLlama's static vectors: a table of word pieces, and a text is the mean of its pieces.

The wheel `wordllama` carries the table and the tokenizer as files, and only these are read. Its
own code is never imported, nor are the packages that it brings along: that takes four times the
memory, sets up logging for the whole process, and would download what it does not find. Nothing
here opens a connection. Both files are read when the first text is encoded, so a process that
searches nothing pays nothing.
"""

import json
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.discovery.pieces import Pieces
from engine.core.errors import Move, Refused

if TYPE_CHECKING:
    import numpy as np

    Table = np.ndarray[Any, np.dtype[np.float16]]

DIMENSIONS = 256
MOST = 4_000
"""Characters of a text that are read; the rest of a longer one is not."""

_TABLE = Path("weights", f"l2_supercat_{DIMENSIONS}.safetensors")
_TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")


def installed() -> bool:
    """Whether everything that is needed can be imported; imports none of it."""
    return all(find_spec(name) is not None for name in ("numpy", "wordllama"))


def shipped() -> "WordLlama":
    """The encoder of the wheel, one for the process: to read its words takes a moment.

    Raises Refused `encoder_missing`, `encoder_broken`.
    """
    return _kept(_folder())


@cache
def _kept(folder: Path) -> "WordLlama":
    return WordLlama(folder)


class WordLlama:
    """The encoder of the extra `semantic`. Raises Refused `encoder_missing`, `encoder_broken`."""

    dimensions = DIMENSIONS

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _folder()
        try:
            self._size = (self._folder / _TABLE).stat().st_size
            self._words = (self._folder / _TOKENIZER).stat().st_size
        except OSError as error:
            raise _broken(str(error)) from None

    @property
    def name(self) -> str:
        """See `Encoder`: other files have other sizes."""
        return f"wordllama-{DIMENSIONS}:{self._size}:{self._words}"

    def encode(self, texts: Sequence[str], /) -> "list[np.ndarray[Any, Any]]":
        """See `Encoder`. Small and large letters are one; a text without words is the null vector.

        Few rows of the table are of words with large letters, and those lie elsewhere.
        """
        import numpy as np

        table, tokenizer = self._table, self._tokenizer
        found = []
        for text in texts:
            pieces = tokenizer.of(text[:MOST].lower())
            rows = table[pieces].astype(np.float32)
            found.append(rows.mean(0) if pieces else np.zeros(DIMENSIONS, np.float32))
        return found

    @cached_property
    def _tokenizer(self) -> Pieces:
        try:
            return Pieces(json.loads((self._folder / _TOKENIZER).read_bytes()))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _broken(f"{_TOKENIZER.name}: {type(error).__name__} {error}"[:200]) from None

    @cached_property
    def _table(self) -> "Table":
        """The table as it lies on disk: only the rows that are asked for come into memory."""
        import numpy as np

        try:
            with open(self._folder / _TABLE, "rb") as file:
                length = int.from_bytes(file.read(8), "little")
                head = json.loads(file.read(min(length, 100_000)))["embedding.weight"]
            start, end = head["data_offsets"]
            rows, columns = head["shape"]
            if head["dtype"] != "F16" or columns != DIMENSIONS or end - start != rows * columns * 2:
                raise _broken(f"{_TABLE.name} is not the table that was expected")
            place = 8 + length + start
            table = np.memmap(self._folder / _TABLE, np.float16, "r", place, (rows, columns))
            return table.view(np.ndarray)  # a memmap looks at itself in each thing it gives
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(str(error)) from None


def _folder() -> Path:
    found = find_spec("wordllama") if installed() else None
    if found is None or not found.submodule_search_locations:
        raise Refused(
            "encoder_missing",
            "the vectors of WordLlama are not installed",
            'Install them: pip install "handrail[semantic]", or leave HANDRAIL_ENCODER=off.',
            move=Move.PERSON,
        )
    return Path(found.submodule_search_locations[0])


def _broken(why: str) -> Refused:
    return Refused(
        "encoder_broken",
        f"the vectors of WordLlama cannot be read: {why}",
        'Install them anew: pip install --force-reinstall "handrail[semantic]".',
        move=Move.PERSON,
    )
