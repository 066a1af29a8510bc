-- Mutations of which nobody knows what became. Projections of the journal; see
-- engine/features/outcomes.py.

-- name: outcome_put by run
insert into outcomes (run, path, tenant, status, reason, since)
values (:run, :path, :tenant, :status, :reason, :since)
on conflict (run, path) do update set status = excluded.status, reason = excluded.reason

-- name: outcome_drop by run
delete from outcomes where run = :run and path = :path

-- What a person has to say something about, the oldest first.
-- name: outcomes_open
select o.run, o.path, o.status, o.reason, o.since, r.uid, r.namespace, r.workflow, r.version
from outcomes o join runs r on r.id = o.run
where o.tenant = :tenant and o.run > :after
order by o.run, o.path
limit :limit
