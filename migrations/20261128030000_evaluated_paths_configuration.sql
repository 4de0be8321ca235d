-- Many configurations may give the same path: what one of them gave is found without looking at all of the others.
alter table evaluated_paths add column configuration text;
update evaluated_paths p set configuration = e.configuration from evaluations e where e.id = p.evaluation_id;
alter table evaluated_paths alter column configuration set not null;
drop index evaluated_paths_out_path;
create index evaluated_paths_out_path on evaluated_paths (out_path, configuration);
