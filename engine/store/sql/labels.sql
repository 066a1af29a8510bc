-- Labels by people. Projections of the journal; see engine/features/labels.py.

-- name: label_put by cell
insert into labels (cell, tenant, thing, namespace, name, type, word, label, state, at, position)
values (:cell, :tenant, :thing, :namespace, :name, :type, :word, :label, :state, :at, :position)
on conflict (cell) do update set
  label = excluded.label, state = excluded.state, at = excluded.at, position = excluded.position

-- name: label_moved by position
insert into label_moves (position, tenant, change, thing, namespace, name, type, word, label,
                         added, lasting, at)
values (:position, :tenant, :change, :thing, :namespace, :name, :type, :word, :label, :added,
        :lasting, :at)

-- name: label_day by cell
insert into label_days (cell, tenant, day, type, word, added, removed)
values (:cell, :tenant, :day, :type, :word, :added, :removed)
on conflict (cell) do update set
  added = label_days.added + excluded.added, removed = label_days.removed + excluded.removed

-- name: label_head_put by stream
insert into label_heads (tenant, stream, version) values (:tenant, :stream, :version)
on conflict (tenant, stream) do update set version = excluded.version

-- The stream that a tenant's labels began with, and how far it has come: that one alone counts,
-- also where two processes began at the same moment.
-- name: label_head
select stream, version from label_heads where tenant = :tenant and stream > 0
order by stream
limit 1

-- name: label_since
select thing, namespace, name, type, word, label, state, at, position from labels
where tenant = :tenant and position > :after
order by position
limit :limit

-- name: label_of
select type, label, state, at from labels
where tenant = :tenant and thing = :thing and namespace = :namespace and name = :name
order by type, word

-- name: label_change
select thing, namespace, name, type, label, added, lasting, at from label_moves
where tenant = :tenant and change = :change
order by position

-- name: label_last_change
select change from label_moves
where tenant = :tenant and thing = :thing and namespace = :namespace and name = :name
order by position desc
limit 1

-- name: label_days_since
select day, type, word, added, removed from label_days
where tenant = :tenant and day >= :day
order by day, type, word
