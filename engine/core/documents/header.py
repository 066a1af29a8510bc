"""What every document begins with: its kind, its name, and the words that describe it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.documents.names import DEFAULT_NAMESPACE, ID, ID_RULE, Key
from engine.core.documents.raw import Report
from engine.core.documents.section import Section
from engine.core.version import Semver
from engine.core.words import shorten

WORKFLOW, TASK, CONNECTOR = "Workflow", "WorkflowTask", "Connector"
KINDS = (CONNECTOR, TASK, WORKFLOW)
TOP_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
METADATA_FIELDS = (
    "name",
    "namespace",
    "version",
    "description",
    "labels",
    "annotations",
    # A cluster adds these to what it hands back; they mean nothing here.
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "ownerReferences",
    "finalizers",
)
_DESCRIPTION = "workflow.io/description"
_CATEGORY = "workflow.io/category"


@dataclass(frozen=True, slots=True)
class Header:
    """A document that says what it is. `metadata` and `spec` are its two halves."""

    kind: str
    key: Key
    report: Report
    document: Mapping[str, Any]


def read_header(report: Report) -> Header | None:
    """The header, or None when the document does not say what it is."""
    top = Section(report, "", report.raw.value, TOP_FIELDS)
    if report.failed or not _kind_known(top):
        return None
    if not isinstance(top.get("apiVersion"), str):
        top.warn("apiVersion", "no_api_version", "apiVersion is missing", "write workflow.io/v1")
    metadata = top.section("metadata", METADATA_FIELDS)
    key = (metadata.text("namespace") or DEFAULT_NAMESPACE, metadata.text("name"))
    for field, value in zip(("namespace", "name"), key, strict=True):
        if not ID.match(value):
            what = (
                f"{shorten(value)!r} is not a {field}" if value else f"the document has no {field}"
            )
            metadata.error(field, f"bad_{field}", what, f"a {field} has {ID_RULE}")
    if "spec" not in top:
        top.error("spec", "missing_field", "the document has no spec")
    if report.failed:
        return None
    kind = top.text("kind")
    report.subject = f"{kind} {key[0]}/{key[1]}"
    return Header(kind, key, report, report.raw.value)


def _kind_known(top: Section) -> bool:
    kind = top.get("kind")
    if kind in KINDS:
        return True
    shown = "no kind" if kind is None else f"the unknown kind {shorten(str(kind))!r}"
    near = top.report.nearest(kind, KINDS) if isinstance(kind, str) else ""
    hint = near or "the kinds are Workflow, WorkflowTask and Connector"
    top.error("kind", "unknown_kind", f"the document has {shown}", hint)
    return False


def read_description(metadata: Section, spec: Section) -> str:
    """The author's description, from wherever documents keep it."""
    annotations = metadata.mapping("annotations")
    for text in (
        spec.text("description"),
        annotations.get(_DESCRIPTION),
        metadata.text("description"),
    ):
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def read_categories(metadata: Section, spec: Section) -> tuple[str, ...]:
    """Categories from `categories`, `category` and the label, each once."""
    label = metadata.mapping("labels").get(_CATEGORY)
    found = [*spec.strings("categories"), spec.text("category")]
    found.append(label if isinstance(label, str) else "")
    return tuple(dict.fromkeys(word for word in found if word))


def read_version(metadata: Section, spec: Section) -> str | None:
    """The declared version, or None. It may stand in `metadata` or in `spec`."""
    texts = {str(at.get("version")) for at in (metadata, spec) if at.get("version") is not None}
    if not texts:
        return None
    where = metadata if metadata.get("version") is not None else spec
    if len(texts) > 1:
        where.error("version", "conflict", "metadata.version and spec.version differ")
    try:
        return str(Semver.parse(str(where.get("version"))))
    except ValueError as error:
        hint = "a version has three numbers, MAJOR.MINOR.PATCH; quote it"
        where.error("version", "bad_version", str(error), hint)
        return None
