-- What people are asked and what they allowed. Projections of the journal, see
-- engine/features/approvals.py; and below them approvers and installation, which are not history.

-- name: approval_insert by id
insert into approvals (id, tenant, uid, kind, subject, digest, state, outcome, run, principal,
                       requested_at, expires_at, ended_at)
values (:id, :tenant, :uid, :kind, :subject, :digest, 'pending', '', :run, :principal,
        :requested_at, :expires_at, null)

-- name: approval_voted by id
update approvals set state = :state, expires_at = :expires_at, ended_at = :ended_at
where id = :id

-- name: approval_claimed by id
update approvals set state = 'claimed' where id = :id

-- name: approval_finished by id
update approvals set state = 'done', outcome = :outcome, ended_at = :ended_at where id = :id

-- name: approval_ended by id
update approvals set state = :state, ended_at = :ended_at where id = :id

-- name: approval_by_uid
select id, state from approvals where tenant = :tenant and uid = :uid

-- Why something may not be asked now: the same is open, or was refused a moment ago; or too much
-- waits already. The first row counts.
-- name: approval_in_the_way
select id, uid, state, 'same' as why from approvals
where tenant = :tenant and subject = :subject
  and ((state in ('pending', 'approved') and expires_at > :now) or state = 'claimed'
    or (state = 'denied' and ended_at > :cooled))
union all
select 0 as id, '' as uid, 'pending' as state, 'many' as why from approvals
where tenant = :tenant and principal = :principal and state = 'pending' and expires_at > :now
group by tenant
having count(*) >= :most

-- name: approval_pending
select count(*) as pending from approvals
where tenant = :tenant and principal = :principal and state = 'pending' and expires_at > :now

-- Why a run may not ask now: a person refused the same a moment ago, or too much waits already.
-- name: approval_not_now
select id, 'denied' as why from approvals
where tenant = :tenant and subject = :subject and state = 'denied' and ended_at > :cooled
union all
select 0 as id, 'many' as why from approvals
where tenant = :tenant and principal = :principal and state = 'pending' and expires_at > :now
group by tenant
having count(*) >= :most

-- Lists come newest first; :before is the id of the last row of the page before.

-- name: approval_list
select id, uid from approvals
where tenant = :tenant and id < :before
order by id desc
limit :limit

-- name: approval_list_open
select id, uid from approvals
where tenant = :tenant and id < :before
  and state in ('pending', 'approved', 'claimed')
  and (state = 'claimed' or expires_at > :now)
order by id desc
limit :limit

-- name: grant_insert by id
insert into grants (id, tenant, uid, kind, given_by, approval, given_at, expires_at, body)
values (:id, :tenant, :uid, :kind, :given_by, :approval, :given_at, :expires_at, :body)

-- name: grant_revoked by id
update grants set revoked_at = :at, revoked_by = :by where id = :id

-- The newest question of a run.
-- name: approval_of_run
select id, uid, state, outcome, expires_at, ended_at from approvals
where tenant = :tenant and run <> '' and run = :run
order by id desc
limit 1

-- name: grant_list
select id, uid, kind, given_by, approval, given_at, expires_at, body, revoked_at, revoked_by
from grants where tenant = :tenant and id < :before
order by id desc
limit :limit

-- name: grant_by_uid
select id, kind, revoked_at, expires_at from grants where tenant = :tenant and uid = :uid

-- name: grant_live
select id, uid, kind, body, expires_at from grants
where tenant = :tenant and kind = :kind and revoked_at is null and expires_at > :now
order by id

-- name: approver_list
select name, secret, failures, lockouts, locked_until from approvers
where tenant = :tenant and name > ''
order by name

-- name: approver_put
insert into approvers (tenant, name, secret, failures, lockouts, locked_until)
values (:tenant, :name, :secret, 0, 0, 0)
on conflict (tenant, name) do update
set secret = excluded.secret, failures = 0, lockouts = 0, locked_until = 0

-- A try is counted before it is judged, so that many at once are many, and none is judged that
-- comes when too many were counted.
-- name: approver_try
update approvers set failures = failures + 1
where tenant = :tenant and name = :name and locked_until <= :now and failures < :most
returning failures, lockouts

-- name: approver_lock
update approvers set failures = 0, lockouts = lockouts + 1, locked_until = :until
where tenant = :tenant and name = :name and failures >= :most
returning locked_until

-- name: approver_passed
update approvers set failures = 0, lockouts = 0 where tenant = :tenant and name = :name

-- name: installation_get
select value from installation where tenant = :tenant and name = :name

-- name: installation_once
insert into installation (tenant, name, value) values (:tenant, :name, :value)
on conflict (tenant, name) do nothing

-- name: installation_instead
update installation set value = :value
where tenant = :tenant and name = :name and value = :instead

-- Numbers of one width, so that they are compared as text.
-- name: installation_raise
insert into installation (tenant, name, value) values (:tenant, :name, :value)
on conflict (tenant, name) do update set value =
  case when installation.value < excluded.value then excluded.value else installation.value end

-- name: approval_states
select id, uid, digest, state from approvals
where id > :after
order by id
limit :limit
