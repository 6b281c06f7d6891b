-- Asks for notices of our own, to see whether they come: behind a pooler in transaction mode none does.
LISTEN durably_doctor
