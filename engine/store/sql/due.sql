-- Who works on what, and what must be looked at when. Leases are not facts and not in the
-- journal. Owner 0 is nobody.

-- name: due_put by stream
insert into due (run, tenant, at, owner) values (:stream, :tenant, :at, :owner)
on conflict (run) do update set at = excluded.at, owner = excluded.owner

-- name: due_drop by stream
delete from due where run = :stream

-- The inner select takes what is due and held by nobody; asking for the owner again outside would
-- look at everything that sleeps.
-- name: due_claim
update due set owner = :owner
where run in (
  select run from due
  where owner = 0 and at <= :now
  order by at
  limit :limit {skip_locked}
)
returning run, tenant

-- name: due_next
select min(at) as at from due where owner = 0

-- name: due_held
select run from due where owner = :owner

-- name: due_free
update due set owner = 0, at = :now where owner = :owner and run = :run

-- name: due_free_all
update due set owner = 0, at = :now where owner = :owner

-- name: worker_insert
insert into workers (id, tenant, name, host, pid, started_at, seen_at, capacity, versions)
values (:id, :tenant, :name, :host, :pid, :now, :now, :capacity, :versions)

-- name: worker_seen
update workers set seen_at = :now where id = :id

-- name: worker_list
select id, tenant, name, host, pid, started_at, seen_at, capacity, versions from workers
order by id

-- name: worker_drop
delete from workers where id = :id

-- name: breaker_get
select state from breakers where tenant = :tenant and key = :key

-- name: breaker_put
insert into breakers (tenant, key, state) values (:tenant, :key, :state)
on conflict (tenant, key) do update set state = excluded.state

-- name: due_ready
select run from due where owner = 0 and at <= :now limit 1
