"""Encoders: which one is used, and that WordLlama is read from its files and from nowhere else."""

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from engine.core.discovery.pieces import Pieces
from engine.core.errors import Refused
from engine.shell.encoders import encoder_of, ranking_of
from engine.shell.wordllama import WordLlama
from engine.store.search import WEIGHTS, shipped
from mcp_server.cli.init import write_files

WHEEL = find_spec("wordllama")
assert WHEEL is not None
assert WHEEL.submodule_search_locations
FILES = Path(WHEEL.submodule_search_locations[0])

BLOCKED = """
import json, socket, sys
def blocked(*_, **__):
    raise AssertionError("a connection was opened")
for name in ("connect", "connect_ex", "sendto", "bind"):
    setattr(socket, "socket", type("Blocked", (socket.socket,), {name: blocked}))
socket.getaddrinfo = socket.create_connection = blocked
from engine.shell.encoders import encoder_of, ranking_of
encoder = encoder_of("")
before = [name for name in ("numpy", "tokenizers") if name in sys.modules]
rows = encoder.encode(["send an e-mail"])
others = ("requests", "urllib3", "tokenizers", "wordllama", "httpx", "huggingface_hub")
after = [name for name in others if name in sys.modules]
print(json.dumps([before, after, len(rows[0])]))
"""


class Letters:
    """An encoder of somebody else: how often each vowel comes."""

    name, dimensions = "letters", 5

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [[text.count(letter) for letter in "aeiou"] for text in texts]


class Nameless(Letters):
    name = ""


class Endless(Letters):
    dimensions = 1_000_000


class Mute:
    name, dimensions = "mute", 3
    encode: ClassVar[None] = None


def refused(choice: str) -> Refused:
    with pytest.raises(Refused) as caught:
        encoder_of(choice)
    assert caught.value.hint
    return caught.value


def likeness(one: str, other: str) -> float:
    a, b = (np.asarray(row) for row in WordLlama().encode([one, other]))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.requirement("encoder-offline")
def test_the_vectors_are_read_without_a_connection_and_only_when_they_are_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(done.stdout) == [[], [], 256]


def test_texts_that_mean_the_same_are_nearer_than_others() -> None:
    same = likeness("send an e-mail to a customer", "mail a message to the client")
    assert same > 0.4 > likeness("send an e-mail to a customer", "area of a circle")


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    encoder = WordLlama()
    (alone,) = encoder.encode(["größe 😀 of </s> it"])
    assert (encoder.encode(["x", "größe 😀 of </s> it"])[1] == alone).all()


def test_a_text_without_words_is_the_null_vector() -> None:
    (row,) = WordLlama().encode([""])
    assert not np.asarray(row).any()


def test_without_a_choice_what_is_installed_is_used() -> None:
    assert isinstance(encoder_of(""), WordLlama)
    assert isinstance(encoder_of("wordllama"), WordLlama)
    assert encoder_of("off") is None


@pytest.mark.parametrize("package", ["numpy", "wordllama"])
def test_without_the_extra_words_alone_are_searched_unless_it_was_asked_for(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert encoder_of("") is None
    refusal = refused("wordllama")
    assert refusal.code == "encoder_missing"
    assert "handrail[semantic]" in refusal.hint


def test_an_encoder_of_ones_own_is_found_by_module_and_name() -> None:
    own = encoder_of(f"{__name__}:Letters")
    assert own is not None
    assert (own.name, own.dimensions) == ("letters", 5)


@pytest.mark.parametrize(
    ("choice", "code", "words"),
    [
        ("wordlama", "bad_setting", "there is no encoder 'wordlama'"),
        (":x", "bad_setting", "there is no encoder"),
        ("no.such.module:x", "encoder_missing", "ModuleNotFoundError"),
        (f"{__name__}:Nothing", "encoder_missing", "AttributeError"),
        (f"{__name__}:likeness", "encoder_missing", "TypeError"),
        (f"{__name__}:Nameless", "encoder_missing", "no `name`"),
        (f"{__name__}:Endless", "encoder_missing", "`dimensions`"),
        (f"{__name__}:Mute", "encoder_missing", "no `encode`"),
    ],
)
def test_an_encoder_that_cannot_be_used_is_refused_with_the_reason(
    choice: str, code: str, words: str
) -> None:
    refusal = refused(choice)
    assert refusal.code == code
    assert words in refusal.message


@pytest.mark.parametrize("wrong", [b"", b"{}", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_table_is_a_typed_refusal(tmp_path: Path, wrong: bytes) -> None:
    for place in ("weights/l2_supercat_256.safetensors", "tokenizers"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / "tokenizers").symlink_to(FILES / "tokenizers")
    (tmp_path / "weights/l2_supercat_256.safetensors").write_bytes(wrong)
    with pytest.raises(Refused) as caught:
        WordLlama(tmp_path).encode(["x"])
    assert caught.value.code == "encoder_broken"


def test_a_tokenizer_that_cannot_be_read_is_a_typed_refusal(tmp_path: Path) -> None:
    (tmp_path / "weights").symlink_to(FILES / "weights")
    (tmp_path / "tokenizers").mkdir()
    with pytest.raises(Refused) as gone:
        WordLlama(tmp_path)
    (tmp_path / "tokenizers/l2_supercat_tokenizer_config.json").write_text("{}")
    with pytest.raises(Refused) as damaged:
        WordLlama(tmp_path).encode(["x"])
    assert (gone.value.code, damaged.value.code) == ("encoder_broken", "encoder_broken")


TOKENIZER = FILES / "tokenizers/l2_supercat_tokenizer_config.json"
PARTS = [
    *(
        "send",
        "invoices",
        "refund-order",
        "größe",
        "naïve",
        "日本語",
        "한국어",
        "Ж",
        "😀",
        "e\u0301",
    ),
    *(
        " ",
        "  ",
        "     ",
        "\n",
        "\t",
        "\0",
        "\u2581",
        "<s>",
        "</s>",
        "<unk>",
        "<0x41>",
        "-",
        "1",
        "q",
    ),
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PARTS)).map("".join)))
def test_texts_are_cut_as_the_library_cuts_them(text: str) -> None:
    assert mine().of(text) == theirs().encode(text, add_special_tokens=False).ids


def test_a_long_text_without_spaces_is_cut_as_well() -> None:
    for text in ("量放勝차" * 500, "internationalization" * 100, "x" * 2_000, " " * 2_000):
        assert mine().of(text) == theirs().encode(text, add_special_tokens=False).ids


@cache
def mine() -> Pieces:
    return Pieces(json.loads(TOKENIZER.read_bytes()))


@cache
def theirs() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER))


@pytest.mark.parametrize(
    "change",
    [
        {"model": None},
        {"model": {"vocab": {"a": 0}, "merges": []}},
        {"model": {"vocab": {"a": 70_000}, "merges": []}},
        {"added_tokens": [{}]},
        {"added_tokens": None},
    ],
)
def test_a_document_that_is_no_tokenizer_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        Pieces(json.loads(TOKENIZER.read_bytes()) | change)


def test_weights_of_a_file_take_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "weights.json"
    own.write_text(WEIGHTS.read_text(encoding="utf-8"), encoding="utf-8")
    assert ranking_of("off", own).sets == shipped()
    assert ranking_of("off").sets is shipped()


@pytest.mark.requirement("own-weights-checked")
@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"lexical": 1}', '{"lexical": {}, "other": {}}', "[" * 99_999]
)
def test_weights_that_cannot_be_used_are_refused_at_the_start(tmp_path: Path, text: str) -> None:
    own = tmp_path / "weights.json"
    own.write_text(text, encoding="utf-8")
    for file in (own, tmp_path / "gone.json", tmp_path):
        with pytest.raises(Refused) as caught:
            ranking_of("off", file)
        assert caught.value.code == "bad_ranker"
        assert str(file) in caught.value.message


LAZY = """
import asyncio, sys
from pathlib import Path
from engine import Settings, open_engine
async def main():
    folder = Path(sys.argv[1])
    settings = Settings(database=str(folder / "h.db"), folders=(folder / "w",), work=False)
    async with open_engine(settings) as engine:
        await engine.refresh()
        before = [name for name in ("numpy", "tokenizers") if name in sys.modules]
        hits = engine.search("add up the amounts", 3).hits
        print(before, bool(hits), "numpy" in sys.modules)
asyncio.run(main())
"""


@pytest.mark.requirement("encoder-lazy")
def test_a_process_that_searches_nothing_never_imports_an_encoder(tmp_path: Path) -> None:
    write_files(tmp_path / "w")
    done = subprocess.run(
        [sys.executable, "-c", LAZY, str(tmp_path)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout.split("\n")[0] == "[] True True"
