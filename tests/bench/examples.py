"""The examples that discovery is measured on: where they lie, and how they are read.

HANDRAIL_DATA names the folder that holds `discovery/`; nothing of it is part of the project.
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.app.evaluation import Query, for_test, item, query
from engine.core.views import WorkflowInfo

FOLDER = Path(os.environ.get("HANDRAIL_DATA") or "nowhere") / "discovery"
NOISY = "metatool"
"""Examples whose labels are noise; neither they nor what they mean is used."""

needed = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="HANDRAIL_DATA does not name a folder with discovery/"
)


def lines(name: str) -> list[dict[str, Any]]:
    """The JSON lines of a file, without the noisy ones."""
    path = FOLDER / name
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as text:
        found = [json.loads(line) for line in text]
    return [line for line in found if not line["source"].startswith(NOISY)]


def workflows() -> tuple[list[WorkflowInfo], list[Query]]:
    """Workflows, and what was asked for them."""
    infos = [item(line) for line in lines("wf_catalog.jsonl.gz")]
    return infos, [query(line) for line in lines("dev_wfsearch.jsonl")]


def tools() -> tuple[list[WorkflowInfo], list[Query]]:
    """Tools, and what was asked: the half that nothing was fitted to."""
    asked = [query(line) for line in lines("dev_search.jsonl")]
    infos = [item(line) for line in lines("catalog.jsonl.gz")]
    return infos, [each for each in asked if for_test(each)]
