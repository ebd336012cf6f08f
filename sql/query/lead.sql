-- What people and timers do to a lead.

-- name: lead_lock
SELECT state, gen, outcome FROM lead WHERE tenant = ?1 AND lead = ?2
-- @postgres
SELECT state, gen, outcome FROM lead WHERE tenant = ?1 AND lead = ?2 FOR UPDATE

-- name: run_lock
SELECT gen, status, fence, attempt, accepted_ms, cause, pins FROM run WHERE tenant = ?1 AND lead = ?2
-- @postgres
SELECT gen, status, fence, attempt, accepted_ms, cause, pins FROM run WHERE tenant = ?1 AND lead = ?2 FOR UPDATE

-- name: run_delete
DELETE FROM run WHERE tenant = ?1 AND lead = ?2

-- name: lead_cancel
UPDATE lead SET outcome = 5 WHERE tenant = ?1 AND lead = ?2

-- name: lead_state_set
UPDATE lead SET state = ?3, state_ms = $now WHERE tenant = ?1 AND lead = ?2

-- name: outcome_add
INSERT INTO outcome (tenant, lead, at_ms, kind, recorded_ms, actor, sealed) VALUES (?1, ?2, ?3, ?4, $now, ?5, ?6)
ON CONFLICT (tenant, lead, at_ms, kind) DO NOTHING

-- name: run_redrive
-- ?2 lead or '', ?3 slug or ''; ?5, ?6 what normal and bulk runs wait longer: they queue as if they had just come.
UPDATE run SET status = 0, attempt = 0, crash = 0, suspect = 0, run_ms = $now, slug = NULL, reason = NULL,
    due = $now + CASE priority WHEN 0 THEN 0 WHEN 1 THEN ?5 ELSE ?6 END
WHERE tenant = ?1 AND lead IN (SELECT lead FROM run WHERE tenant = ?1 AND status = 3 AND (?2 = '' OR lead = ?2)
                               AND (?3 = '' OR slug = ?3) ORDER BY lead LIMIT ?4)
RETURNING lead
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT lead FROM run WHERE tenant = ?1 AND status = 3 AND (?2::text = '' OR lead = ?2::text)
      AND (?3::text = '' OR slug = ?3::text) ORDER BY lead LIMIT ?4 FOR UPDATE SKIP LOCKED)
UPDATE run SET status = 0, attempt = 0, crash = 0, suspect = 0, run_ms = $now, slug = NULL, reason = NULL,
    due = $now + CASE priority WHEN 0 THEN 0 WHEN 1 THEN ?5::bigint ELSE ?6::bigint END
FROM taken WHERE run.tenant = ?1 AND run.lead = taken.lead
RETURNING run.lead

-- name: lead_reopen
UPDATE lead SET outcome = 0 WHERE tenant = ?1 AND lead = ?2 AND outcome = 4

-- name: delivery_redrive
UPDATE delivery SET status = CASE WHEN unknown = 1 THEN 2 ELSE 0 END, attempt = 0, run_ms = $now, done_ms = NULL,
    slug = NULL, reason = NULL
WHERE tenant = ?1 AND (lead, target, gen) IN (
    SELECT lead, target, gen FROM delivery WHERE tenant = ?1 AND status = 4 AND (?2 = '' OR lead = ?2)
      AND (?3 = '' OR slug = ?3) ORDER BY lead LIMIT ?4)
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT lead, target, gen FROM delivery WHERE tenant = ?1 AND status = 4 AND (?2::text = '' OR lead = ?2::text)
      AND (?3::text = '' OR slug = ?3::text) ORDER BY lead LIMIT ?4 FOR UPDATE SKIP LOCKED)
UPDATE delivery SET status = CASE WHEN unknown = 1 THEN 2 ELSE 0 END, attempt = 0, run_ms = $now, done_ms = NULL,
    slug = NULL, reason = NULL FROM taken t
WHERE delivery.tenant = ?1 AND delivery.lead = t.lead AND delivery.target = t.target AND delivery.gen = t.gen

-- name: tick_due
SELECT tenant, lead, state, gen FROM lead WHERE rescore_ms IS NOT NULL AND rescore_ms <= $now ORDER BY rescore_ms LIMIT ?1
-- @postgres
SELECT tenant, lead, state, gen FROM lead WHERE rescore_ms IS NOT NULL AND rescore_ms <= $now ORDER BY rescore_ms LIMIT ?1
FOR UPDATE SKIP LOCKED

-- name: rescore_clear
UPDATE lead SET rescore_ms = NULL WHERE tenant = ?1 AND lead = ?2

-- name: idempotency_expire
DELETE FROM idempotency WHERE (tenant, key) IN (SELECT tenant, key FROM idempotency WHERE expires_ms <= $now LIMIT ?1)

-- name: worker_expire
-- Rows of workers that ended long ago and hold nothing.
DELETE FROM worker WHERE until_ms < $now - ?1
  AND NOT EXISTS (SELECT 1 FROM run r WHERE r.status = 1 AND r.worker = worker.worker)
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.status = 1 AND d.worker = worker.worker)
  AND NOT EXISTS (SELECT 1 FROM ask a WHERE a.status = 1 AND a.worker = worker.worker)

-- name: erase_find
SELECT lead FROM lead WHERE tenant = ?1 AND email = ?2 ORDER BY lead LIMIT 1000

-- name: erase_key
-- Zeros of the same length, so that the row is overwritten where it stands.
UPDATE body SET wrapped = ?3 WHERE tenant = ?1 AND lead = ?2

-- name: erase_lead
UPDATE lead SET email = NULL, domain = NULL, origin = ?3, content = ?3, rescore_ms = NULL WHERE tenant = ?1 AND lead = ?2

-- name: erase_contents
DELETE FROM lead_content WHERE tenant = ?1 AND lead = ?2

-- name: erase_deliveries
UPDATE delivery SET status = 5, worker = NULL, done_ms = $now, slug = 'erased', fence = fence + 1
WHERE tenant = ?1 AND lead = ?2 AND status IN (0, 1, 2, 4)

-- name: erase_asks
UPDATE ask SET status = 3, slug = 'erased', worker = NULL WHERE tenant = ?1 AND lead = ?2 AND status IN (0, 1)
