-- Statements that the database layer needs for itself.

-- name: now
SELECT $now

-- name: migration_list
SELECT version, name, checksum FROM migration ORDER BY version

-- name: migration_add
INSERT INTO migration(version, name, checksum, applied_ms) VALUES (?1, ?2, ?3, $now)
