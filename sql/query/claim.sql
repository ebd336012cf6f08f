-- Claiming runs. status: 0 ready, 1 leased, 2 waiting, 3 dead.

-- name: claim_recover
-- Runs of workers that are gone become ready and suspect. SQLite has one owner: others' rows are removed when it opens.
UPDATE run SET status = 0, suspect = 1, worker = NULL
WHERE (tenant, lead) IN (SELECT tenant, lead FROM run WHERE status = 1 AND worker NOT IN (SELECT worker FROM worker) LIMIT ?1)
-- @postgres
WITH RECURSIVE held(worker) AS (
    (SELECT worker FROM run WHERE status = 1 ORDER BY worker LIMIT 1)
    UNION ALL
    SELECT (SELECT r.worker FROM run r WHERE r.status = 1 AND r.worker > held.worker ORDER BY r.worker LIMIT 1)
    FROM held WHERE held.worker IS NOT NULL),
silent AS MATERIALIZED (
    SELECT h.worker FROM held h
    WHERE h.worker IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.worker = h.worker AND w.until_ms >= $now)),
taken AS MATERIALIZED (
    SELECT r.tenant, r.lead FROM run r WHERE r.status = 1 AND r.worker IN (SELECT worker FROM silent) LIMIT ?1
    FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 0, suspect = 1, worker = NULL FROM taken
WHERE run.tenant = taken.tenant AND run.lead = taken.lead AND run.status = 1

-- name: claim_wake
UPDATE run SET status = 0
WHERE (tenant, lead) IN (SELECT tenant, lead FROM run WHERE status = 2 AND run_ms <= $now ORDER BY run_ms LIMIT ?1)
-- @postgres
WITH woken AS MATERIALIZED (
    SELECT tenant, lead FROM run WHERE status = 2 AND run_ms <= $now ORDER BY run_ms LIMIT ?1 FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 0 FROM woken WHERE run.tenant = woken.tenant AND run.lead = woken.lead AND run.status = 2

-- name: claim_tenants
-- Tenants behind ?1 that have ready runs, at most ?2: one step of the index each.
WITH RECURSIVE active(tenant, n) AS (
    SELECT (SELECT r.tenant FROM run r WHERE r.status = 0 AND r.suspect = 0 AND r.tenant > ?1 ORDER BY r.tenant LIMIT 1), 1
    UNION ALL
    SELECT (SELECT r.tenant FROM run r WHERE r.status = 0 AND r.suspect = 0 AND r.tenant > active.tenant
            ORDER BY r.tenant LIMIT 1), active.n + 1
    FROM active WHERE active.tenant IS NOT NULL AND active.n < ?2)
SELECT a.tenant, coalesce(t.weight, 1), coalesce(t.max_running, 0),
       CASE WHEN coalesce(t.max_running, 0) > 0
            THEN (SELECT count(*) FROM run r WHERE r.status = 1 AND r.tenant = a.tenant) ELSE 0 END
FROM active a LEFT JOIN tenant t ON t.tenant = a.tenant WHERE a.tenant IS NOT NULL

-- name: claim_take
-- Leases ?2 ready runs of tenant ?1 to worker ?3, those due first.
UPDATE run SET status = 1, worker = ?3, fence = fence + 1, attempt = attempt + 1
WHERE tenant = ?1
  AND lead IN (SELECT lead FROM run WHERE tenant = ?1 AND status = 0 AND suspect = 0 ORDER BY due, lead LIMIT ?2)
RETURNING tenant, lead, gen, priority, deadline_ms, attempt, crash, fence, accepted_ms, cause, pins, due, suspect, stage
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT lead FROM run WHERE tenant = ?1 AND status = 0 AND suspect = 0 ORDER BY due LIMIT ?2 FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 1, worker = ?3, fence = fence + 1, attempt = attempt + 1 FROM taken
WHERE run.tenant = ?1 AND run.lead = taken.lead
RETURNING tenant, run.lead, gen, priority, deadline_ms, attempt, crash, fence, accepted_ms, cause, pins, due, suspect, stage

-- name: claim_suspect
-- Leases ?4 suspects that have ?2 to ?3 crashes to their account to worker ?1; they have one more now.
UPDATE run SET status = 1, worker = ?1, fence = fence + 1, attempt = attempt + 1, crash = crash + 1
WHERE (tenant, lead) IN (SELECT tenant, lead FROM run WHERE status = 0 AND suspect = 1 AND crash BETWEEN ?2 AND ?3
                         ORDER BY due LIMIT ?4)
RETURNING tenant, lead, gen, priority, deadline_ms, attempt, crash, fence, accepted_ms, cause, pins, due, suspect, stage
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT tenant, lead FROM run WHERE status = 0 AND suspect = 1 AND crash BETWEEN ?2 AND ?3 ORDER BY due LIMIT ?4
    FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 1, worker = ?1, fence = fence + 1, attempt = attempt + 1, crash = crash + 1 FROM taken
WHERE run.tenant = taken.tenant AND run.lead = taken.lead
RETURNING run.tenant, run.lead, gen, priority, deadline_ms, attempt, crash, fence, accepted_ms, cause, pins, due, suspect, stage

-- name: claim_bury
-- Suspects that took down every worker they were alone with, ?1 times, are dead.
UPDATE run SET status = 3, fence = fence + 1, worker = NULL, slug = 'worker_crash',
    reason = 'every worker that worked on this lead alone ended without a word'
WHERE (tenant, lead) IN (SELECT tenant, lead FROM run WHERE status = 0 AND suspect = 1 AND crash >= ?1 LIMIT 100)
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT tenant, lead FROM run WHERE status = 0 AND suspect = 1 AND crash >= ?1 LIMIT 100 FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 3, fence = fence + 1, worker = NULL, slug = 'worker_crash',
    reason = 'every worker that worked on this lead alone ended without a word'
FROM taken WHERE run.tenant = taken.tenant AND run.lead = taken.lead

-- name: claim_body
SELECT l.state, b.wrapped, b.sealed FROM lead l JOIN body b ON b.tenant = l.tenant AND b.lead = l.lead
WHERE l.tenant = ?1 AND l.lead = ?2

-- name: claim_asks
SELECT name, request, status, answer, price_micro, answered_ms, slug FROM ask
WHERE tenant = ?1 AND lead = ?2 AND gen = ?3 ORDER BY asked_ms, name
