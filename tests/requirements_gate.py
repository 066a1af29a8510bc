"""What was asked for of the gate: approvals, the page, the policy, mutations, callers over HTTP."""

from tests.requirement import Requirement

GATE = (
    # the gate
    Requirement(
        "refusals-counted",
        "order",
        "Refusals are counted per principal, code and minute; unknown callers only reach the log.",
    ),
    Requirement(
        "a-form-proves-little",
        "004 gate",
        "A form answered in a client counts only with a decision and the plan's code typed in;"
        " whatever else comes back leaves the approval as it is.",
    ),
    Requirement(
        "gated-call-says-where",
        "004 gate",
        "A gated call answers at once, not as an error, with the plan, its code, a live link, the"
        " command, the time and what to do next; afterwards the same call has the result.",
    ),
    Requirement(
        "elicitation-both-eras",
        "004 gate",
        "A client that can ask its user is used: by input_required, or while its call waits.",
    ),
    Requirement(
        "same-call-same-run",
        "004 gate",
        "A call of what changes something finds its run when it is made again, until ten minutes"
        " after its end; a key of one's own starts it once more.",
    ),
    Requirement(
        "gated-call-by-every-client",
        "004 gate",
        "The SDK's client, the Inspector and a TypeScript client see the same gated call over stdio"
        " and HTTP, in both eras, with a form, a link or nothing; the change is made once.",
    ),
    Requirement(
        "elicitation-replay",
        "004 gate",
        "An answer that comes again, after a restart or to a second process, executes nothing.",
    ),
    Requirement(
        "identity-from-transport",
        "004 gate",
        "Who asks is known from the transport; no argument says it.",
    ),
    Requirement(
        "plan-bytes",
        "004 gate",
        "A plan has exactly one form as bytes, and two plans never share one.",
    ),
    # mutations
    Requirement(
        "mutation-crash",
        "004 gate",
        "A process that dies at any moment between a proposal and its outcome leads to no second"
        " effect: none without a person's word, where nothing tells whether it happened.",
    ),
    Requirement(
        "mutation-once",
        "004 gate",
        "What was allowed is done once and as it was allowed; what nobody knows the fate of is"
        " neither repeated nor forgotten.",
    ),
    Requirement(
        "late-truth",
        "004 gate",
        "What is learned after a person's word raises an incident and never changes that word.",
    ),
    # connectors, what is declared, secrets
    Requirement(
        "gate-bad-inputs",
        "004 gate",
        "Hostile URLs, answers and references end in a typed failure and change nothing.",
    ),
    Requirement(
        "gate-declarations",
        "004 gate",
        "A connector declares how each call behaves; what contradicts itself is refused at load.",
    ),
    Requirement(
        "gate-truth-table",
        "004 gate",
        "Every failure of a mutation says whether it happened: no, yes, or nobody knows.",
    ),
    Requirement(
        "gate-lookup",
        "004 gate",
        "A lookup is a proof only when its answer was understood; what was not is never a no.",
    ),
    Requirement(
        "gate-demo-honest",
        "004 gate",
        "What the demo's connector declares about its shop is tried against the shop.",
    ),
    Requirement(
        "gate-secrets",
        "004 gate",
        "Secrets are references until the request is sent, by a connector that a person accepted.",
    ),
    Requirement(
        "gate-redaction",
        "004 gate",
        "A secret that this process knows is masked in every form on every way out.",
    ),
    # the approval page
    Requirement(
        "page-listener",
        "004 gate",
        "The approval page listens on loopback alone, at a port that is remembered and shared.",
    ),
    Requirement(
        "page-hosts",
        "004 gate",
        "The page answers to its own names with its own port, and to no other.",
    ),
    Requirement(
        "page-forms",
        "004 gate",
        "A form counts only when the page itself sent it: Origin, fetch metadata, token, digest.",
    ),
    Requirement(
        "page-headers",
        "004 gate",
        "No answer of the page can be framed, cached, or read by a script of another origin.",
    ),
    Requirement(
        "page-sessions",
        "004 gate",
        "A session of the page is unguessable, ends by time and by hand, and is bound to a person.",
    ),
    Requirement(
        "page-pin",
        "004 gate",
        "A session alone allows nothing that cannot be undone; wrong PINs lock, until a time.",
    ),
    Requirement(
        "page-no-enrolment", "004 gate", "Nobody is enrolled on the page; it names the command."
    ),
    Requirement(
        "page-decides",
        "004 gate",
        "On the page a person reads, allows, denies, leaves out, revokes and plans anew.",
    ),
    Requirement(
        "page-get-inert", "004 gate", "Opening an address of the page changes nothing, ever."
    ),
    Requirement(
        "page-stale",
        "004 gate",
        "A page that was left open decides nothing that is over or was replaced.",
    ),
    Requirement(
        "page-shows-all",
        "004 gate",
        "A plan is shown whole, the dangerous first, the assistant's words in a marked box.",
    ),
    Requirement(
        "page-for-everybody",
        "004 gate",
        "The page works without script and images, small and dark, with labels and contrast.",
    ),
    Requirement(
        "page-always-allow",
        "004 gate",
        "What a standing rule will match is read on the page before it is made; it takes the PIN,"
        " is listed, and is taken back.",
    ),
    Requirement(
        "page-outcomes",
        "004 gate",
        "A change whose outcome nobody knows is shown with what was sent; a person says what became"
        " of it, reads that once more, and only then it counts.",
    ),
    Requirement(
        "page-in-a-browser",
        "004 gate",
        "In a real browser without script a person signs in, reads, allows, denies, lets expire,"
        " plans anew, revokes and resolves.",
    ),
    Requirement(
        "demo-approved-on-the-page",
        "004 gate",
        "The demo's changing workflows run for real, each change allowed on the page, done once.",
    ),
    Requirement(
        "approval-bytes",
        "004 gate",
        "A vote and a claim hold for the bytes that were shown, or for nothing.",
    ),
    Requirement(
        "approval-single-use",
        "004 gate",
        "An approval is claimed at most once, after a yes, whatever is asked in which order.",
    ),
    Requirement(
        "gated-versions",
        "004 gate",
        "A version that changes systems outside starts once a person has accepted its content.",
    ),
    Requirement(
        "approval-expiry",
        "004 gate",
        "An approval runs out before the vote and again before the claim, and never revives.",
    ),
    Requirement(
        "plan-shown-whole",
        "004 gate",
        "A person reads every operation and every value, in words made from the plan alone;"
        " nothing hides, and the assistant's words never leave their box.",
    ),
    Requirement(
        "policy",
        "004 gate",
        "Rules over typed facts say what asks; a rule over its budget asks, nothing tainted passes"
        " by itself, and a policy that cannot be read forbids every change and says where.",
    ),
    Requirement(
        "always-allow",
        "004 gate",
        "A rule added while deciding matches the same plan and no other, and ends by itself.",
    ),
    # HTTP security
    Requirement(
        "tenants-apart",
        "004 gate",
        "On one database, the ids of another tenant are unknown ones to every tool and verb.",
    ),
    Requirement(
        "browser-origins",
        "004 gate",
        "In a browser a page of a named origin lists and calls tools; one of another cannot.",
    ),
    Requirement(
        "no-record-no-change",
        "004 gate",
        "Where the journal cannot be written, nothing is changed, and what was said is not kept.",
    ),
    Requirement(
        "http-limits",
        "004 gate",
        "Over HTTP a caller has limits on how often, how many at a time and how slowly it calls;"
        " what is kept of callers is bounded.",
    ),
    Requirement(
        "bad-inputs",
        "004 gate",
        "The bad inputs 1 to 38 of TRUST 4.7 each get a typed error, change nothing and leave no"
        " stack trace.",
    ),
    Requirement(
        "http-sign-in",
        "004 gate",
        "Over HTTP callers are known by tokens of an OAuth server, made for this server and"
        " tenant, or by one in a private file; what others can reach never starts without.",
    ),
    Requirement(
        "every-door",
        "004 gate",
        "Every tool, command and route is on one list and pushed; none changes anything outside or"
        " what is live without a grant.",
    ),
    Requirement(
        "attacks",
        "004 gate",
        "Each way known to get something done without a person, or to have one say yes to something"
        " else, is tried and fails.",
    ),
    # the gate at a terminal
    Requirement(
        "pin-at-a-terminal",
        "004 gate",
        "A PIN is set and asked for at a terminal only; without one, with five wrong PINs, or when"
        " interrupted, nothing is decided.",
    ),
    Requirement(
        "gated-at-a-terminal",
        "004 gate",
        "A gated command asks the person at its terminal, or says what waits and how to decide.",
    ),
    Requirement(
        "nothing-secret-in-errors",
        "004 gate",
        "No stack trace and no text of an unforeseen error reaches a client or the log.",
    ),
    Requirement(
        "receipts",
        "004 gate",
        "Every change that was sent leads back to a claimed yes to its bytes or to a rule, and a"
        " table that says otherwise than the journal is found.",
    ),
    Requirement(
        "recorded-before-sent",
        "004 gate",
        "Where the journal cannot take what is about to be sent, nothing is sent.",
    ),
    Requirement(
        "resolved-by-a-person",
        "004 gate",
        "What became of a change that nobody knows of is said by a person, and by nobody else.",
    ),
    Requirement(
        "standing-grants",
        "004 gate",
        "What is always allowed is narrow, said in words, runs out, and can be taken back.",
    ),
    Requirement(
        "malicious-model",
        "004 gate",
        "An assistant that calls and replays anything changes exactly what a person allowed, once.",
    ),
)
