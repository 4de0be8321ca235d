// Made by script/generate from docs/openapi.json.
export type Problem = { "type": string; "title": string; "status": number; "detail"?: string; "last_sequence"?: number; "errors"?: ({ "path": string; "message": string })[] }

export interface Operations {
  getFleetSummary: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "systems": number; "liveness": { "online": number; "late": number; "offline": number; "never_seen": number }; "drift": { "unmanaged": number; "wrong_configuration": number; "off_branch": number; "pinned_mismatch": number; "behind": number; "evaluation_failed": number; "pending": number; "unassigned": number; "no_report": number; "in_sync": number }; "standing": { "unmanaged": number; "wrong_configuration": number; "off_branch": number; "pinned_mismatch": number; "behind": number; "evaluation_failed": number; "pending": number; "unassigned": number; "no_report": number; "in_sync": number }; "flags": { "reboot_needed": number; "profile_mismatch": number; "identity_conflict": number; "chain_broken": number; "history_lost": number; "spool_failed": number; "clock_skew": number; "hostname_changed": number }; "pending_keys": number }
  }
  listAttention: {
    params: undefined
    query: { "limit"?: number; "each"?: number }
    body: undefined
    answer: { "items": ({ "kind": "identity_conflict" | "history_lost" | "chain_broken" | "offline" | "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "key_pending" | "spool_failed" | "sync_failed" | "evaluation_failed" | "behind" | "late" | "hostname_changed" | "clock_skew" | "profile_mismatch" | "reboot_needed" | "never_seen"; "severity": "critical" | "warning" | "notice"; "rank": number; "since": string; "hostname": string | null; "environment": string | null; "flake": { "id": number; "url": string; "branch": string | null } | null; "details": unknown })[]; "kinds": ({ "kind": "identity_conflict" | "history_lost" | "chain_broken" | "offline" | "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "key_pending" | "spool_failed" | "sync_failed" | "evaluation_failed" | "behind" | "late" | "hostname_changed" | "clock_skew" | "profile_mismatch" | "reboot_needed" | "never_seen"; "severity": "critical" | "warning" | "notice"; "rank": number; "count": number })[]; "total": number }
  }
  listActivity: {
    params: undefined
    query: { "after"?: number; "limit"?: number }
    body: undefined
    answer: { "entries": ({ "id": number; "at": string; "kind": "drift" | "flag_raised" | "flag_ended" | "head" | "evaluation"; "systems": number; "hostnames": (string)[]; "flake": { "id": number; "url": string; "branch": string | null } | null; "commit": { "sha": string; "subject": string | null } | null; "details": unknown })[]; "next": number | null }
  }
  getFleetTrend: {
    params: undefined
    query: { "period"?: "24h" | "7d" | "30d" | "90d" | "400d" }
    body: undefined
    answer: { "step_secs": number; "times": (string)[]; "systems": (number | null)[]; "liveness": { "online": (number | null)[]; "late": (number | null)[]; "offline": (number | null)[]; "never_seen": (number | null)[] }; "standing": { "unmanaged": (number | null)[]; "wrong_configuration": (number | null)[]; "off_branch": (number | null)[]; "pinned_mismatch": (number | null)[]; "behind": (number | null)[]; "evaluation_failed": (number | null)[]; "pending": (number | null)[]; "unassigned": (number | null)[]; "no_report": (number | null)[]; "in_sync": (number | null)[] } }
  }
  listSystems: {
    params: undefined
    query: { "liveness"?: "online" | "late" | "offline" | "never_seen"; "drift"?: "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "standing"?: "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "flag"?: "reboot_needed" | "profile_mismatch" | "identity_conflict" | "chain_broken" | "history_lost" | "spool_failed" | "clock_skew" | "hostname_changed"; "flake"?: number; "environment"?: string; "registration"?: "active" | "pending" | "keyless" | "archived"; "text"?: string; "sort"?: "hostname" | "drift" | "since" | "last_contact"; "format"?: "json" | "csv"; "after"?: string; "limit"?: number }
    body: undefined
    answer: { "systems": ({ "hostname": string; "environment": string | null; "declared": boolean; "registration": "active" | "pending" | "keyless" | "archived"; "liveness": "online" | "late" | "offline" | "never_seen"; "last_contact": string | null; "current_system": string | null; "nixos_version": string | null; "drift": { "state": "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "since": string; "standing": "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "standing_since": string; "reason": string | null; "running_path": string | null; "desired_path": string | null; "running_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "desired_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "head_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "specialisation": string | null; "configuration": string | null; "commits_behind": number | null; "commits_unknown": number | null } | null; "flags": ("reboot_needed" | "profile_mismatch" | "identity_conflict" | "chain_broken" | "history_lost" | "spool_failed" | "clock_skew" | "hostname_changed")[] })[]; "total": number; "next": string | null }
  }
  addSystem: {
    params: undefined
    query: undefined
    body: { "hostname": string; "environment"?: string; "flake_url"?: string; "configuration"?: string; "pinned_path"?: string; "public_keys"?: (string)[] }
    answer: { "hostname": string }
  }
  getSystem: {
    params: { "hostname": string }
    query: undefined
    body: undefined
    answer: { "hostname": string; "environment": string | null; "flake_id": number | null; "flake_url": string | null; "branch": string | null; "configuration": string | null; "pinned_path": string | null; "assigned_at": string; "declared": boolean; "created_at": string; "archived_at": string | null; "registration": "active" | "pending" | "keyless" | "archived"; "liveness": "online" | "late" | "offline" | "never_seen"; "last_contact": string | null; "online_since": string | null; "boot_id": string | null; "booted_at": string | null; "interval_secs": number; "clock_skew_secs": number | null; "current_system": string | null; "protocol": number; "report_id": string | null; "observed_at": string | null; "received_at": string | null; "reported_hostname": string | null; "system": unknown; "fingerprint": unknown; "drift": { "state": "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "since": string; "standing": "unmanaged" | "wrong_configuration" | "off_branch" | "pinned_mismatch" | "behind" | "evaluation_failed" | "pending" | "unassigned" | "no_report" | "in_sync"; "standing_since": string; "reason": string | null; "running_path": string | null; "desired_path": string | null; "running_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "desired_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "head_commit": { "id": number; "flake_id": number; "sha": string; "subject": string | null; "position": number | null } | null; "specialisation": string | null; "configuration": string | null; "commits_behind": number | null; "commits_unknown": number | null; "embeds_revision": boolean | null } | null; "flags": ({ "flag": "reboot_needed" | "profile_mismatch" | "identity_conflict" | "chain_broken" | "history_lost" | "spool_failed" | "clock_skew" | "hostname_changed"; "since": string; "details": unknown })[] }
  }
  changeSystem: {
    params: { "hostname": string }
    query: undefined
    body: { "environment"?: string | null; "flake_url"?: string | null; "configuration"?: string | null; "pinned_path"?: string | null }
    answer: undefined
  }
  approveKeys: {
    params: { "hostname": string }
    query: undefined
    body: { "key_id"?: string } | null
    answer: { "approved": (string)[] }
  }
  archiveSystem: {
    params: { "hostname": string }
    query: undefined
    body: undefined
    answer: undefined
  }
  restoreSystem: {
    params: { "hostname": string }
    query: undefined
    body: undefined
    answer: undefined
  }
  acknowledgeFlag: {
    params: { "hostname": string; "flag": "reboot_needed" | "profile_mismatch" | "identity_conflict" | "chain_broken" | "history_lost" | "spool_failed" | "clock_skew" | "hostname_changed" }
    query: undefined
    body: undefined
    answer: undefined
  }
  listSystemKeys: {
    params: { "hostname": string }
    query: undefined
    body: undefined
    answer: { "keys": ({ "id": string; "hostname": string; "status": "pending" | "active" | "inactive" | "revoked"; "declared": boolean; "created_at": string; "revoked_at": string | null })[] }
  }
  addSystemKey: {
    params: { "hostname": string }
    query: undefined
    body: { "public_key": string }
    answer: { "key_id": string }
  }
  revokeSystemKey: {
    params: { "hostname": string; "key": string }
    query: undefined
    body: undefined
    answer: undefined
  }
  getTimeline: {
    params: { "hostname": string }
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "entries": ({ "at": string; "kind": "drift" | "flag_raised" | "flag_ended" | "report" | "online"; "details": unknown })[]; "next": string | null }
  }
  listFactChanges: {
    params: { "hostname": string }
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "reports": ({ "report_id": string; "observed_at": string; "received_at": string; "changes": ({ "path": string; "before": unknown; "after": unknown })[] })[]; "next": string | null }
  }
  listGenerations: {
    params: { "hostname": string }
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "generations": ({ "generation": number | null; "profile": string | null; "changed_at": string | null; "first_observed_at": string; "last_observed_at": string; "report_id": string })[]; "next": string | null }
  }
  listOnlinePeriods: {
    params: { "hostname": string }
    query: { "from"?: string; "to"?: string }
    body: undefined
    answer: { "from": string; "to": string; "periods": ({ "started_at": string; "ended_at": string | null; "boot_id": string | null })[] }
  }
  searchAll: {
    params: undefined
    query: { "text": string }
    body: undefined
    answer: { "systems": ({ "hostname": string; "environment": string | null })[]; "flakes": ({ "id": number; "url": string; "branch": string | null })[]; "commits": ({ "sha": string; "flake_id": number; "subject": string | null })[] }
  }
  listReports: {
    params: { "hostname": string }
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "reports": ({ "id": string; "received_at": string; "observed_at": string; "key_id": string; "protocol": number; "sequence": number; "reason": string; "previous": string | null; "dropped": number; "chain": string })[]; "next": string | null }
  }
  getReport: {
    params: { "digest": string }
    query: undefined
    body: undefined
    answer: { "id": string; "received_at": string; "observed_at": string; "key_id": string; "protocol": number; "sequence": number; "reason": string; "previous": string | null; "dropped": number; "chain": string; "hostname": string; "document": unknown; "evidence": { "public_key": string; "body": string; "method": string; "authority": string; "path": string; "content_digest": string | null; "signature_input": string | null; "signature": string } }
  }
  listFlakes: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "flakes": ({ "id": number; "url": string; "branch": string | null; "declared": boolean; "allow_import_from_derivation": boolean; "search_depth": number; "created_at": string; "archived_at": string | null; "systems": number; "head_branch": string | null; "head_sha": string | null; "head_subject": string | null; "head_status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded" | null; "head_arrived_at": string | null; "synced_at": string | null; "sync_failed_at": string | null; "sync_error": string | null; "next_poll_at": string })[] }
  }
  addFlake: {
    params: undefined
    query: undefined
    body: { "url": string; "branch"?: string; "search_depth"?: number; "allow_import_from_derivation"?: boolean }
    answer: { "id": number }
  }
  getFlake: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "id": number; "url": string; "branch": string | null; "declared": boolean; "allow_import_from_derivation": boolean; "search_depth": number; "created_at": string; "archived_at": string | null; "systems": number; "head_branch": string | null; "head_sha": string | null; "head_subject": string | null; "head_status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded" | null; "head_arrived_at": string | null; "synced_at": string | null; "sync_failed_at": string | null; "sync_error": string | null; "next_poll_at": string }
  }
  archiveFlake: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: undefined
  }
  syncFlake: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "id": number; "url": string; "branch": string | null; "declared": boolean; "allow_import_from_derivation": boolean; "search_depth": number; "created_at": string; "archived_at": string | null; "systems": number; "head_branch": string | null; "head_sha": string | null; "head_subject": string | null; "head_status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded" | null; "head_arrived_at": string | null; "synced_at": string | null; "sync_failed_at": string | null; "sync_error": string | null; "next_poll_at": string }
  }
  listCommits: {
    params: { "id": number }
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "commits": ({ "flake_id": number; "sha": string; "position": number | null; "mainline": boolean; "author": string | null; "subject": string | null; "committed_at": string | null; "arrived_at": string; "signed": boolean | null; "status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded"; "finished_at": string | null; "cause": string | null; "configurations": number | null; "succeeded": number; "failed": number; "changed": number | null })[]; "next": string | null }
  }
  getCommit: {
    params: { "sha": string }
    query: { "flake"?: number }
    body: undefined
    answer: { "flake_id": number; "sha": string; "position": number | null; "mainline": boolean; "author": string | null; "subject": string | null; "committed_at": string | null; "arrived_at": string; "signed": boolean | null; "status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded"; "finished_at": string | null; "cause": string | null; "configurations": number | null; "succeeded": number; "failed": number; "changed": number | null; "flake_url": string; "is_head": boolean; "left_at": string | null; "authored_at": string | null; "queued_at": string | null; "started_at": string | null; "nix_version": string | null; "error": string | null; "previous": { "sha": string; "subject": string | null; "status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded" } | null; "progress": { "done": number; "new": number; "total": number | null } | null; "inputs": ({ "name": string; "type": string; "url": string | null; "revision": string | null; "nar_hash": string | null; "last_modified": string | null })[] | null }
  }
  evaluateCommit: {
    params: { "sha": string }
    query: { "flake"?: number }
    body: { "again"?: "none" | "failed" | "all" } | null
    answer: { "sha": string; "flake_id": number }
  }
  listCommitChanges: {
    params: { "sha": string }
    query: { "flake"?: number; "after"?: string; "limit"?: number }
    body: undefined
    answer: { "previous": { "sha": string; "subject": string | null; "status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded" } | null; "known": boolean; "counts": { "changed": number; "added": number; "removed": number; "broken": number; "repaired": number }; "systems": number; "changes": ({ "configuration": string; "change": "changed" | "added" | "removed" | "broken" | "repaired"; "before": string | null; "after": string | null; "systems": number; "hostnames": (string)[] })[]; "next": string | null }
  }
  listDesiredCommits: {
    params: { "hostname": string }
    query: undefined
    body: undefined
    answer: { "commits": ({ "sha": string; "subject": string | null; "author": string | null; "committed_at": string | null; "arrived_at": string; "mainline": boolean; "changes": boolean | null })[]; "total": number | null; "changing": number | null }
  }
  listEvaluations: {
    params: undefined
    query: { "flake"?: number; "commit"?: string; "configuration"?: string; "status"?: "succeeded" | "failed"; "after"?: string; "limit"?: number }
    body: undefined
    answer: { "evaluations": ({ "id": number; "flake_id": number; "sha": string; "configuration": string; "status": "succeeded" | "failed"; "out_path": string | null; "nixos_version": string | null; "cause": string | null; "duration_ms": number; "evaluated_at": string })[]; "next": string | null }
  }
  getEvaluation: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "id": number; "flake_id": number; "sha": string; "configuration": string; "status": "succeeded" | "failed"; "out_path": string | null; "nixos_version": string | null; "cause": string | null; "duration_ms": number; "evaluated_at": string; "flake_url": string; "subject": string | null; "commit_status": "new" | "queued" | "running" | "evaluated" | "failed" | "superseded"; "drv_path": string | null; "platform": string | null; "kernel_version": string | null; "state_version": string | null; "embeds_revision": boolean | null; "error": string | null; "peak_memory_bytes": number | null; "nix_version": string; "specialisations": ({ "name": string; "out_path": string })[] }
  }
  retryEvaluation: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "flake_id": number; "sha": string; "configuration": string }
  }
  listKeys: {
    params: undefined
    query: { "status"?: "pending" | "active" | "inactive" | "revoked"; "text"?: string; "after"?: string; "limit"?: number }
    body: undefined
    answer: { "keys": ({ "id": string; "hostname": string; "status": "pending" | "active" | "inactive" | "revoked"; "declared": boolean; "created_at": string; "revoked_at": string | null })[]; "next": string | null }
  }
  listEnrollTokens: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "enroll_tokens": ({ "id": number; "name": string; "uses_left": number; "expires_at": string; "environment": string | null; "flake_url": string | null; "hostname": string | null; "needs_approval": boolean; "created_at": string })[] }
  }
  createEnrollToken: {
    params: undefined
    query: undefined
    body: { "name": string; "uses"?: number; "expires_in_secs"?: number; "environment"?: string; "flake_url"?: string; "hostname"?: string; "needs_approval"?: boolean }
    answer: { "id": number; "token": string }
  }
  revokeEnrollToken: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: undefined
  }
  listTokens: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "tokens": ({ "id": number; "name": string; "role": "viewer" | "operator" | "admin"; "created_at": string; "expires_at": string | null; "last_used_at": string | null })[] }
  }
  createToken: {
    params: undefined
    query: undefined
    body: { "name": string; "role": "viewer" | "operator" | "admin"; "expires_in_secs"?: number }
    answer: { "id": number; "token": string }
  }
  revokeToken: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: undefined
  }
  listUsers: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "users": ({ "id": number; "name": string; "display_name": string; "role": "viewer" | "operator" | "admin"; "signs_in_by": "password" | "oidc" | null; "disabled": boolean; "last_sign_in_at": string | null; "created_at": string })[] }
  }
  addUser: {
    params: undefined
    query: undefined
    body: { "name": string; "display_name"?: string; "role": "viewer" | "operator" | "admin"; "password"?: string }
    answer: { "user": { "id": number; "name": string; "display_name": string; "role": "viewer" | "operator" | "admin"; "signs_in_by": "password" | "oidc" | null; "disabled": boolean; "last_sign_in_at": string | null; "created_at": string }; "password_link"?: { "link": string; "expires_at": string } }
  }
  getUser: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "id": number; "name": string; "display_name": string; "role": "viewer" | "operator" | "admin"; "signs_in_by": "password" | "oidc" | null; "disabled": boolean; "last_sign_in_at": string | null; "created_at": string }
  }
  changeUser: {
    params: { "id": number }
    query: undefined
    body: { "display_name"?: string; "role"?: "viewer" | "operator" | "admin"; "disabled"?: boolean }
    answer: { "id": number; "name": string; "display_name": string; "role": "viewer" | "operator" | "admin"; "signs_in_by": "password" | "oidc" | null; "disabled": boolean; "last_sign_in_at": string | null; "created_at": string }
  }
  removeUser: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: undefined
  }
  createPasswordLink: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: { "link": string; "expires_at": string }
  }
  endSessions: {
    params: { "id": number }
    query: undefined
    body: undefined
    answer: undefined
  }
  changeOwnPassword: {
    params: undefined
    query: undefined
    body: { "current": string; "password": string }
    answer: undefined
  }
  listJobs: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "jobs": ({ "name": string; "next_at": string | null; "overdue": boolean; "started_at": string | null; "finished_at": string | null; "failed_at": string | null; "error": string | null })[] }
  }
  getHealth: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "status": "ok" | "unknown" | "degraded" | "down"; "parts": ({ "name": "database" | "servers" | "evaluators" | "jobs" | "queues" | "webhooks"; "status": "ok" | "unknown" | "degraded" | "down"; "text": string; "since": string | null })[]; "instances": ({ "kind": "server" | "evaluator"; "host": string; "version": string; "started_at": string; "seen_at": string; "present": boolean })[] }
  }
  listWebhookDeliveries: {
    params: undefined
    query: { "after"?: string; "limit"?: number }
    body: undefined
    answer: { "deliveries": ({ "id": number; "provider": string; "delivery": string | null; "received_at": string; "event": string; "repository": string | null; "ref": string | null; "after": string | null; "outcome": string; "reason": string | null; "flake_ids": (number)[] })[]; "next": string | null }
  }
  listAudit: {
    params: undefined
    query: { "actor"?: string; "action"?: "system.add" | "system.change" | "system.archive" | "system.restore" | "key.enroll" | "key.approve" | "key.add" | "key.deactivate" | "key.revoke" | "flag.acknowledge" | "flake.add" | "flake.change" | "flake.archive" | "flake.sync" | "commit.evaluate" | "evaluation.retry" | "enroll-token.create" | "enroll-token.revoke" | "token.create" | "token.revoke" | "user.add" | "user.change" | "user.role" | "user.password" | "user.password-link" | "user.disable" | "user.enable" | "user.remove" | "session.start" | "session.end"; "subject"?: string; "from"?: string; "to"?: string; "format"?: "json" | "csv"; "after"?: string; "limit"?: number }
    body: undefined
    answer: { "records": ({ "id": number; "at": string; "actor": { "kind": "user" | "token" | "agent" | "configuration" | "command" | "system"; "id": string | null; "name": string; "role": "viewer" | "operator" | "admin" | null; "address": string | null }; "action": "system.add" | "system.change" | "system.archive" | "system.restore" | "key.enroll" | "key.approve" | "key.add" | "key.deactivate" | "key.revoke" | "flag.acknowledge" | "flake.add" | "flake.change" | "flake.archive" | "flake.sync" | "commit.evaluate" | "evaluation.retry" | "enroll-token.create" | "enroll-token.revoke" | "token.create" | "token.revoke" | "user.add" | "user.change" | "user.role" | "user.password" | "user.password-link" | "user.disable" | "user.enable" | "user.remove" | "session.start" | "session.end"; "subject": { "kind": string; "id": string | null; "name": string }; "before": unknown; "after": unknown })[]; "next": string | null }
  }
  streamEvents: {
    params: undefined
    query: { "follow"?: "true" | "false"; "after"?: string }
    body: undefined
    answer: undefined
  }
  getSession: {
    params: undefined
    query: undefined
    body: undefined
    answer: { "user": { "id": number; "name": string; "display_name": string; "signs_in_by": "password" | "oidc" } | null; "token": string | null; "role": "viewer" | "operator" | "admin" | null; "expires_at": string | null; "anonymous_read": boolean; "setup_needed": boolean; "sign_in": { "password": boolean; "oidc": { "name": string } | null } }
  }
  signIn: {
    params: undefined
    query: undefined
    body: { "name": string; "password": string }
    answer: undefined
  }
  signOut: {
    params: undefined
    query: undefined
    body: undefined
    answer: undefined
  }
  setUp: {
    params: undefined
    query: undefined
    body: { "token": string; "name": string; "password": string }
    answer: undefined
  }
  choosePassword: {
    params: undefined
    query: undefined
    body: { "token": string; "password": string }
    answer: undefined
  }
}

export const PLACES: { readonly [Name in keyof Operations]: readonly [method: string, path: string] } = {
  getFleetSummary: ['GET', '/fleet/summary'],
  listAttention: ['GET', '/fleet/attention'],
  listActivity: ['GET', '/fleet/activity'],
  getFleetTrend: ['GET', '/fleet/trend'],
  listSystems: ['GET', '/systems'],
  addSystem: ['POST', '/systems'],
  getSystem: ['GET', '/systems/{hostname}'],
  changeSystem: ['PATCH', '/systems/{hostname}'],
  approveKeys: ['POST', '/systems/{hostname}/approve'],
  archiveSystem: ['PUT', '/systems/{hostname}/archived'],
  restoreSystem: ['DELETE', '/systems/{hostname}/archived'],
  acknowledgeFlag: ['DELETE', '/systems/{hostname}/flags/{flag}'],
  listSystemKeys: ['GET', '/systems/{hostname}/keys'],
  addSystemKey: ['POST', '/systems/{hostname}/keys'],
  revokeSystemKey: ['DELETE', '/systems/{hostname}/keys/{key}'],
  getTimeline: ['GET', '/systems/{hostname}/timeline'],
  listFactChanges: ['GET', '/systems/{hostname}/fact-changes'],
  listGenerations: ['GET', '/systems/{hostname}/generations'],
  listOnlinePeriods: ['GET', '/systems/{hostname}/online-periods'],
  searchAll: ['GET', '/search'],
  listReports: ['GET', '/systems/{hostname}/reports'],
  getReport: ['GET', '/reports/{digest}'],
  listFlakes: ['GET', '/flakes'],
  addFlake: ['POST', '/flakes'],
  getFlake: ['GET', '/flakes/{id}'],
  archiveFlake: ['DELETE', '/flakes/{id}'],
  syncFlake: ['POST', '/flakes/{id}/sync'],
  listCommits: ['GET', '/flakes/{id}/commits'],
  getCommit: ['GET', '/commits/{sha}'],
  evaluateCommit: ['POST', '/commits/{sha}/evaluate'],
  listCommitChanges: ['GET', '/commits/{sha}/changes'],
  listDesiredCommits: ['GET', '/systems/{hostname}/desired-commits'],
  listEvaluations: ['GET', '/evaluations'],
  getEvaluation: ['GET', '/evaluations/{id}'],
  retryEvaluation: ['POST', '/evaluations/{id}/retry'],
  listKeys: ['GET', '/keys'],
  listEnrollTokens: ['GET', '/enroll-tokens'],
  createEnrollToken: ['POST', '/enroll-tokens'],
  revokeEnrollToken: ['DELETE', '/enroll-tokens/{id}'],
  listTokens: ['GET', '/tokens'],
  createToken: ['POST', '/tokens'],
  revokeToken: ['DELETE', '/tokens/{id}'],
  listUsers: ['GET', '/users'],
  addUser: ['POST', '/users'],
  getUser: ['GET', '/users/{id}'],
  changeUser: ['PATCH', '/users/{id}'],
  removeUser: ['DELETE', '/users/{id}'],
  createPasswordLink: ['POST', '/users/{id}/password-link'],
  endSessions: ['DELETE', '/users/{id}/sessions'],
  changeOwnPassword: ['PUT', '/users/me/password'],
  listJobs: ['GET', '/jobs'],
  getHealth: ['GET', '/health/parts'],
  listWebhookDeliveries: ['GET', '/webhook-deliveries'],
  listAudit: ['GET', '/audit'],
  streamEvents: ['GET', '/events'],
  getSession: ['GET', '/session'],
  signIn: ['POST', '/session'],
  signOut: ['DELETE', '/session'],
  setUp: ['POST', '/setup'],
  choosePassword: ['POST', '/password'],
}
