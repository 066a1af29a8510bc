"""The same facts in words, for an assistant that pays by the token.

Each function takes what `wire` built and gives a few lines of Markdown: ids and names that the
next call needs, no nulls, long lists cut with how many were left out. Whatever came from outside
goes through `foreign`, so that nothing in these lines can be followed, loaded or obeyed as markup.
"""

from collections.abc import Iterable
from typing import Any

from mcp_server.foreign import dumped, fenced, plain
from mcp_server.wire import Json

_MOST_LINES = 60
_SHORT = 200


def workflows(facts: Json, *, nothing: str) -> str:
    """A page of workflows, one line each."""
    shown = facts["workflows"]
    lines = [_workflow_line(each) for each in shown] or [nothing]
    if facts.get("nextCursor"):
        lines.append(f"More: cursor {facts['nextCursor']}")
    problems = facts.get("problems", [])
    if problems:
        lines.append(f"{len(problems)} problems in the documents:")
        lines += [problem(each) for each in problems[:10]]
    return "\n".join(lines)


def problem(each: Json) -> str:
    """One problem of a document in a line."""
    where = f"{each['file']}:{each['line']}" if "line" in each else each["file"]
    hint = f" {plain(each['hint'], _SHORT)}" if "hint" in each else ""
    return f"- {each['severity']} {plain(where)}: {plain(each['message'], _SHORT)}{hint}"


def _workflow_line(each: Json) -> str:
    notes = [each["effect"]]
    notes += [note for note in ("pending", "deprecated") if each.get(note)]
    if "score" in each:
        notes.append(f"match {each['score']:.2f}")
    said = plain(each["description"], _SHORT) or "(no description)"
    inputs = ", ".join(_input_short(field) for field in each["inputs"]) or "none"
    went = _went(each["stats"]) if "stats" in each else ""
    return (
        f"- {each['name']} {each['version']} ({', '.join(notes)}): {said} Inputs: {inputs}.{went}"
    )


def _went(stats: Json) -> str:
    if not stats["runs"]:
        return " Never run."
    rate = f", {stats['successRate']:.0%} completed" if "successRate" in stats else ""
    took = f", p50 {stats['p50Ms']} ms, p95 {stats['p95Ms']} ms" if "p50Ms" in stats else ""
    last = f", last {stats['lastRunAt']} {stats['lastStatus']}"
    return f" Newest {stats['runs']} runs{rate}{took}{last}."


def _input_short(field: Json) -> str:
    return f"{plain(field['name'], 80)}: {field['type']}{'' if field['required'] else '?'}"


def input_line(field: Json) -> str:
    """One input with everything a caller must know."""
    notes = [field["type"], *(["required"] if field.get("required") else [])]
    if "default" in field:
        notes.append(f"default {dumped(field['default'])[:_SHORT]}")
    if "enum" in field:
        notes.append(f"one of {dumped(field['enum'])[:_SHORT]}")
    return f"- {plain(field['name'], 80)} ({', '.join(notes)}): {plain(field['description'])}"


def details(facts: Json) -> str:
    """A workflow, its inputs, its steps and how to call it."""
    lines = [
        f"# {facts['name']} {facts['version']} ({facts['effect']})",
        plain(facts["description"], 2_000),
        "Inputs:",
        *([input_line(field) for field in facts["inputs"]] or ["- none"]),
        "Steps:",
        *_cut_lines(_step_info(each) for each in facts["steps"]),
        "Runs side by side: " + " → ".join("+".join(group) for group in facts["parallelGroups"]),
    ]
    if facts.get("outputs"):
        lines.append(f"Output: {', '.join(plain(name, 80) for name in facts['outputs'])}")
    for example in facts.get("examples", [])[:3]:
        lines.append(
            f"Example {plain(example['name'], 80)}: input {dumped(example['input'])[:600]}"
        )
    if "versions" in facts:
        lines += ["Versions:", *(version(each) for each in facts["versions"])]
        lines += ["Input schema:", fenced(dumped(facts["inputSchema"]))]
        lines += ["Document:", fenced(dumped(facts["document"]))]
    lines.append(_pending(facts) or f"Run it: execute_workflow with workflow {facts['name']}.")
    return "\n".join(lines)


def _pending(facts: Json) -> str:
    if not facts.get("pending"):
        return ""
    return "A person must accept this version before it runs; a dry run (dryRun: true) works now."


def _step_info(each: Json) -> str:
    parts = [f"- {each['id']}: {', '.join(each['targets']) or each['type']} ({each['effect']})"]
    if "dependsOn" in each:
        parts.append(f"after {', '.join(each['dependsOn'])}")
    if "condition" in each:
        parts.append(f"if {plain(each['condition'], _SHORT)}")
    if "forEach" in each:
        parts.append(f"for each of {plain(each['forEach'], _SHORT)}")
    return ", ".join(parts)


def version(each: Json) -> str:
    """One version in a line."""
    notes = [each["effect"]]
    notes += [note for note in ("default", "pinned", "deprecated", "pending") if each.get(note)]
    counts = ", ".join(f"{count} {status}" for status, count in each["runs"].items())
    return f"- {each['version']} ({', '.join(notes)}), {each['publishedAt']}: {counts or 'no runs'}"


def tasks(facts: Json) -> str:
    """A page of tasks."""
    lines = [_task_line(each) for each in facts["tasks"]] or ["There are no tasks."]
    if facts.get("nextCursor"):
        lines.append(f"More: cursor {facts['nextCursor']}")
    return "\n".join(lines)


def _task_line(each: Json) -> str:
    takes = (
        f" Takes {', '.join(plain(name, 80) for name in each['inputs'])}."
        if "inputs" in each
        else ""
    )
    used = ", ".join(each["usedBy"][:5]) or "nothing"
    said = plain(each["description"], _SHORT)
    return f"- {each['name']} ({each['type']}, {each['effect']}): {said}{takes} Used by {used}."


def run(facts: Json) -> str:
    """A run: how it stands, what it gave, what went wrong, and a line per step."""
    lines = [_headline(facts)]
    if facts.get("nextStep") or facts["whoseMove"] != "none":
        lines.append(
            f"Whose move: {facts['whoseMove']}. {plain(facts.get('nextStep', ''))}".rstrip()
        )
    if "approval" in facts:
        lines += _plan(facts["approval"])
    if "error" in facts:
        lines += _error(facts)
    lines += _output(facts)
    if "tasks" in facts:
        lines += ["Steps:", *_cut_lines(map(_step, facts["tasks"]), facts.get("tasksOmitted", 0))]
    return "\n".join(lines)


def _headline(facts: Json) -> str:
    parts = [
        f"Run {facts['executionId']} of {facts['workflow']} {facts['version']}: {facts['status']}"
    ]
    if "durationMs" in facts:
        parts.append(f"after {facts['durationMs']:,} ms")
    if facts.get("reused"):
        parts.append("(the run that this idempotency key started before)")
    if "retryOf" in facts:
        parts.append(f"(retry of {facts['retryOf']})")
    if "retriedBy" in facts:
        parts.append(f"(retried by {facts['retriedBy']})")
    return " ".join(parts)


def _error(facts: Json) -> list[str]:
    error = facts["error"]
    where = (
        f"Step {plain(facts['failedTask'], 80)} failed" if "failedTask" in facts else "It failed"
    )
    again = "may go away by itself" if error["retryable"] else "will not go away by itself"
    lines = [
        f"{where}: {plain(error['message'])} [{error['kind']}, {plain(error['code'], 80)}, {again}]"
    ]
    return [*lines, f"Hint: {plain(error['hint'])}"] if "hint" in error else lines


def _output(facts: Json) -> list[str]:
    if "outputOmitted" in facts:
        omitted = facts["outputOmitted"]
        return [f"Output: {omitted['characters']:,} characters of JSON; read {omitted['resource']}"]
    for name, words in (("output", "Output:"), ("partialOutput", "Partial output:")):
        if name in facts and facts[name] != {}:
            return [words, fenced(dumped(facts[name]))]
    return []


def _step(each: Json) -> str:
    parts = [f"- {plain(each['id'], 80)}: {each['status']}"]
    if each["attempts"] > 1 or each["status"] == "failed":
        parts.append(f"{each['attempts']} attempt{'' if each['attempts'] == 1 else 's'}")
    if "durationMs" in each:
        parts.append(f"{each['durationMs']:,} ms")
    if "error" in each:
        error = each["error"]
        parts.append(
            f"last error {plain(error['message'], _SHORT)} [{error['kind']}, {error['code']}]"
        )
    if "againAt" in each:
        parts.append(f"again at {each['againAt']}")
    if "note" in each:
        parts.append(plain(each["note"], _SHORT))
    if "outcome" in each:
        parts.append(_outcome(each["outcome"]))
    return ", ".join(parts) + _log(each)


def _outcome(known: Json) -> str:
    """What is known of a change that was sent."""
    words = [f"outcome {known['state']}"]
    if "reason" in known:
        words.append(f"({plain(known['reason'], _SHORT)})")
    if "sentAt" in known:
        words.append(f"sent at {known['sentAt']}")
    if "reference" in known:
        words.append(f"under {plain(known['reference'], 80)}")
    if "verdict" in known:
        words.append(f"{plain(known.get('by', ''), 80)} said {known['verdict']}")
    return " ".join(words + [plain(each, _SHORT) for each in known.get("incidents", [])])


def _log(each: Json) -> str:
    lines = [
        f"\n  - attempt {one['attempt']}: {one['endedAt']}"
        + (f", {one['durationMs']:,} ms" if "durationMs" in one else "")
        + (f", {plain(one['error']['message'], _SHORT)}" if "error" in one else ", ok")
        for one in each.get("attemptLog", [])
    ]
    return "".join(lines)


def started(facts: Json) -> str:
    """A run that has not ended: its id and how to follow it."""
    return f"{_headline(facts)}\n{plain(facts.get('nextStep', ''))}".rstrip()


def runs(facts: Json) -> str:
    """A page of runs or of failure groups."""
    if "groups" in facts:
        return "\n".join(_group(each) for each in facts["groups"]) or "No failures match."
    lines = [_run_line(each) for each in facts["runs"]] or ["No runs match."]
    if facts.get("total", 0) > len(facts["runs"]):
        lines.append(f"{facts['total']:,} in all.")
    if facts.get("nextCursor"):
        lines.append(f"More: cursor {facts['nextCursor']}")
    return "\n".join(lines)


def _run_line(each: Json) -> str:
    parts = [f"- {each['executionId']} {each['workflow']} {each['version']}: {each['status']}"]
    parts.append(f"started {each['createdAt']}")
    if "durationMs" in each:
        parts.append(f"{each['durationMs']:,} ms")
    if "failedTask" in each:
        error = f"{each.get('errorKind', '')}, {plain(each.get('errorCode', ''), 80)}"
        parts.append(f"at {plain(each['failedTask'], 80)} [{error}]")
    if each["whoseMove"] not in {"none", "engine"}:
        parts.append(f"move: {each['whoseMove']}")
    return ", ".join(parts)


def _group(each: Json) -> str:
    where = f" at {plain(each['failedTask'], 80)}" if "failedTask" in each else ""
    code = plain(each["code"], 80)
    last = f"last {each['lastAt']}, run {each['lastRun']}"
    return f"- {each['count']:,} x {each['workflow']}{where}: {each['kind']}, {code}; {last}"


def approval(facts: Json) -> str:
    """What waits for a person or was decided, what the plan is, and what to do next."""
    lines = [f"{_DECISIONS[facts['status']]} Approval {facts['approvalId']}, {_until(facts)}."]
    if "comment" in facts:
        lines.append(f"They said: {plain(facts['comment'])}")
    lines += [plain(facts["nextStep"], 2_000)] if "nextStep" in facts else []
    lines += _plan(facts)
    if "result" in facts:
        lines += ["Result:", fenced(dumped(facts["result"]))]
    return "\n".join(lines)


def _plan(facts: Json) -> list[str]:
    head = f"The plan that approval {facts['approvalId']} is about:"
    return [head, *(f"> {plain(row, 200)}" for row in facts["summary"].splitlines())]


_DECISIONS = {
    "approval_required": "Nothing was changed yet: a person has to approve it first.",
    "setup_required": "Nothing was changed: nobody can approve it until an approver is set up.",
    "approved": "A person approved it; it is being carried out.",
    "done": "A person approved it and it was carried out.",
    "denied": "A person said no: it was not done.",
    "expired": "Nobody decided in time: it was not done.",
    "cancelled": "It was taken back before anybody decided.",
    "superseded": "A newer plan took its place.",
    "void": "It holds no longer: what it was about has changed.",
    "revoked": "A person took the approval back before it was carried out.",
}


def _until(facts: Json) -> str:
    if facts["whoseMove"] == "person":
        return f"code {facts['code']}, until {facts['expiresAt']}"
    outcome = f", outcome {facts['outcome']}" if "outcome" in facts else ""
    by = f", by {plain(facts['decidedBy'], 80)}" if "decidedBy" in facts else ""
    return f"code {facts['code']}{outcome}{by}"


def invalid_input(facts: Json) -> str:
    """What is missing and what is wrong, and what to ask the user."""
    lines = [f"{facts['workflow']} did not run: its input is not complete and right."]
    for field in facts["missingInputs"]:
        said = f"{field['type']}): {plain(field['description'])}"
        lines.append(f"- missing {plain(field['name'], 80)} ({said}")
    for field in facts["invalidInputs"]:
        wrong = f"{plain(field['error'])}; received {plain(field['received'], _SHORT)}"
        lines.append(f"- wrong {plain(field['name'], 80)} ({field['type']}): {wrong}")
    return "\n".join([*lines, f"Ask the user: {plain(facts['suggestedPrompt'], 2_000)}"])


def dry_run(facts: Json) -> str:
    """A plan: what would happen, in which order, and what would be changed."""
    plan = facts["plan"]
    lines = [f"Dry run of {facts['workflow']} {facts['version']}: nothing was called or recorded."]
    lines += _cut_lines(_planned(each) for each in plan["steps"])
    lines.append("Side by side: " + " → ".join("+".join(group) for group in plan["parallelGroups"]))
    lines.append(f"Changes outside: {plan['mutations'] or 'none'}.")
    if facts.get("suggestedPrompt"):
        asked = plain(facts["suggestedPrompt"], 2_000)
        lines.append(f"Not complete yet. Ask the user: {asked}")
    if "output" in facts:
        lines += ["Output as far as it is known:", fenced(dumped(facts["output"]))]
    return "\n".join([*lines, facts["nextStep"]])


def _planned(each: Json) -> str:
    would = "depends" if each["would"] == "depends" else f"would {each['would']}"
    parts = [f"- {each['id']}: {would} {each.get('target', '')} ({each['effect']})"]
    parts += [plain(each[name], _SHORT) for name in ("request", "reason") if name in each]
    return ", ".join(parts)


def refused(facts: Json) -> str:
    """Why nothing happened and what to do about it."""
    lines = [f"{plain(facts['message'], 1_000)} [{facts['code']}]"]
    lines += [_argument(each) for each in facts.get("arguments", [])]
    if "hint" in facts:
        lines.append(plain(facts["hint"], 1_000))
    if facts.get("suggestions"):
        lines.append(f"Near: {', '.join(plain(each, 120) for each in facts['suggestions'])}")
    if facts["whoseMove"] not in {"caller", "none"}:
        lines.append(f"Whose move: {facts['whoseMove']}.")
    return "\n".join(lines)


def _argument(each: Json) -> str:
    received = f"; received {plain(each['received'], 80)}" if "received" in each else ""
    return f"- {plain(each['name'], 80)}: {plain(each['error'])}{received}"


def _cut_lines(lines: Iterable[str], more: int = 0) -> list[str]:
    shown = list(lines)
    left = max(0, len(shown) - _MOST_LINES) + more
    return [*shown[:_MOST_LINES], *([f"- … and {left:,} more"] if left else [])]


def listed(names: Iterable[Any], most: int = 12) -> str:
    """Some names in words."""
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
