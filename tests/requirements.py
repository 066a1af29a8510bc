"""What was asked for, as data: an id, where it was asked, and what must be true.

A test says which line it proves with `@pytest.mark.requirement("id")`; tests/test_requirements.py
holds the two together both ways. What is not built yet is not listed here: a line is added
together with the tests that prove it.

The places: `000` to `004` are the seed documents with their sections, `order` is what the customer
said when ordering this part.
"""

from tests.requirement import Requirement
from tests.requirements_discovery import DISCOVERY
from tests.requirements_gate import GATE

REQUIREMENTS = (
    # the repository
    Requirement(
        "packages-named-by-the-customer",
        "order",
        "Each package that the customer named is imported by shipped code and does its job.",
    ),
    Requirement(
        "wheel-runs-anywhere",
        "order",
        "The wheel installs and runs outside the clone: fresh venv, working directory /, HOME"
        " read-only but for the data folder, prompts and resources read from it.",
    ),
    Requirement(
        "claude-desktop-entry",
        "003 stage 15.5",
        "The Claude Desktop example starts, with working directory / and a minimal environment.",
    ),
    Requirement(
        "runs-without-fcntl",
        "order",
        "Where fcntl is absent (Windows) the package imports and works.",
    ),
    # audit
    Requirement(
        "audit-finds",
        "order",
        "A journal that a database admin changed, cut off or wrote anew is found and named.",
    ),
    Requirement(
        "audit-copies",
        "order",
        "A copy of the journal, or of a part, proves what it says without the database.",
    ),
    # documents
    Requirement("metadata", "003 stage 15.1", "Workflows carry categories, tags and examples."),
    Requirement(
        "input-forms",
        "003 stage 15.1",
        "An input is written as JSON Schema or as short fields; both mean the same.",
    ),
    Requirement(
        "templates",
        "003 lesson 4",
        "Templates reach into inputs, outputs and loop items; a whole-value one keeps its type.",
    ),
    Requirement(
        "dependencies",
        "003 lesson 2",
        "A step waits for what it depends on, whether it says so or refers to it in a template.",
    ),
    Requirement(
        "parallel",
        "003 lesson 3 and 001 phase 2",
        "Steps that do not depend on each other run side by side.",
    ),
    Requirement("output-mapping", "003 lesson 5", "A workflow maps its steps' outputs to its own."),
    Requirement("timeouts", "003 lesson 5", "A step that takes longer than its timeout fails."),
    Requirement("conditions", "003 lesson 6", "A step whose condition is false is skipped."),
    Requirement("switch", "003 lesson 7", "A switch takes the matching case, else its default."),
    Requirement(
        "for-each",
        "003 lesson 8",
        "A loop runs its task for each item, at most so many at once, results in order.",
    ),
    Requirement("transforms", "003 lesson 9", "Every operation of the transform language works."),
    Requirement(
        "sub-workflows",
        "003 lesson 11",
        "A step may be another workflow, by namespace and version.",
    ),
    Requirement("fallback", "003 lesson 15", "When a step fails for good its fallback answers."),
    Requirement(
        "circuit-breaker",
        "003 lesson 16",
        "After enough failures a task is not called for a while, in every process.",
    ),
    Requirement(
        "folder-check",
        "order",
        "A folder is checked as a whole: every problem with file, line, path and hint.",
    ),
    Requirement(
        "documents-reread",
        "order",
        "A changed folder is read again; a running run keeps its version.",
    ),
    # errors, retries, versions, runs
    Requirement(
        "errors-at-source",
        "001 phase 1 and 002 exec-12",
        "Errors are classified where they are seen; what nobody classified is our bug.",
    ),
    Requirement(
        "errors-stored",
        "001 phase 1",
        "A stored error keeps kind, code, message, step and attempt.",
    ),
    Requirement(
        "retry-policies",
        "001 phase 1",
        "A step is retried exponentially, at fixed intervals or not at all, with jitter and a cap.",
    ),
    Requirement(
        "retry-after", "001 phase 1", "A server's Retry-After wins over the computed delay."
    ),
    Requirement("attempts-kept", "001 phase 1", "Every attempt of a step is kept."),
    Requirement(
        "memoised-steps", "001 phase 2", "A completed step is never executed again in its run."
    ),
    Requirement(
        "partial-failure",
        "001 phase 2",
        "When one of several parallel steps fails the others' results are kept and shown.",
    ),
    Requirement(
        "versions-side-by-side", "001 phase 3", "Several versions of a workflow run side by side."
    ),
    Requirement(
        "default-version", "001 phase 3", "Without a version the default runs; a named one wins."
    ),
    Requirement(
        "missing-version", "001 phase 3", "Asking for a version that is not there is refused."
    ),
    Requirement(
        "deprecated-version",
        "001 phase 3",
        "A deprecated version starts only when asked for by name.",
    ),
    Requirement("version-counts", "001 phase 3", "Runs are counted by version and status."),
    Requirement(
        "status-and-phase",
        "002 exec-09",
        "How far a run got and why it is not moving are two things.",
    ),
    Requirement(
        "retry-chain",
        "002 exec-10",
        "A retry by hand is a new run that names the old one, made in the same transaction.",
    ),
    Requirement("whose-move", "002 exec-12", "Every status says whose move it is, by one table."),
    Requirement("cancel", "001 phase 1", "A run can be cancelled, and then it is over."),
    Requirement("deadline", "001 phase 1", "A run that passes its deadline ends."),
    Requirement(
        "idempotent-start",
        "order",
        "Two starts with one key are one run; with other input, refused.",
    ),
    Requirement(
        "resume-after-crash",
        "001 phase 5",
        "A killed process loses no acknowledged start and repeats no completed step.",
    ),
    Requirement(
        "mutations-wait", "000 external state repair", "Nothing outside is changed without a grant."
    ),
    # the journal
    Requirement(
        "append-only-journal",
        "004 event store",
        "Events are appended with an expected version; of two writers one is told it is stale.",
    ),
    Requirement(
        "projections-rebuilt",
        "004 replay",
        "Tables dropped and refilled from the journal are equal.",
    ),
    Requirement(
        "tamper-evident", "003 stage 40.2", "A changed event is found by verifying the chain."
    ),
    Requirement(
        "upcasting", "004 schema versions", "Events of every schema ever written can be read."
    ),
    Requirement(
        "nothing-half-done",
        "order",
        "Whichever SQL statement fails, nothing is lost and nothing is half done.",
    ),
    Requirement(
        "survives-power-cuts",
        "order",
        "A power cut at any moment loses no acknowledged fact and leaves nothing half done.",
    ),
    Requirement(
        "database-migrated",
        "order",
        "An older database is migrated after a backup; a newer one is refused.",
    ),
    # the server
    Requirement(
        "tool-list-workflows", "003 stage 15.2", "list_workflows lists with rich metadata."
    ),
    Requirement(
        "tool-search-workflows", "003 stage 15.2", "search_workflows finds by words, ranked."
    ),
    Requirement(
        "tool-get-workflow-details",
        "003 stage 15.2",
        "get_workflow_details shows schema and examples.",
    ),
    Requirement(
        "tool-execute-workflow",
        "003 stage 15.3",
        "execute_workflow gives output, duration and tasks.",
    ),
    Requirement(
        "tool-list-tasks", "003 stage 43.3", "list_tasks lists what workflows are made of."
    ),
    Requirement(
        "validation-failure",
        "003 stage 15.3",
        "A wrong input is answered with missingInputs, invalidInputs and a suggestedPrompt.",
    ),
    Requirement(
        "execution-failure",
        "003 stage 15.3",
        "A failed run is answered with failedTask, errorMessage and partialOutput.",
    ),
    Requirement("dry-run", "003 stage 15.3", "A dry run shows the plan and its parallel groups."),
    Requirement(
        "workflow-resources", "003 stage 15.4", "workflow://{name} and its schema can be read."
    ),
    Requirement(
        "prompts", "003 stage 15.4", "discover-workflow, execute-workflow, troubleshoot-execution."
    ),
    Requirement(
        "both-transports", "003 stage 15.5", "The server speaks stdio and streamable HTTP."
    ),
    Requirement("both-eras", "order", "The server speaks 2025-11-25 and 2026-07-28."),
    Requirement(
        "seed-dialogue", "003 stage 15", '"Get me the profile for user 3" works end to end.'
    ),
    Requirement(
        "success-rate", "003 stage 15", "At least 95 % of valid executions on the demo succeed."
    ),
    Requirement(
        "official-clients", "order", "The official Inspector lists, searches, runs and reads."
    ),
    Requirement("conformance", "order", "The official conformance suite passes."),
    Requirement(
        "small-tool-list",
        "order",
        "tools/list is under 14 kB; each tool has title, hints and schemas.",
    ),
    Requirement(
        "results-match-schemas", "order", "Every result of a tool satisfies its output schema."
    ),
    Requirement("strict-arguments", "order", "An unknown argument is an error with a suggestion."),
    Requirement(
        "command-line", "order", "The terminal does what the tools do, with --json and exit codes."
    ),
    Requirement("guarded-network", "order", "http tasks do not reach private addresses."),
    Requirement(
        "bad-documents", "order", "Hostile YAML and JSON get a typed error within a second."
    ),
    Requirement(
        "simulated-workers",
        "order",
        "Whatever goes wrong between several workers and the database, the same laws hold.",
    ),
    *GATE,
    *DISCOVERY,
)
