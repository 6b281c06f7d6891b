-- What is wrong with schedules, told to whoever asks; nothing where all is well again. Index: the primary key.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(notes)s::json) AS r(schedule_id text, note text)
), well AS (
    DELETE FROM {extension}.schedule_notes
    WHERE schedule_id = ANY (ARRAY(SELECT schedule_id FROM asked WHERE note IS NULL))
)
INSERT INTO {extension}.schedule_notes (schedule_id, note)
SELECT schedule_id, note FROM asked WHERE note IS NOT NULL
ON CONFLICT (schedule_id) DO UPDATE SET note = EXCLUDED.note, noted_at = clock_timestamp()
