-- What the pages of the dashboard ask for.

-- for what needs attention: those of one flag the oldest first, systems that the newest commit fails for the oldest first
create index flags_oldest on flags (flag, since, system_id);
create index drift_failed on drift (since, system_id) where state = 'evaluation_failed';
