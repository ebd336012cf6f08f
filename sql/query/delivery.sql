-- The outbox. status: 0 ready, 1 sent, 2 unknown, 3 done, 4 dead, 5 superseded.

-- name: delivery_recover
-- What a silent worker had in its hands may have arrived.
UPDATE delivery SET status = 2, unknown = 1, worker = NULL, run_ms = $now
WHERE (tenant, lead, target, gen) IN (SELECT tenant, lead, target, gen FROM delivery
                                      WHERE status = 1 AND worker NOT IN (SELECT worker FROM worker) LIMIT ?1)
-- @postgres
WITH silent AS MATERIALIZED (
    SELECT d.tenant, d.lead, d.target, d.gen FROM delivery d
    WHERE d.status = 1 AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.worker = d.worker AND w.until_ms >= $now)
    LIMIT ?1 FOR UPDATE SKIP LOCKED)
UPDATE delivery SET status = 2, unknown = 1, worker = NULL, run_ms = $now FROM silent s
WHERE delivery.tenant = s.tenant AND delivery.lead = s.lead AND delivery.target = s.target AND delivery.gen = s.gen

-- name: delivery_tenants
-- Tenants behind ?1 with deliveries to be sent, at most ?2.
WITH RECURSIVE active(tenant, n) AS (
    SELECT (SELECT d.tenant FROM delivery d WHERE d.status IN (0, 2) AND d.tenant > ?1 ORDER BY d.tenant LIMIT 1), 1
    UNION ALL
    SELECT (SELECT d.tenant FROM delivery d WHERE d.status IN (0, 2) AND d.tenant > active.tenant
            ORDER BY d.tenant LIMIT 1), active.n + 1
    FROM active WHERE active.tenant IS NOT NULL AND active.n < ?2)
SELECT a.tenant, coalesce(t.weight, 1), 0, 0 FROM active a LEFT JOIN tenant t ON t.tenant = a.tenant
WHERE a.tenant IS NOT NULL

-- name: delivery_take
UPDATE delivery SET status = 1, worker = ?3, fence = fence + 1, attempt = attempt + 1
WHERE tenant = ?1 AND (lead, target, gen) IN (SELECT lead, target, gen FROM delivery
                                  WHERE tenant = ?1 AND status IN (0, 2) AND run_ms <= $now ORDER BY run_ms LIMIT ?2)
RETURNING tenant, lead, target, gen, attempt, fence, unknown, slug
-- @postgres
WITH taken AS MATERIALIZED (
    SELECT lead, target, gen FROM delivery
    WHERE tenant = ?1 AND status IN (0, 2) AND run_ms <= $now ORDER BY run_ms LIMIT ?2 FOR UPDATE SKIP LOCKED)
UPDATE delivery SET status = 1, worker = ?3, fence = fence + 1, attempt = attempt + 1 FROM taken t
WHERE delivery.tenant = ?1 AND delivery.lead = t.lead AND delivery.target = t.target AND delivery.gen = t.gen
RETURNING tenant, delivery.lead, delivery.target, delivery.gen, attempt, fence, unknown, slug

-- name: delivery_supersede
-- The delivery needs not be made when one of a newer generation is promised to the same target.
UPDATE delivery SET status = 5, worker = NULL, done_ms = $now
WHERE tenant = ?1 AND lead = ?2 AND target = ?3 AND gen = ?4
  AND EXISTS (SELECT 1 FROM delivery n WHERE n.tenant = delivery.tenant AND n.lead = delivery.lead
              AND n.target = delivery.target AND n.gen > delivery.gen)

-- name: delivery_context
SELECT s.scored_ms, s.sealed, b.wrapped, s.pins FROM score s JOIN body b ON b.tenant = s.tenant AND b.lead = s.lead
WHERE s.tenant = ?1 AND s.lead = ?2 AND s.gen = ?3

-- name: delivery_close
-- ?6 status, ?7 delay, ?8 slug, ?9 reason, ?10 attempts to take back, ?11 dead, but it may have arrived. What is unknown stays so until
-- it was read back; a wait leaves the last failure as it is.
UPDATE delivery SET status = ?6, worker = NULL, run_ms = $now + ?7, attempt = attempt - ?10,
    slug = CASE WHEN ?10 > 0 THEN slug ELSE ?8 END, reason = CASE WHEN ?10 > 0 THEN reason ELSE ?9 END,
    unknown = CASE WHEN ?6 = 2 THEN 1 WHEN ?6 = 4 THEN ?11 ELSE 0 END, done_ms = CASE WHEN ?6 >= 3 THEN $now ELSE NULL END
WHERE tenant = ?1 AND lead = ?2 AND target = ?3 AND gen = ?4 AND fence = ?5 AND status = 1
-- @postgres
UPDATE delivery SET status = ?6::bigint, worker = NULL, run_ms = $now + ?7::bigint, attempt = attempt - ?10::bigint,
    slug = CASE WHEN ?10::bigint > 0 THEN slug ELSE ?8 END, reason = CASE WHEN ?10::bigint > 0 THEN reason ELSE ?9 END,
    unknown = CASE WHEN ?6::bigint = 2 THEN 1 WHEN ?6::bigint = 4 THEN ?11::bigint ELSE 0 END,
    done_ms = CASE WHEN ?6::bigint >= 3 THEN $now ELSE NULL END
WHERE tenant = ?1 AND lead = ?2 AND target = ?3 AND gen = ?4 AND fence = ?5 AND status = 1
