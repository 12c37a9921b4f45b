//! The keys of every JSON object that the program prints, taken from what it really prints.
//!
//! The summaries are written out field by field, so that a new field does not compile until it stands here, with a value
//! with which it is printed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use avatar_migrate::operate::doctor::{Check, DoctorSummary, PolicyChanged, Side, Status};
use avatar_migrate::operate::policy::{
    BucketPolicy, IdentityPolicy, KeyStatement, PhasePolicy, Policy, PolicySummary, Statement,
};
use avatar_migrate::report::summary::{
    Activity, CopySummary, DatabaseForecast, ExplainSummary, ExplainedRow, FenceForecast, FenceSummary,
    FencedReference, FinalizeSummary, Forecast, Holder, LastCutover, LockHeld, MigrateSummary, Prunable, PruneSummary,
    Recorded, Refusal, ResolveSummary, ResolvedObject, RollbackSummary, RowMove, RowsForecast, RunRecord, Shared,
    StatusSummary, StillWritten, VerifySummary, Watched, WorkerRecord,
};
use serde::Serialize;
use serde_json::Value;

/// Each object by the name that its section in docs/output.md has, with the paths of its keys: `rows.planned`.
pub(crate) fn objects() -> Vec<(&'static str, BTreeSet<String>)> {
    vec![
        ("copy", keys(&copy())),
        ("verify", keys(&verify())),
        ("finalize", keys(&finalize())),
        ("rollback", keys(&rollback())),
        ("fence", keys(&fence())),
        ("resolve", keys(&resolve())),
        ("status", keys(&status())),
        ("explain", keys(&explain())),
        ("ledger", keys(&prune())),
        ("doctor", keys(&doctor())),
        ("policy", keys(&policy())),
        ("migrate", keys(&MigrateSummary { copy: None, verify: None, finalize: None })),
        ("Refusal", keys(&Refusal { command: String::new(), exit_code: 4, refused: vec![String::new()] })),
        ("Lock held", keys(&locked())),
    ]
}

fn keys(object: &impl Serialize) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather("", &serde_json::to_value(object).expect("JSON"), &mut found);
    found
}

fn gather(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                gather(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, found);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            list.iter().for_each(|item| gather(&format!("{path}[]"), item, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.insert(path.to_owned());
        }
    }
}

fn copy() -> CopySummary {
    CopySummary {
        run: None,
        references: Vec::new(),
        rows: Default::default(),
        objects: Default::default(),
        bytes_copied: 0,
        requests: Default::default(),
        passes: 0,
        elapsed: Default::default(),
        forecast: Some(forecast()),
        watched: Some(Watched { written: vec![StillWritten::default()], ..Watched::default() }),
        shared: Some(Shared::default()),
    }
}

fn forecast() -> Forecast {
    let database = DatabaseForecast {
        references: vec![RowsForecast::default()],
        advice: vec![String::new()],
        ..DatabaseForecast::default()
    };
    Forecast { database, ..Forecast::default() }
}

fn verify() -> VerifySummary {
    VerifySummary {
        rows: Default::default(),
        objects: Default::default(),
        orphans: 0,
        mentions: 0,
        unlisted_references: Vec::new(),
        fenced: false,
        finalizable: false,
        report: None,
        html: Some(PathBuf::new()),
        requests: Default::default(),
        elapsed: Default::default(),
        reasons: vec![String::new()],
    }
}

fn finalize() -> FinalizeSummary {
    FinalizeSummary {
        finalizable: false,
        fenced: false,
        objects: Default::default(),
        work_is_left: false,
        report: None,
        requests: Default::default(),
        elapsed: Default::default(),
        reasons: vec![String::new()],
        shared: Some(Shared::default()),
    }
}

fn rollback() -> RollbackSummary {
    RollbackSummary {
        run: None,
        rows: Default::default(),
        objects: Default::default(),
        requests: Default::default(),
        elapsed: Default::default(),
        dry_run: true,
        reasons: vec![String::new()],
        left: Default::default(),
    }
}

fn prune() -> PruneSummary {
    PruneSummary {
        run: 0,
        dry_run: false,
        through: None,
        through_at: None,
        pruned: Prunable::default(),
        elapsed: Default::default(),
    }
}

fn explain() -> ExplainSummary {
    ExplainSummary {
        given: String::new(),
        class: String::new(),
        status: None,
        why: String::new(),
        next: String::new(),
        source_key: None,
        target_key: None,
        source: Some(ResolvedObject::default()),
        target: Some(ResolvedObject::default()),
        rows: vec![ExplainedRow::default()],
        rows_total: 0,
        recorded: Some(Recorded::default()),
        moves: Some(vec![RowMove::default()]),
        requests: Default::default(),
        elapsed: Default::default(),
    }
}

fn fence() -> FenceSummary {
    FenceSummary {
        run: None,
        fenced: false,
        references: vec![FencedReference::default()],
        statements: Vec::new(),
        changed: Vec::new(),
        forecast: Some(FenceForecast::default()),
        elapsed: Default::default(),
        dropped: false,
    }
}

fn resolve() -> ResolveSummary {
    ResolveSummary {
        run: 0,
        kept: String::new(),
        source: Default::default(),
        target: Default::default(),
        saved_as: None,
        requests: Default::default(),
        elapsed: Default::default(),
    }
}

fn status() -> StatusSummary {
    StatusSummary {
        state: Default::default(),
        run: Some(RunRecord { phase: Some(Activity::default()), ..RunRecord::default() }),
        workers: vec![WorkerRecord::default()],
        holder: Some(holder()),
        objects: Some([("STATE".to_owned(), 0)].into()),
        rows_moved: None,
        last_cutover: Some(LastCutover::default()),
        clean_for_seconds: None,
    }
}

fn doctor() -> DoctorSummary {
    let check = Check { name: "", side: Side::Source, status: Status::Pass, found: String::new(), advice: None };
    let policy = PolicyChanged { bucket: String::new(), attached: Vec::new(), detached: Vec::new(), kept: 0 };
    DoctorSummary {
        checks: vec![check],
        policy: Some(policy),
        requests: Default::default(),
        elapsed: Default::default(),
    }
}

fn policy() -> PolicySummary {
    let document = Policy { version: "", statement: Vec::new() };
    let statement = Statement {
        sid: String::new(),
        effect: "",
        principal: None,
        action: Vec::new(),
        resource: Vec::new(),
        condition: Default::default(),
    };
    let phase = PhasePolicy {
        phase: "",
        iam: vec![IdentityPolicy { reaches: "", policy: document.clone() }],
        buckets: vec![BucketPolicy { side: "", bucket: String::new(), policy: document }],
        keys: vec![KeyStatement { side: "", statement }],
        grants: Vec::new(),
    };
    PolicySummary {
        account: String::new(),
        references: Vec::new(),
        asked_database: false,
        principal: String::new(),
        phases: vec![phase],
    }
}

fn locked() -> LockHeld {
    LockHeld { command: String::new(), locked_by: Some(holder()) }
}

fn holder() -> Holder {
    Holder { host: String::new(), pid: 0, since: String::new(), silent_seconds: 0 }
}
