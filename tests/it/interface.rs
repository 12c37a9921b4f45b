//! What scripts rely on, to the letter: the keys of the JSON, the report's header, the exit codes.

use serde_json::Value;

use crate::support::World;

/// The keys of an object in their order, nested ones in parentheses: `rows(legacy,modern)`.
fn keys(value: &Value) -> String {
    let Some(object) = value.as_object() else { return String::new() };
    let parts = object.iter().map(|(key, value)| match value {
        Value::Object(_) => format!("{key}({})", keys(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => key.clone(),
    });
    parts.collect::<Vec<_>>().join(",")
}

const REQUESTS: &str = "requests(list,head,get,put,copy,delete)";
const COPY: &str = "command,run,references,rows(planned,updated,left,out_of_scope,suspect,conflict),\
                    objects(planned,copied,already_there,missing_source,conflict,source_changed,failed),bytes_copied";

#[test]
fn the_keys_of_the_json() {
    let world = World::new();
    world.avatars(2);
    let dry = world.run(&["copy", "--dry-run"]).exits(0);
    let forecast = REQUESTS.replace("requests(", "forecast(requests,bytes,seconds,cost_usd,by_type(");
    let transaction = "rows,seconds,binlog_bytes,undo_bytes,redo_bytes,lock_bytes";
    let database = format!(
        "database(references,binlog_bytes,plan_binlog_bytes,ledger_bytes,at_once({transaction}),piece({transaction}),\
         pieces,in_pieces,limits(binlog_cache_bytes,redo_log_bytes,buffer_pool_bytes),advice)"
    );
    assert_eq!(keys(&dry.json), format!("{COPY},{REQUESTS},passes,seconds,{forecast},{database})"));
    assert_eq!(dry.json["run"], Value::Null);
    let copy = world.run(&["copy"]).exits(0);
    assert_eq!(keys(&copy.json), format!("{COPY},{REQUESTS},passes,seconds"));
    let verify = world.run(&["verify", "--report", "out.csv"]).exits(0);
    let expected = format!(
        "command,rows(legacy,modern,out_of_scope,suspect,foreign),\
         objects(verified,missing_target,mismatch,superseded,missing_source,conflict),\
         orphans,mentions,unlisted_references,fenced,finalizable,report,{REQUESTS},seconds"
    );
    assert_eq!(keys(&verify.json), expected);
    assert_eq!(verify.json["report"], "out.csv");
    let finalize = world.run(&["finalize", "--yes"]).exits(0);
    let expected = format!(
        "command,finalizable,fenced,objects(deleted,orphans_copied,kept,changed,failed),report,{REQUESTS},seconds"
    );
    assert_eq!(keys(&finalize.json), expected);
    for (ended, command) in [(&dry, "copy"), (&copy, "copy"), (&verify, "verify"), (&finalize, "finalize")] {
        assert_eq!(ended.json["command"], command);
        assert_eq!(ended.stdout.lines().count(), 1, "one object and nothing else: {}", ended.stdout);
    }
    let report = finalize.json["report"].as_str().expect("a name");
    let (run, _) = report.strip_prefix("avatarMigrate-final-").and_then(|rest| rest.split_once('.')).expect(report);
    assert!(run.parse::<u64>().is_ok() && world.directory.path().join(report).exists(), "{report}");
}

#[test]
fn requests_are_those_that_the_server_saw() {
    let world = World::new();
    world.avatars(5);
    for (arguments, probes) in
        [(&["copy"][..], 2), (&["verify", "--report", "out.csv"], 2), (&["finalize", "--yes"], 2)]
    {
        world.s3.reset_requests();
        let ended = world.run(arguments).exits(0);
        let told: u64 = ended.json["requests"].as_object().expect("requests").values().filter_map(Value::as_u64).sum();
        // The two probes of the buckets belong to the session, before the command begins.
        assert_eq!(told + probes, world.s3.requests().values().sum::<u64>(), "{arguments:?}");
    }
}

#[test]
fn the_header_of_the_report() {
    let world = World::new();
    world.avatars(1);
    world.run(&["verify", "--report", "out.csv"]).exits(3);
    let text = std::fs::read_to_string(world.directory.path().join("out.csv")).expect("a report");
    let header = "status,table,column,primary_key,legacy_path,modern_path,source_key,target_key,size,source_etag,\
                  target_etag,sha256,proof,detail\r\n";
    assert!(text.starts_with(header), "{text}");
    let line = &world.report("out.csv")[0];
    for (column, value) in [
        ("status", "legacy"),
        ("table", "avatars"),
        ("column", "path"),
        ("primary_key", "1"),
        ("legacy_path", "image/avatar-0.png"),
        ("modern_path", "avatar/avatar-0.png"),
        ("source_key", "image/avatar-0.png"),
        ("target_key", "avatar/avatar-0.png"),
        ("target_etag", ""),
        ("proof", "none"),
    ] {
        assert_eq!(line[column], value, "{column}");
    }
}

#[test]
fn a_run_that_fails_leaves_the_old_report() {
    let world = World::new();
    world.avatars(1);
    let report = world.directory.path().join("out.csv");
    std::fs::write(&report, "old").expect("a file");
    world.s3.reset_requests();
    world.s3.on_request(|request| match request.sequence > 2 {
        true => avatar_migrate_kit::Fault::Status(403, "AccessDenied".to_owned()),
        false => avatar_migrate_kit::Fault::None,
    });
    world.run(&["verify", "--report", "out.csv"]).exits(1);
    assert_eq!(std::fs::read_to_string(&report).expect("a file"), "old");
    assert_eq!(
        std::fs::read_dir(world.directory.path()).expect("a directory").count(),
        1,
        "no part of a report is left"
    );
}

#[test]
fn a_report_in_a_missing_directory_is_an_error_before_any_work() {
    let world = World::new();
    world.avatars(1);
    for command in ["verify", "finalize"] {
        world.s3.reset_requests();
        let ended = world.run(&[command, "--report", "no/out.csv"]).exits(2);
        assert!(
            ended.stderr.contains("there is no directory no") && ended.stderr.contains("create it"),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("\\u{"), "{}", ended.stderr);
        assert_eq!(world.s3.requests().values().sum::<u64>(), 2, "only the probes of the buckets");
    }
    assert_eq!(
        world
            .column("SELECT schema_name AS v FROM information_schema.schemata")
            .iter()
            .filter(|s| *s == world.ledger())
            .count(),
        0
    );
}

#[test]
fn verify_says_what_it_means_by_its_exit_code() {
    let world = World::new();
    world.rows(&["image/logo.png", "about image/avatar-1.png and more", "else"]);
    world.source("image/logo.png");
    let vacuous = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(vacuous.json["finalizable"], false, "nothing was ever in scope: finalize would refuse");
    // Out of scope, mentions and orphans are no problems.
    world.rows(&["avatar/avatar-1.png"]);
    world.target("avatar/avatar-1.png", "image/avatar-1.png");
    world.source("image/avatar-orphan.png");
    let clean = world.run(&["verify", "--report", "out.csv"]).exits(0);
    assert_eq!(["/rows/out_of_scope", "/mentions", "/orphans"].map(|name| clean.number(name)), [1, 1, 1]);
    assert_eq!(clean.json["finalizable"], true);
    world.rows(&["avatar/avatar-2.png"]);
    let broken = world.run(&["verify", "--report", "out.csv"]).exits(3);
    assert_eq!(broken.number("/objects/missing_target"), 1);
}

#[test]
fn the_human_summary_names_the_same_numbers() {
    let world = World::new();
    world.avatars(12);
    for (arguments, words) in [
        (&["copy"][..], ["12", "copied", "rows"]),
        (&["verify", "--report", "out.csv"], ["12", "verified", "out.csv"]),
        (&["finalize", "--yes", "--report", "final.csv"], ["12", "deleted", "final.csv"]),
    ] {
        let ended = world.run(&[arguments, &["--format", "human"]].concat()).exits(0);
        for word in words {
            assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
        }
        assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "no colours off a terminal");
    }
}

/// What reads it by machine has to make sense of every line, also of those that people read otherwise.
#[test]
fn a_log_for_machines_is_an_object_a_line() {
    let world = World::new();
    world.avatars(3);
    let mut said = Vec::new();
    for (command, code) in [("copy", 0), ("finalize", 4), ("verify", 0)] {
        let ended = world.run(&[command, "--log-format", "json"]).exits(code);
        for line in ended.stderr.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(event["timestamp"].as_str().map(str::len), Some("2026-11-23T09:11:07.355413Z".len()), "{line}");
            said.push(event);
        }
    }
    let of = |message: &str| said.iter().find(|event| event["fields"]["message"] == message);
    assert_eq!(of("reference avatars.path").map(|event| &event["level"]), Some(&"INFO".into()));
    let copied = said.iter().find(|event| event["fields"]["phase"] == "copy").expect("the phase copy");
    assert_eq!((&copied["fields"]["done"], &copied["fields"]["unit"]), (&3.into(), &"objects".into()));
    let refused = of("refused; nothing was deleted or rolled back").expect("a refusal");
    assert_eq!(refused["level"], "ERROR");
    let reasons = refused["fields"]["reasons"].as_array().expect("reasons");
    assert!(!reasons.is_empty() && refused["fields"]["hint"].is_string(), "{refused}");
}

#[test]
fn the_log_tells_how_long_each_phase_took() {
    let world = World::new();
    world.avatars(3);
    let ended = world.run(&["copy", "--log-format", "json"]).exits(0);
    let events = ended.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let phases: Vec<(String, u64)> = events
        .filter(|event| event["fields"]["ended"] == true && event["fields"]["seconds"].is_f64())
        .map(|event| (event["fields"]["phase"].to_string(), event["fields"]["done"].as_u64().unwrap_or(99)))
        .collect();
    let looks = [("look before the cutover", 3), ("look after the cutover", 3)];
    for expected in [("plan", 3), ("copy", 3), ("cutover", 3)].into_iter().chain(looks) {
        let expected = (format!("\"{}\"", expected.0), expected.1);
        assert!(phases.contains(&expected), "{expected:?} in {phases:?}");
    }
}
