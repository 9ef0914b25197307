"""HTTP as every Koppel service speaks it: problems, paging, idempotency keys, limits; clients that do not hide."""
