-- The journal itself.

-- name: journal_insert
insert into journal (position, tenant, stream, version, kind, schema, at, actor, body, salt, hash)
values (:position, :tenant, :stream, :version, :kind, :schema, :at, :actor, :body, :salt, :hash)

-- name: journal_head
select position, hash from journal order by position desc limit 1

-- The streams are given as a list in JSON.
-- name: journal_versions
select value as stream, (
  select coalesce(max(version), 0) from journal where stream = value and tenant = :tenant
) as version
from {streams}

-- name: journal_read
select position, tenant, stream, version, kind, schema, at, actor, body from journal
where stream = :stream and version > :after and tenant = :tenant
order by version

-- name: journal_histories
select position, tenant, stream, version, kind, schema, at, actor, body
from {streams} join journal on stream = value
where tenant = :tenant
order by stream, version

-- name: journal_tail
select position, tenant, stream, version, kind, schema, at, actor, body from journal
where position > :after
order by position
limit :limit

-- The latest time in what was committed lately: the clock may have gone back since.
-- name: journal_latest
select coalesce(max(at), 0) as at from journal
where position > (select max(position) - 1000 from journal)

-- Where the journal ends, whether versions have changed since a position, and when the next run
-- without a limit is due: what has to be known after a commit of somebody else. Only what was
-- committed since is looked at.
-- name: journal_news
select
  (select coalesce(max(position), 0) from journal) as position,
  (
    select position from journal
    where position > :after
      and kind in ('version.published', 'version.accepted', 'version.default_set',
                   'version.deprecated')
    limit 1
  ) as versions,
  (select min(at) from due where owner = 0 and lane = 0) as next_at

-- What an event's hash is made of. See chain.py for the header, and sqlite.py for when it cannot
-- be made.
-- name: journal_lines
select position, {header} as header, salt, {body} as body, {commitment} as commitment, hash
from journal
where position > :after
order by position
limit :limit

-- name: journal_lines_damaged
select position, {any_header} as header, salt, {body} as body, {commitment} as commitment, hash
from journal
where position > :after
order by position
limit :limit

-- name: journal_rows
select position, tenant, stream, version, kind, schema, at, actor, body, salt, commitment, hash
from journal
where position > :after
order by position
limit :limit

-- name: journal_hashes
select position, hash from journal
where position > :after
order by position
limit :limit

-- The events of a stream with what proves them.
-- name: journal_evidence
select position, stream, version, kind, schema, at, actor, body, salt, commitment, hash
from journal where tenant = :tenant and stream = :stream
order by version
