//! Metrics while a command lasts, read by the parser of the Prometheus project; and whose log lines are whose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Gate, Running, until};
use crate::support::World;

/// A copy that stands still before its last object, and where its metrics are.
fn at_work(world: &World) -> (Running, Gate, String) {
    world.avatars(6);
    let gate = Gate::nth(&world.s3, "CopyObject", 6);
    let mut running = world.start(&["copy", "--concurrency", "1", "--metrics-address", "127.0.0.1:0"]);
    until("it says where", || running.has_said("/metrics\n"));
    let said = running.said();
    let (_, address) = said.split_once("metrics: http://").expect("an address");
    let address = address.split('/').next().expect("an address").to_owned();
    gate.wait();
    (running, gate, address)
}

/// The answer to one request: status line and headers, and the body.
fn asked(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    write!(stream, "{request} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// The samples as the parser of the Prometheus project reads them, a line each.
fn parsed(text: &str) -> Vec<String> {
    let python = avatar_migrate_kit::python().unwrap_or_else(|error| panic!("{error:#}"));
    let code = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
                for family in parse(sys.stdin.read()):\n for s in family.samples: print(s.name, sorted(s.labels.items()), s.value)";
    let mut child = Command::new(python)
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("a text");
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "not OpenMetrics:\n{text}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn metrics_can_be_fetched_while_it_runs() {
    let world = World::new();
    let (running, gate, address) = at_work(&world);
    let (head, body) = asked(&address, "GET /metrics");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("application/openmetrics-text"), "{head}");
    let samples = parsed(&body);
    let copies = world.s3.requests()["CopyObject"];
    for sample in [
        "avatar_migrate_s3_requests_total [('operation', 'copy')] {copies}",
        "avatar_migrate_phase_planned [('phase', 'copy'), ('unit', 'objects')] 6",
        "avatar_migrate_phase_done_total [('phase', 'plan'), ('unit', 'rows')] 6",
        "avatar_migrate_phase_running [('phase', 'plan'), ('unit', 'rows')] 0",
        "avatar_migrate_concurrency [] 1",
        "avatar_migrate_paused [] 0",
    ] {
        let sample = sample.replace("{copies}", &copies.to_string());
        assert!(samples.contains(&sample), "no {sample} in {samples:#?}");
    }
    running.signal("USR1");
    until("it is paused", || asked(&address, "GET /metrics").1.contains("avatar_migrate_paused 1\n"));
    assert!(asked(&address, "GET /").0.starts_with("HTTP/1.1 404"));
    assert!(asked(&address, "POST /metrics").0.starts_with("HTTP/1.1 405"));
    let second = world.run(&["verify", "--metrics-address", &address]).exits(2);
    assert!(second.stderr.contains(&format!("metrics cannot be served at {address}: ")), "{}", second.stderr);
    running.signal("USR1");
    gate.open();
    running.ended().exits(0);
    let wrong = world.run(&["copy", "--metrics-address", "9464"]).exits(2);
    assert!(wrong.stderr.contains("`9464` is no address with a port"), "{}", wrong.stderr);
}

#[test]
fn log_lines_say_to_which_run_window_and_object_they_belong() {
    let world = World::new();
    world.avatars(2);
    world.put("production-s3", "avatar/avatar-1.png", b"another picture".to_vec());
    let copied = world.run(&["copy", "-vv", "--log-format", "json"]).exits(3);
    let lines = copied.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let spans: Vec<serde_json::Value> =
        lines.filter(|line| line["spans"].is_array()).map(|mut line| line["spans"].take()).collect();
    let run = serde_json::json!({"name": "run", "id": copied.json["run"], "command": "copy"});
    assert!(spans.iter().any(|spans| spans[0] == run), "{}", copied.stderr);
    let deepest =
        spans.iter().find(|spans| spans[2]["name"] == "object").unwrap_or_else(|| panic!("{}", copied.stderr));
    assert_eq!((&deepest[1]["name"], &deepest[1]["objects"]), (&"window".into(), &2.into()));
    assert!(deepest[2]["key"].as_str().expect("a key").starts_with("image/avatar-"), "{deepest}");
}
