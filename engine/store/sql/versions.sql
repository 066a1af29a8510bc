-- Versions of workflows. Projections of the journal; see engine/features/versions.py.

-- name: version_insert by stream
insert into versions (stream, tenant, namespace, name, version, digest, effect, pending, bundle,
                      published_at, is_default, pinned, deprecated, concurrency)
values (:stream, :tenant, :namespace, :name, :version, :digest, :effect, :pending, :bundle,
        :published_at, 0, 0, 0, :concurrency)

-- name: version_default_clear by stream
update versions set is_default = 0, pinned = 0 where stream = :stream

-- name: version_default_set by stream
update versions set is_default = 1, pinned = :pinned where stream = :stream and version = :version

-- name: version_deprecate by stream
update versions set deprecated = :deprecated where stream = :stream and version = :version

-- name: version_accepted by stream
update versions set pending = 0 where stream = :stream and version = :version and digest = :digest

-- name: version_page
select stream, namespace, name, version, digest, effect, pending, published_at, is_default,
       pinned, deprecated, concurrency
from versions where tenant = :tenant and stream > :after
order by stream, published_at, version
limit :limit

-- name: version_rows
select stream, namespace, name, version, digest, effect, pending, published_at, is_default,
       pinned, deprecated, concurrency
from versions where tenant = :tenant and stream = :stream
order by published_at, version

-- name: version_streams_since
select stream from journal
where position > :after and tenant = :tenant
  and kind in ('version.published', 'version.accepted', 'version.default_set',
               'version.deprecated')
limit :limit

-- name: version_bundle
select namespace, name, version, digest, bundle from versions
where tenant = :tenant and digest = :digest
limit 1

-- In the order of the key, or SQLite would rather look through the index of the pages.
-- name: version_known
select stream from versions where tenant = :tenant and namespace = :namespace and name = :name
order by version
limit 1

-- name: version_digest
select digest from versions
where tenant = :tenant and namespace = :namespace and name = :name and version = :version
