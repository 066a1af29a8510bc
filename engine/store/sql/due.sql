-- Who works on what, and what must be looked at when. Leases are not facts and not in the
-- journal. Owner 0 is nobody. A lane is a workflow whose runs are limited, named by the stream of
-- its versions; lane 0 is for all runs without a limit of their own.

-- name: due_put by stream
insert into due (run, tenant, lane, at, owner) values (:stream, :tenant, :lane, :at, :owner)
on conflict (run) do update set lane = excluded.lane, at = excluded.at, owner = excluded.owner

-- name: due_drop by stream
delete from due where run = :stream

-- name: due_ready
select run from due where owner = 0 and lane = 0 and at <= :now limit 1

-- The inner select takes what is due and held by nobody; asking for the owner again outside would
-- look at everything that sleeps.
-- name: due_claim
update due set owner = :owner
where run in (
  select run from due
  where owner = 0 and lane = 0 and at <= :now
  order by at
  limit :limit {skip_locked}
)
returning run, tenant, lane

-- The same with the history of each, which is read where the lease is given.
-- name: due_claim_read @postgres
with claimed as (
  update due set owner = :owner
  where run in (
    select run from due
    where owner = 0 and lane = 0 and at <= :now
    order by at
    limit :limit {skip_locked}
  )
  returning run, tenant, lane
)
select claimed.run, claimed.tenant, claimed.lane,
  position, journal.tenant, stream, version, kind, schema, journal.at, actor, body
from claimed
left join journal on stream = claimed.run and journal.tenant = claimed.tenant
order by claimed.run, version

-- The same where something is limited: never more leases than `:most` in all, nor in a lane than
-- the default version of its workflow allows now. Leases are counted where they are given.
-- name: due_claim_within
update due set owner = :owner
where run in (
  select run from due
  where owner = 0 and lane = :lane and at <= :now
  order by at
  limit (
    select case when min(room) > 0 then min(room) else 0 end
    from (
      select cast(:limit as bigint) as room
      union all
      select :most - count(*) as room from due where owner > 0
      union all
      select case when max(concurrency) > 0 then max(concurrency) else :most end
        - (select count(*) from due where owner > 0 and lane = :lane) as room
      from versions where stream = :lane and is_default = 1
    ) rooms
  ) {skip_locked}
)
returning run, tenant, lane

-- The clock went back to `:now` after `:until`: nobody waits a second time.
-- name: due_still
update due set at = :now where owner = 0 and at > :now and at <= :until

-- When the next run without a limit is due.
-- name: due_next
select min(at) as at from due where owner = 0 and lane = 0

-- Lanes in which something waits or sleeps, found one by one: the many that wait in a full lane
-- are not looked at.
-- name: due_lanes
with recursive lanes (lane) as (
  select min(lane) from due where owner = 0 and lane > 0
  union all
  select (select min(due.lane) from due where due.owner = 0 and due.lane > lanes.lane)
  from lanes where lanes.lane is not null
)
select
  lane,
  (select min(at) from due where owner = 0 and due.lane = lanes.lane) as at,
  (select count(*) from due where owner > 0 and due.lane = lanes.lane) as held,
  (select max(concurrency) from versions where stream = lanes.lane and is_default = 1) as most
from lanes where lane is not null

-- name: due_waiting
select at from due where owner = 0 and lane = :lane and at <= :now
order by at limit :limit

-- name: due_leased
select count(*) as leased from due where owner > 0

-- name: due_held
select run from due where owner = :owner

-- Who has a run now, and how it stands.
-- name: due_whose
select
  (select owner from due where due.run = :run) as owner,
  (select status from runs where id = :run and tenant = :tenant) as status

-- Whether somebody works on a run that rests, or will at once: a person has just decided.
-- name: due_stirs
select run from due
where run = (select id from runs where tenant = :tenant and uid = :uid)
  and (owner > 0 or at <= :now)

-- name: due_free
update due set owner = 0, at = :now where owner = :owner and run = :run

-- name: due_free_all
update due set owner = 0, at = :now where owner = :owner

-- Leases whose owner is not on the list of workers: nobody would ever void them.
-- name: due_free_orphans
update due set owner = 0, at = :now
where owner > 0 and owner not in (select id from workers)

-- name: worker_insert
insert into workers (id, tenant, name, host, pid, started_at, seen_at, capacity, versions, state)
values (:id, :tenant, :name, :host, :pid, :now, :now, :capacity, :versions, 'working')

-- One small write a beat, and everything that a worker has to know by then. No row: it was buried.
-- name: worker_beat
update workers set seen_at = :now where id = :id
returning
  (select count(*) from due where owner = :id) as held,
  (select count(*) from due where owner > 0 and owner not in (select id from workers)) as orphans,
  (select min(at) from due where owner = 0 and lane = 0) as next_at,
  (select count(*) from workers) as crew,
  (select max(started_at) from workers) as newest,
  (select min(seen_at) from workers where id <> :id) as quietest

-- name: worker_state
update workers set state = :state where id = :id

-- name: worker_list
select id, tenant, name, host, pid, started_at, seen_at, capacity, versions, state,
  (select count(*) from due where due.owner = workers.id) as held
from workers
order by id

-- name: worker_drop
delete from workers where id = :id

-- name: breaker_get
select state from breakers where tenant = :tenant and key = :key

-- name: breaker_put
insert into breakers (tenant, key, state) values (:tenant, :key, :state)
on conflict (tenant, key) do update set state = excluded.state
