-- Questions about the database itself.

-- name: doctor_version
SELECT sqlite_version()
-- @postgres
SELECT split_part(version(), ' ', 2)
