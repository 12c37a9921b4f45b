//! The JSON of the summaries, to the letter: it is an interface.

use super::*;

fn json(summary: &impl Serialize) -> String {
    serde_json::to_string(summary).expect("JSON")
}

const NO_REQUESTS: &str = r#""requests":{"list":0,"head":0,"get":0,"put":0,"copy":0,"delete":0}"#;

#[test]
fn copy_to_the_letter() {
    let summary = CopySummary {
        run: Some(7),
        references: vec!["avatars.path".to_owned()],
        elapsed: Duration::from_micros(1_234_567),
        passes: 2,
        ..CopySummary::default()
    };
    let expected = r#"{"command":"copy","run":7,"references":["avatars.path"],"rows":{"planned":0,"updated":0,"left":0,
"out_of_scope":0,"suspect":0,"conflict":0},"objects":{"planned":0,"copied":0,"already_there":0,"missing_source":0,
"conflict":0,"source_changed":0,"failed":0},"bytes_copied":0,REQUESTS,"passes":2,"seconds":1.235}"#;
    assert_eq!(json(&summary), expected.replace('\n', "").replace("REQUESTS", NO_REQUESTS));
}

#[test]
fn a_dry_run_adds_its_forecast_and_leaves_no_work() {
    let forecast = Forecast {
        requests: 5,
        bytes: 1_000,
        elapsed: Duration::from_secs(2),
        cost_usd: 0.000_300_000_000_01,
        ..Forecast::default()
    };
    let rows = CopyRows { left: 3, ..CopyRows::default() };
    let dry = CopySummary { rows, forecast: Some(forecast), ..CopySummary::default() };
    let end = r#""seconds":0.0,"forecast":{"requests":5,"bytes":1000,"seconds":2.0,"cost_usd":0.0003,"by_type":"#;
    let end = format!("{end}{},", NO_REQUESTS.replace(r#""requests":"#, ""));
    assert!(json(&dry).contains(&end), "{}", json(&dry));
    assert!(!dry.work_is_left());
    assert!(CopySummary { forecast: None, ..dry }.work_is_left());
}

#[test]
fn out_of_scope_rows_are_no_work() {
    let rows = CopyRows { planned: 2, updated: 2, out_of_scope: 9, ..CopyRows::default() };
    assert!(!CopySummary { rows, ..CopySummary::default() }.work_is_left());
}

#[test]
fn verify_to_the_letter() {
    let summary = VerifySummary { report: Some("out.csv".into()), ..VerifySummary::default() };
    let expected = r#"{"command":"verify","rows":{"legacy":0,"modern":0,"out_of_scope":0,"suspect":0,"foreign":0},
"objects":{"verified":0,"missing_target":0,"mismatch":0,"superseded":0,"missing_source":0,"conflict":0},"orphans":0,
"mentions":0,"unlisted_references":[],"fenced":false,"finalizable":false,"report":"out.csv",REQUESTS,"seconds":0.0}"#;
    assert_eq!(json(&summary), expected.replace('\n', "").replace("REQUESTS", NO_REQUESTS));
}

#[test]
fn finalize_to_the_letter_and_with_its_reasons_when_refused() {
    let objects = r#"{"deleted":0,"orphans_copied":0,"kept":0,"changed":0,"failed":0}"#;
    let objects = format!(r#""objects":{objects},"report":null,{NO_REQUESTS}"#);
    let expected = format!(r#"{{"command":"finalize","finalizable":true,"fenced":false,{objects},"seconds":0.0}}"#);
    let done = FinalizeSummary { finalizable: true, ..FinalizeSummary::default() };
    assert_eq!(json(&done), expected);

    let refused = FinalizeSummary { reasons: vec!["3 legacy rows".to_owned()], ..FinalizeSummary::default() };
    assert!(json(&refused).ends_with(r#""seconds":0.0,"reasons":["3 legacy rows"]}"#));
}

#[test]
fn rollback_to_the_letter() {
    let expected = r#"{"command":"rollback","run":9,"rows":{"planned":0,"restored":0,"changed":0,"left":0},
"objects":{"restored":0,"superseded":0,"missing":0,"failed":0},REQUESTS,"seconds":0.0}"#;
    let done = RollbackSummary { run: Some(9), ..RollbackSummary::default() };
    assert_eq!(json(&done), expected.replace('\n', "").replace("REQUESTS", NO_REQUESTS));

    let reasons = vec!["2 objects are missing".to_owned()];
    let dry = RollbackSummary { dry_run: true, reasons, ..RollbackSummary::default() };
    assert!(json(&dry).ends_with(r#""seconds":0.0,"dry_run":true,"reasons":["2 objects are missing"]}"#));
}

#[test]
fn a_changed_row_is_no_work_left_and_a_left_one_is() {
    let changed = RollbackRows { planned: 1, changed: 1, ..RollbackRows::default() };
    assert!(!RollbackSummary { rows: changed, ..RollbackSummary::default() }.work_is_left());
    let left = RollbackRows { planned: 1, left: 1, ..RollbackRows::default() };
    assert!(RollbackSummary { rows: left, ..RollbackSummary::default() }.work_is_left());
}

#[test]
fn migrate_leaves_out_what_it_did_not_reach() {
    assert_eq!(json(&MigrateSummary::default()), r#"{"command":"migrate"}"#);
    let reached = MigrateSummary { copy: Some(CopySummary::default()), ..MigrateSummary::default() };
    assert!(json(&reached).starts_with(r#"{"command":"migrate","copy":{"command":"copy","run":null,"#));
    assert!(!json(&reached).contains("verify"));
}

#[test]
fn refusals_and_held_locks_say_why() {
    let refusal = Refusal::new("finalize", vec!["the listing is incomplete".to_owned()]);
    assert_eq!(json(&refusal), r#"{"command":"finalize","exit_code":4,"refused":["the listing is incomplete"]}"#);
    let holder =
        Holder { host: "db1".to_owned(), pid: 42, since: "2026-01-02T03:04:05Z".to_owned(), silent_seconds: 1 };
    let held = LockHeld { command: "copy".to_owned(), locked_by: Some(holder) };
    let expected = r#"{"command":"copy","locked_by":{"host":"db1","pid":42,"since":"2026-01-02T03:04:05Z"}}"#;
    assert_eq!(json(&held), expected);
}

#[test]
fn requests_add_up_and_never_go_below_zero() {
    let one = Requests { list: 1, head: 2, get: 3, put: 4, copy: 5, delete: 6 };
    let mut sum = [one, one].into_iter().sum::<Requests>();
    assert_eq!(sum - one, one);
    sum += one;
    assert_eq!(sum.total(), 63);
    assert_eq!(one - sum, Requests::default());
}
