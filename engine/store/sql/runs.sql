-- Runs as lists and counts see them. Projections of the journal; see engine/features/runs.py.

-- name: run_insert by id
insert into runs (id, tenant, uid, namespace, workflow, version, digest, kind, status, actor,
                  created_at, started_at, deadline, retry_of, root, key)
values (:id, :tenant, :uid, :namespace, :workflow, :version, :digest, :kind, :status, :actor,
        :created_at, :started_at, :deadline, :retry_of, :root, :key)

-- name: start_key_insert by run
insert into start_keys (tenant, namespace, workflow, key, run, input_digest)
values (:tenant, :namespace, :workflow, :key, :run, :input_digest)

-- name: call_key_put
insert into start_keys (tenant, namespace, workflow, key, run, input_digest)
values (:tenant, :namespace, :workflow, :key, :run, :input_digest)
on conflict (tenant, namespace, workflow, key)
do update set run = excluded.run, input_digest = excluded.input_digest

-- name: run_resumed by id
update runs set status = 'active', wake_at = null, started_at = coalesce(started_at, :at),
                failed_step = '', failure_kind = '', failure_code = ''
where id = :id

-- name: run_paused by id
update runs set status = :status, wake_at = :wake_at, failed_step = :failed_step,
                failure_kind = :failure_kind, failure_code = :failure_code
where id = :id

-- name: run_ended by id
update runs set status = :status, ended_at = :at, wake_at = null, failed_step = :failed_step,
                failure_kind = :failure_kind, failure_code = :failure_code
where id = :id

-- A paused run that is retried ends here; one that had ended keeps its end.
-- name: run_retried by id
update runs set retried_by = :by, ended_at = coalesce(ended_at, :at), wake_at = null,
                status = case when ended_at is null then 'cancelled' else status end
where id = :id

-- name: run_by_uid
select id, tenant, uid, namespace, workflow, version, digest, kind, status, actor, created_at,
       started_at, ended_at, wake_at, deadline, failed_step, failure_kind, failure_code,
       retry_of, retried_by, root, key
from runs
where tenant = :tenant and uid = :uid

-- name: run_by_id
select id, uid, status, digest, version, namespace, workflow from runs
where tenant = :tenant and id = :id

-- name: start_key_find
select run, input_digest from start_keys
where tenant = :tenant and namespace = :namespace and workflow = :workflow and key = :key

-- A call finds its run while that is open, and until some time after its end.
-- name: call_key_find
select k.run, k.input_digest from start_keys k join runs r on r.id = k.run
where k.tenant = :tenant and k.namespace = :namespace and k.workflow = :workflow
  and k.key = :key and (r.ended_at is null or r.ended_at > :since)

-- Lists by status leave completed runs out, so that the partial index serves them; where they
-- are wanted too, they are so many that the newest page is near.
-- Lists come newest first; :before is the id of the last row of the page before. There is one
-- statement for each index, so that no list reads more as history grows. Empty means any.

-- name: run_list
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.id < :before
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: run_list_workflow
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.workflow = :workflow and r.id < :before
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: run_list_status
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.id < :before
  and r.status <> 'completed' and r.status in (:s0, :s1, :s2, :s3, :s4, :s5, :s6, :s7, :s8, :s9)
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: run_list_among
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.id < :before
  and r.status in (:s0, :s1, :s2, :s3, :s4, :s5, :s6, :s7, :s8, :s9)
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: run_list_workflow_status
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.workflow = :workflow and r.id < :before
  and r.status <> 'completed' and r.status in (:s0, :s1, :s2, :s3, :s4, :s5, :s6, :s7, :s8, :s9)
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: run_list_workflow_among
select r.id, r.uid, r.namespace, r.workflow, r.version, r.kind, r.status, r.created_at,
       r.ended_at, r.wake_at, r.failed_step, r.failure_kind, r.failure_code,
       coalesce(o.uid, '') as retry_of
from runs r left join runs o on o.id = r.retry_of
where r.tenant = :tenant and r.workflow = :workflow and r.id < :before
  and r.status in (:s0, :s1, :s2, :s3, :s4, :s5, :s6, :s7, :s8, :s9)
  and (:namespace = '' or r.namespace = :namespace)
  and (:version = '' or r.version = :version)
  and (:kind = '' or r.kind = :kind)
  and (:open = 0 or r.retried_by is null)
  and r.created_at >= :since and r.created_at < :until
order by r.id desc
limit :limit

-- name: failure_groups
select namespace, workflow, failed_step, failure_kind, failure_code, count(*) as runs,
       max(created_at) as last_at, max(id) as last_run
from runs
where tenant = :tenant and status <> 'completed' and failure_code <> '' and ended_at is not null
  and created_at >= :since and created_at < :until
  and (:namespace = '' or namespace = :namespace)
  and (:workflow = '' or workflow = :workflow)
  and (:version = '' or version = :version)
group by namespace, workflow, failed_step, failure_kind, failure_code
order by runs desc, last_at desc
limit :limit

-- name: run_counts
select version, status, count(*) as runs from runs
where tenant = :tenant and namespace = :namespace and workflow = :workflow
group by version, status

-- How the newest runs of a workflow went: ranks are among the runs of one status, by how long
-- they took, so that a percentile is the first of the completed ones whose rank is high enough.
-- name: run_statistics
select count(*) as runs,
       coalesce(sum(case when status = 'completed' then 1 else 0 end), 0) as completed,
       coalesce(sum(case when substr(status, 1, 7) = 'failed:' then 1 else 0 end), 0) as failed,
       min(case when status = 'completed' and place * 2 >= together then took end) as p50,
       min(case when status = 'completed' and place * 100 >= together * 95 then took end) as p95,
       max(case when newest = 1 then created_at end) as last_at,
       max(case when newest = 1 then uid end) as last_run,
       max(case when newest = 1 then status end) as last_status
from (select uid, status, created_at, took,
             row_number() over (partition by status order by took, id) as place,
             count(*) over (partition by status) as together,
             row_number() over (order by id desc) as newest
      from (select id, uid, status, created_at, ended_at - created_at as took from runs
            where tenant = :tenant and workflow = :workflow and namespace = :namespace
            order by id desc limit :most) as recent) as ranked

-- How many operations each standing grant let pass, by the minute.
-- name: grant_use
insert into grant_uses (tenant, name, minute, operations)
values (:tenant, :name, :minute, :operations)
on conflict (tenant, name, minute) do update
set operations = grant_uses.operations + excluded.operations

-- name: grant_used
select sum(operations) as operations from grant_uses
where tenant = :tenant and name = :name and minute >= :since

-- Whether a rule has let so much pass that no more may.
-- name: grant_spent
select sum(operations) as operations from grant_uses
where tenant = :tenant and name = :name and minute >= :since
group by name
having sum(operations) > :most
