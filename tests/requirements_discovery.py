"""What was asked for of discovery: search, labels, blast radius, the HTTP API, measuring them."""

from tests.requirement import Requirement

DISCOVERY = (
    # vectors
    Requirement(
        "encoder-offline",
        "005 discovery",
        "The vectors of the semantic extra are read from files; no connection is opened.",
    ),
    Requirement(
        "encoder-lazy",
        "005 discovery",
        "Neither a start nor a small catalogue wakes the encoder; the first search does.",
    ),
    Requirement(
        "encoder-may-fail",
        "005 discovery",
        "An encoder that fails is told of once and costs no search.",
    ),
    # the language model
    Requirement(
        "suggestions-precise",
        "005 labels",
        "Without a language model the best suggested label is right for .81 of the Kestra"
        " categories, .89 of the GitHub ones and .69 of the Debian sections.",
    ),
    Requirement(
        "suggestions-are-counted",
        "TRUST 4.7 91",
        "Text in a description cannot steer which labels are suggested.",
    ),
    Requirement(
        "suggestions-cannot-be-steered",
        "TRUST 4.7 91",
        "A description that says how it is to be labelled gets no protected label, no undeclared"
        " category and no label that could not be given, even from a model that obeys it.",
    ),
    Requirement(
        "suggestions-recorded",
        "005 labels",
        "Each suggested label is kept with its source and whether it was accepted or rejected, and"
        " the rate is shown.",
    ),
    Requirement(
        "model-is-bounded",
        "005 labels",
        "A language model is asked once, in bounded words without secrets that are marked as data;"
        " its answer fits a schema, and whatever goes wrong says whose move it is.",
    ),
    # indexes
    Requirement(
        "index-as-if-new",
        "005 discovery",
        "After any changes of documents, what is found, listed and concerned is what a process"
        " finds that reads all of them anew.",
    ),
    Requirement(
        "search-on-postgres",
        "005 discovery",
        "What is found, listed and concerned on PostgreSQL is what is found on SQLite.",
    ),
    # hostile text
    Requirement(
        "hostile-text-inert",
        "005 discovery",
        "Instructions, images, links and hidden characters in names, descriptions and labels come"
        " out of every tool that reads marked and inert; data stays as it is.",
    ),
    # statistics
    Requirement(
        "statistics",
        "005 discovery",
        "Runs, success rate, p50, p95 and the last run of a workflow come from its newest runs, at"
        " a cost that does not grow with its history.",
    ),
    # search
    Requirement(
        "search-follows",
        "005 discovery",
        "An index that was kept up step by step equals one made anew, and every reader sees it.",
    ),
    Requirement(
        "search-any-query",
        "005 discovery",
        "No query, in whatever script or with whatever signs, is an error or means more than its"
        " words.",
    ),
    Requirement(
        "search-measured",
        "issue 5",
        "Over real examples the right workflow comes first, and among the first five, as often as"
        " was asked for, in catalogues of a hundred, a thousand and of all.",
    ),
    Requirement(
        "search-calibrated",
        "005 discovery",
        "A confidence of 0.8 is right at least 95 times in 100, where one query in four has no"
        " answer, and is given to at most 3 in 100 of those.",
    ),
    Requirement(
        "ranker-reproducible",
        "005 discovery",
        "The same examples give the same weights byte for byte, and no word of an example is in"
        " them.",
    ),
    # from words to a call
    Requirement(
        "inputs-from-context",
        "005 discovery",
        "Inputs come from the context by exact or declared name, checked by the schema, each with"
        " where it came from; two different values for one input give none.",
    ),
    Requirement(
        "inputs-never-guessed",
        "005 discovery",
        "No value is invented: what is read out of the words of a goal is offered as"
        " suggestedInputs and never used by itself; a value is never changed by taking it.",
    ),
    Requirement(
        "inputs-read-verbatim",
        "005 discovery",
        "Where a language model is configured it may point at values in the goal or the context;"
        " what does not stand there word by word is dropped, and without its answer a search is"
        " answered too.",
    ),
    Requirement(
        "extraction-measured",
        "005 discovery",
        "On calls that others wrote nothing is invented, and of 100 calls whose inputs are in the"
        " context at least 95 are right in every input.",
    ),
    Requirement(
        "best-match",
        "003 stage 15.2",
        "search_workflows gives ranked matches and, for the best, confidence, extracted and missing"
        " inputs, a question for the user and whether it can be run at once; or that nothing fits.",
    ),
    Requirement(
        "auto-execute",
        "003 stage 15",
        "A workflow can be run at once only where the server allows it and the call asks for it,"
        " with confidence 0.8, nothing missing, nothing as near, and a version that may start.",
    ),
    Requirement(
        "validate-input",
        "003 stage 15.1",
        "An input can be checked without a run: what is missing, what is wrong, what to ask.",
    ),
    # labels
    Requirement(
        "label-filters",
        "003 stage 43.3",
        "Lists are narrowed by categories, by tags that all, any or none are there, and by a"
        " pattern; the count is that of the plainest reading, and cursors belong to their filter.",
    ),
    Requirement(
        "labels-by-people",
        "003 stage 43",
        "A label that a person allowed is seen in every list and search of every process, and can"
        " be taken back; what documents say stands beside it.",
    ),
    Requirement(
        "declared-categories",
        "003 stage 43",
        "An unknown category is an error with a suggestion; a workflow has many, a task one.",
    ),
    Requirement(
        "label-bulk",
        "003 stage 43.3",
        "Labels are changed in bulk by names or a filter, with a dry run, twice the same as once.",
    ),
    Requirement(
        "label-figures",
        "003 stage 43",
        "Use over time, unused and look-alike labels and coverage are told.",
    ),
    Requirement(
        "attack-label-confusion",
        "TRUST 1.8, 23",
        "Only a person sets a label that rules rely on; a document or an assistant cannot.",
    ),
    # suggestions
    # blast radius
    Requirement(
        "impact-scenarios",
        "003 stage 33",
        "Simple chain, diamond and cycle give the seed's literal answers.",
    ),
    Requirement(
        "impact-depth",
        "003 stage 33",
        "A depth is the smallest number of steps; truncatedAtDepth is true only if more is behind.",
    ),
    Requirement(
        "impact-complete",
        "003 stage 33",
        "Everything affected is found, and nothing else, as another library's search finds it.",
    ),
    Requirement(
        "impact-hubs",
        "005 discovery",
        "A limit of users, off by default, names what has more and does not follow it.",
    ),
    Requirement(
        "impact-pages",
        "issue 5",
        "A huge answer comes in pages that together are the whole; its counts are always complete.",
    ),
    Requirement(
        "impact-inert",
        "issue 5",
        "A name of a document stays a name in Mermaid, DOT and CSV, whatever it is.",
    ),
    Requirement(
        "impact-what-if",
        "issue 5",
        "Deleting, replacing or changing the schemas of something tells each place that breaks, by"
        " the checks that documents always go through.",
    ),
    Requirement(
        "impact-gate",
        "issue 5",
        "A question about a change of the catalogue tells how much else that concerns.",
    ),
    Requirement(
        "impact-current",
        "005 discovery",
        "After any change of the documents, who uses what is as if it were read anew.",
    ),
    # measuring
    Requirement(
        "refit-own-choices",
        "005 discovery",
        "Weights can be fitted to choices that were accepted and rejected, and are measured on"
        " others.",
    ),
    Requirement(
        "own-weights-checked",
        "005 discovery",
        "Weights of one's own are checked at the start; what cannot be used is a typed refusal.",
    ),
    Requirement(
        "figures-recomputed",
        "005 discovery",
        "Anybody can recompute the figures of discovery on examples of their own.",
    ),
    # the HTTP API
    Requirement(
        "http-api",
        "005 discovery",
        "The HTTP API stands behind the same edge, limits, sign-in and scopes as MCP, refuses in"
        " the same words, and asks a person wherever a tool would.",
    ),
)
