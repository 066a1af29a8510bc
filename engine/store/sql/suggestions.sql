-- Suggested labels. Projections of the journal; see engine/features/suggestions.py.

-- name: suggestion_put by cell
insert into suggestions (cell, tenant, thing, namespace, name, type, word, label, source, confidence,
                         state, at)
values (:cell, :tenant, :thing, :namespace, :name, :type, :word, :label, :source, :confidence, 0,
        :at)
on conflict (cell) do update set
  label = excluded.label, source = excluded.source, confidence = excluded.confidence,
  state = 0, at = excluded.at

-- name: suggestion_settled by cell
update suggestions set state = :state, at = :at
where cell = :cell and state = 0

-- What was ever suggested for a thing.
-- name: suggestions_of
select type, word, label, source, state from suggestions
where tenant = :tenant and thing = :thing and namespace = :namespace and name = :name
order by type, word

-- name: suggestion_count
select count(*) as number from suggestions
where tenant = :tenant and source = :source and state = :state
