-- All keys are listed the newest first, page by page.
create index keys_newest on keys (created_at, id);
