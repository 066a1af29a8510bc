-- The journal is the truth; every other table is a projection of it, or is not history.

-- name: create_journal
create table journal (
  position   {key},
  tenant     text    not null,
  stream     bigint  not null,
  version    integer not null,
  kind       text    not null,
  schema     integer not null,
  at         bigint  not null,
  actor      text    not null,
  body       text,
  salt       {bytes},
  commitment {bytes},
  hash       {bytes} not null
)

-- name: create_journal_by_stream
create unique index journal_by_stream on journal (stream, version)

-- A body may be erased together with its salt, and leaves its commitment; nothing else of an event
-- ever changes.
-- name: forbid_update @sqlite
create trigger journal_keeps_events before update on journal
when new.position is not old.position or new.tenant is not old.tenant
  or new.stream is not old.stream or new.version is not old.version
  or new.kind is not old.kind or new.schema is not old.schema or new.at is not old.at
  or new.actor is not old.actor or new.hash is not old.hash
  or new.body is not null or new.salt is not null or new.commitment is null
  or coalesce(old.commitment, new.commitment) is not new.commitment
begin
  select raise(abort, 'the journal is append-only');
end

-- name: forbid_delete @sqlite
create trigger journal_keeps_rows before delete on journal
begin
  select raise(abort, 'the journal is append-only');
end

-- name: forbid_by @postgres
create function journal_refuses() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is append-only';
end $$

-- name: forbid_update @postgres
create trigger journal_keeps_events before update on journal for each row
when (new.position is distinct from old.position or new.tenant is distinct from old.tenant
  or new.stream is distinct from old.stream or new.version is distinct from old.version
  or new.kind is distinct from old.kind or new.schema is distinct from old.schema
  or new.at is distinct from old.at or new.actor is distinct from old.actor
  or new.hash is distinct from old.hash
  or new.body is not null or new.salt is not null or new.commitment is null
  or coalesce(old.commitment, new.commitment) is distinct from new.commitment)
execute function journal_refuses()

-- name: forbid_delete @postgres
create trigger journal_keeps_rows before delete or truncate on journal
execute function journal_refuses()

-- name: create_runs
create table runs (
  id           {key},
  tenant       text    not null,
  uid          text    not null,
  namespace    text    not null,
  workflow     text    not null,
  version      text    not null,
  digest       text    not null,
  kind         text    not null,
  status       text    not null,
  actor        text    not null,
  created_at   bigint  not null,
  started_at   bigint,
  ended_at     bigint,
  wake_at      bigint,
  deadline     bigint,
  failed_step  text    not null default '',
  failure_kind text    not null default '',
  failure_code text    not null default '',
  retry_of     bigint,
  retried_by   text,
  root         bigint,
  key          text    not null
)

-- name: create_runs_by_uid
create unique index runs_by_uid on runs (tenant, uid)

-- name: create_runs_by_tenant
create index runs_by_tenant on runs (tenant, id)

-- name: create_runs_by_workflow
create index runs_by_workflow on runs (tenant, workflow, id)

-- Completed runs are the many; lists of the others read no more of them than they show.
-- name: create_runs_not_completed
create index runs_not_completed on runs (tenant, id, status) where status <> 'completed'

-- name: create_start_keys
create table start_keys (
  tenant       text   not null,
  namespace    text   not null,
  workflow     text   not null,
  key          text   not null,
  run          bigint not null,
  input_digest text   not null,
  primary key (tenant, namespace, workflow, key)
)

-- name: create_versions
create table versions (
  stream       bigint  not null,
  tenant       text    not null,
  namespace    text    not null,
  name         text    not null,
  version      text    not null,
  digest       text    not null,
  effect       text    not null,
  pending      integer not null,
  bundle       text    not null,
  published_at bigint  not null,
  is_default   integer not null,
  pinned       integer not null,
  deprecated   integer not null,
  concurrency  integer not null,
  primary key (tenant, namespace, name, version)
)

-- name: create_versions_by_stream
create index versions_by_stream on versions (stream, version)

-- Every row without its bundle: what a process keeps of a hundred thousand versions.
-- name: create_versions_in_pages
create index versions_in_pages on versions (tenant, stream, published_at, version, namespace, name,
  digest, effect, pending, is_default, pinned, deprecated, concurrency)

-- name: create_versions_by_digest
create index versions_by_digest on versions (tenant, digest)

-- A claim counts against the limit of a workflow without looking at its documents.
-- name: create_versions_limits
create index versions_limits on versions (stream, concurrency) where is_default = 1

-- name: create_due
create table due (
  run    {key},
  tenant text   not null,
  lane   bigint not null,
  at     bigint not null,
  owner  bigint not null
)

-- name: create_due_by_owner
create index due_by_owner on due (owner, lane, at)

-- name: create_workers
create table workers (
  id         {key},
  tenant     text    not null,
  name       text    not null,
  host       text    not null,
  pid        integer not null,
  started_at bigint  not null,
  seen_at    bigint  not null,
  capacity   integer not null,
  versions   text    not null,
  state      text    not null
)

-- name: create_breakers
create table breakers (
  tenant text not null,
  key    text not null,
  state  text not null,
  primary key (tenant, key)
)

-- Mutations that wait for a person to say what became of them (indeterminate), and incidents: what
-- is known now contradicts what was said (conflict).
-- name: create_outcomes
create table outcomes (
  run    bigint not null,
  path   text   not null,
  tenant text   not null,
  status text   not null,
  reason text   not null,
  since  bigint not null,
  primary key (run, path)
)

-- name: create_outcomes_by_tenant
create index outcomes_by_tenant on outcomes (tenant, run)

-- name: create_approvals
create table approvals (
  id           {key},
  tenant       text    not null,
  uid          text    not null,
  kind         text    not null,
  subject      text    not null,
  digest       text    not null,
  state        text    not null,
  outcome      text    not null,
  run          text    not null,
  principal    text    not null,
  requested_at bigint  not null,
  expires_at   bigint  not null,
  ended_at     bigint
)

-- name: create_approvals_by_uid
create unique index approvals_by_uid on approvals (tenant, uid)

-- name: create_approvals_by_tenant
create index approvals_by_tenant on approvals (tenant, id)

-- name: create_approvals_by_subject
create index approvals_by_subject on approvals (tenant, subject, id)

-- name: create_approvals_by_run
create index approvals_by_run on approvals (tenant, run, id) where run <> ''

-- name: create_approvals_pending
create index approvals_pending on approvals (tenant, principal, expires_at) where state = 'pending'

-- name: create_approvals_open
create index approvals_open on approvals (tenant, id)
where state in ('pending', 'approved', 'claimed')

-- name: create_grants
create table grants (
  id         {key},
  tenant     text   not null,
  uid        text   not null,
  kind       text   not null,
  given_by   text   not null,
  approval   text   not null,
  given_at   bigint not null,
  expires_at bigint not null,
  body       text   not null,
  revoked_at bigint,
  revoked_by text   not null default ''
)

-- name: create_grants_by_uid
create unique index grants_by_uid on grants (tenant, uid)

-- name: create_grants_by_tenant
create index grants_by_tenant on grants (tenant, id)

-- name: create_grants_live
create index grants_live on grants (tenant, kind, expires_at) where revoked_at is null

-- name: create_grant_uses
create table grant_uses (
  tenant     text   not null,
  name       text   not null,
  minute     bigint not null,
  operations bigint not null,
  primary key (tenant, name, minute)
)

-- PINs as scrypt hashes, and how often somebody guessed. Not history.
-- name: create_approvers
create table approvers (
  tenant       text    not null,
  name         text    not null,
  secret       text    not null,
  failures     integer not null,
  lockouts     integer not null,
  locked_until bigint  not null,
  primary key (tenant, name)
)

-- What this installation keeps for itself: keys it made once, a port, the latest time it saw.
-- name: create_installation
create table installation (
  tenant text not null,
  name   text not null,
  value  text not null,
  primary key (tenant, name)
)

-- A cell is all that tells a row from others, in one text: whoever writes many rows in one go can
-- see by it which of them are the same.
-- name: create_labels
create table labels (
  cell      text    not null primary key,
  tenant    text    not null,
  thing     text    not null,
  namespace text    not null,
  name      text    not null,
  type      text    not null,
  word      text    not null,
  label     text    not null,
  state     integer not null,
  at        bigint  not null,
  position  bigint  not null
)

-- name: create_labels_by_thing
create index labels_by_thing on labels (tenant, thing, namespace, name, type, word)

-- name: create_labels_by_position
create index labels_by_position on labels (tenant, position)

-- name: create_label_moves
create table label_moves (
  position  {key},
  tenant    text    not null,
  change    text    not null,
  thing     text    not null,
  namespace text    not null,
  name      text    not null,
  type      text    not null,
  word      text    not null,
  label     text    not null,
  added     integer not null,
  lasting   integer not null,
  at        bigint  not null
)

-- name: create_label_moves_by_change
create index label_moves_by_change on label_moves (tenant, change, position)

-- name: create_label_moves_by_item
create index label_moves_by_item on label_moves (tenant, thing, namespace, name, position)

-- name: create_label_days
create table label_days (
  cell    text    not null primary key,
  tenant  text    not null,
  day     bigint  not null,
  type    text    not null,
  word    text    not null,
  added   integer not null,
  removed integer not null
)

-- name: create_label_days_by_day
create index label_days_by_day on label_days (tenant, day, type, word)

-- name: create_label_heads
create table label_heads (
  tenant  text   not null,
  stream  bigint not null,
  version bigint not null,
  primary key (tenant, stream)
)

-- name: create_suggestions
create table suggestions (
  cell       text    not null,
  tenant     text    not null,
  thing      text    not null,
  namespace  text    not null,
  name       text    not null,
  type       text    not null,
  word       text    not null,
  label      text    not null,
  source     text    not null,
  confidence integer not null,
  state      integer not null,
  at         bigint  not null,
  primary key (cell)
)

-- name: create_suggestions_by_state
create index suggestions_by_state on suggestions (tenant, source, state)

-- name: create_suggestions_by_item
create index suggestions_by_item on suggestions (tenant, thing, namespace, name)
