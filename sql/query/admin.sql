-- Workers, tenants and their keys, artifacts, API keys, the audit log.

-- name: worker_add
INSERT INTO worker (worker, host, pid, since_ms, until_ms) VALUES (?1, ?2, ?3, $now, $now + ?4)
ON CONFLICT (worker) DO UPDATE SET until_ms = excluded.until_ms

-- name: worker_drop_others
DELETE FROM worker WHERE worker <> ?1

-- name: worker_drop
DELETE FROM worker WHERE worker = ?1

-- name: worker_release_runs
-- A process that ends in order gives back what it holds, and the claim was no attempt.
UPDATE run SET status = 0, worker = NULL, attempt = attempt - 1, crash = CASE WHEN suspect = 1 THEN crash - 1 ELSE crash END
WHERE status = 1 AND worker = ?1

-- name: worker_release_asks
UPDATE ask SET status = 0, worker = NULL WHERE status = 1 AND worker = ?1

-- name: worker_release_deliveries
UPDATE delivery SET status = 2, unknown = 1, worker = NULL WHERE status = 1 AND worker = ?1

-- name: tenant_find
SELECT weight, max_backlog, max_running FROM tenant WHERE tenant = ?1

-- name: tenant_lock
SELECT tenant FROM tenant WHERE tenant = ?1
-- @postgres
SELECT tenant FROM tenant WHERE tenant = ?1 FOR UPDATE

-- name: tenant_add
INSERT INTO tenant (tenant, created_ms) VALUES (?1, $now) ON CONFLICT (tenant) DO NOTHING

-- name: tenant_set
UPDATE tenant SET weight = ?2, max_backlog = ?3, max_running = ?4 WHERE tenant = ?1

-- name: tenant_all
SELECT tenant FROM tenant ORDER BY tenant

-- name: tenant_keys
SELECT version, wrapped FROM tenant_key WHERE tenant = ?1 ORDER BY version

-- name: tenant_key_add
INSERT INTO tenant_key (tenant, version, wrapped) VALUES (?1, ?2, ?3)

-- name: tenant_key_set
UPDATE tenant_key SET wrapped = ?3 WHERE tenant = ?1 AND version = ?2

-- name: key_page
SELECT lead, wrapped FROM body WHERE tenant = ?1 AND lead > ?2 ORDER BY lead LIMIT ?3
-- @postgres
SELECT lead, wrapped FROM body WHERE tenant = ?1 AND lead > ?2 ORDER BY lead LIMIT ?3 FOR UPDATE

-- name: key_set
UPDATE body SET wrapped = ?3 WHERE tenant = ?1 AND lead = ?2

-- name: key_find
SELECT wrapped FROM body WHERE tenant = ?1 AND lead = ?2

-- name: artifact_add
INSERT INTO artifact (tenant, kind, id, name, created_ms, content) VALUES ('', ?1, ?2, ?3, $now, ?4)
ON CONFLICT (tenant, kind, id) DO NOTHING

-- name: artifact_find
SELECT name, content FROM artifact WHERE tenant = '' AND kind = ?1 AND id = ?2

-- name: api_key_add
INSERT INTO api_key (tenant, id, hash, name, hint, scopes, rate, burst, created_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, $now)

-- name: api_key_revoke
UPDATE api_key SET revoked_ms = $now WHERE tenant = ?1 AND id = ?2 AND revoked_ms IS NULL

-- name: api_key_known
SELECT revoked_ms FROM api_key WHERE tenant = ?1 AND id = ?2

-- name: api_key_find
SELECT tenant, id, name, hint, scopes, rate, burst, created_ms, revoked_ms FROM api_key WHERE hash = ?1

-- name: api_key_list
SELECT tenant, id, name, hint, scopes, rate, burst, created_ms, revoked_ms FROM api_key
WHERE ?1 = '' OR tenant = ?1 ORDER BY tenant, created_ms, id
-- @postgres
SELECT tenant, id, name, hint, scopes, rate, burst, created_ms, revoked_ms FROM api_key
WHERE ?1::text = '' OR tenant = ?1::text ORDER BY tenant, created_ms, id

-- name: audit_last
SELECT seq, hash FROM audit WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1

-- name: audit_add
INSERT INTO audit (tenant, seq, at_ms, actor, action, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)

-- name: audit_page
SELECT seq, at_ms, actor, action, subject, detail, hash, tenant FROM audit
WHERE tenant = ?1 AND seq > ?2 ORDER BY seq LIMIT 500
