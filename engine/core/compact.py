"""JSON without spaces, as quickly as Python writes it.

`json.dumps` with anything but its own defaults builds an encoder for each call, which takes
longer than most of our values do; here it is built once. It refuses to know what is written.
"""

import json
from collections.abc import Callable
from typing import Any


def _unknown(value: object) -> Any:
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


def writer(
    *, ascii_only: bool, sort_keys: bool, other: Callable[[Any], Any] = _unknown
) -> Callable[[Any], str]:
    """A function that gives a value's text; `other` makes JSON of what the encoder does not know.

    Raises ValueError for numbers that are not finite, TypeError for what is not JSON. Without the
    check for circles a circle ends in RecursionError.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(
            ensure_ascii=ascii_only,
            allow_nan=False,
            check_circular=False,
            sort_keys=sort_keys,
            separators=(",", ":"),
            default=other,
        ).encode
    escape = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    # markers, default, encoder, indent, separators, sort_keys, skipkeys, allow_nan
    pieces = make(None, other, escape, None, ":", ",", sort_keys, False, False)
    return lambda value: "".join(pieces(value, 0))
