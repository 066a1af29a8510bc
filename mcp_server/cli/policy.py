"""`handrail policy`: is the policy in order, what does it say, and what would it say of a plan?

Only the policy file is read; nothing is opened and nothing changes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.core.approval.facts import Facts
    from engine.core.approval.policy import Policy
    from engine.shell.policies import PolicyFile


@click.command(cls=HandrailCommand)
@click.argument("action", metavar="check|explain", type=click.Choice(["check", "explain"]))
@click.option("--file", "file", metavar="FILE", help="Read FILE instead of the one that counts.")
@click.option("--effect", multiple=True, metavar="VERB", help="explain a plan that does VERB.")
@click.option("--items", metavar="N", type=click.IntRange(1, 100_000), help="... N times.")
@click.option("--kind", metavar="KIND", help="... of this kind; run.mutations if left out.")
@click.option("--workflow", metavar="NAME", help="... asked for by this workflow.")
@click.option("--host", multiple=True, metavar="HOST", help="... sent to HOST.")
@click.option("--env", metavar="NAME", help="... in this environment.")
@click.option("--reversible", is_flag=True, help="... that can be taken back.")
@click.pass_obj
def policy_command(session: Session, /, action: str, file: str | None, **plan: Any) -> int:
    """Check the policy that says what asks a person, or explain it rule by rule.

    With `check`, exit code 1 means that the policy cannot be used and every change is forbidden.
    """
    policy_file = _file(session, file)
    policy = policy_file.current()
    if action == "check" or policy.trouble is not None:
        return _checked(session, policy_file, policy)
    return _explained(session, policy_file, policy, plan)


def _file(session: Session, file: str | None) -> "PolicyFile":
    from dataclasses import replace

    from engine.app.settings import policy_of
    from mcp_server.cli.opening import server_settings
    from mcp_server.settings import engine_settings

    settings = engine_settings(server_settings(session))
    named = Path(file).expanduser().absolute() if file else settings.policy
    return policy_of(replace(settings, policy=named))


def _checked(session: Session, file: "PolicyFile", policy: "Policy") -> int:
    from mcp_server.cli.paint.policies import checked

    failed = policy.trouble is not None
    rules = len(policy.rules)
    session.screen.result(
        {"ok": not failed, "file": str(file.path), "rules": rules, "problems": file.problems},
        lambda _: checked(str(file.path), rules, file.problems),
    )
    return Exit.FAILED if failed else Exit.OK


def _explained(session: Session, file: "PolicyFile", policy: "Policy", plan: dict[str, Any]) -> int:
    from engine.core.approval.policy import Rule, judge
    from engine.core.approval.standing import describe
    from mcp_server.cli.paint.policies import explained

    rules = {rule.id: describe(rule) for rule in policy.rules}
    otherwise = describe(Rule("otherwise", (), policy.default))
    verdict = judge(policy, _facts(plan)) if any(plan.values()) else None
    said = describe(Rule("it", (), verdict))[-1] if verdict is not None else ""
    by = (verdict.rule or "otherwise") if verdict is not None else ""
    session.screen.result(
        {
            "file": str(file.path),
            "rules": [{"id": name, "says": said} for name, said in rules.items()],
            "otherwise": otherwise,
            "plan": {"says": said, "rule": by},
        },
        lambda _: explained(str(file.path), rules, otherwise, said, by),
    )
    return Exit.OK


def _facts(plan: dict[str, Any]) -> "Facts":
    """The plan that the options describe: one of a changing sort, where nothing is said."""
    from engine.core.approval.facts import facts
    from engine.core.approval.plan import Operation, Plan, Requester

    hosts = plan["host"] or ("",)
    verbs = plan["effect"] or ("call",)
    whole = len(hosts) * len(verbs)
    ops = tuple(
        Operation(
            f"{verb} {host}", verb, f"POST https://{host}/" if host else "", {},
            reversible=plan["reversible"], count=max(1, (plan["items"] or 1) // whole),
        )
        for host in hosts
        for verb in verbs
    )  # fmt: skip
    return facts(
        Plan(
            "default", plan["kind"] or "run.mutations", Requester("terminal"), "",
            plan["workflow"] or "", "", ops, (), "", 0, 0, env=plan["env"] or "",
        )
    )  # fmt: skip
