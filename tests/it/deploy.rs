//! deploy/kubernetes and deploy/aws-batch against what their engines publish, and against the program that they start.
//! deploy/slurm runs on a real Slurm: `slurm.rs`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use avatar_migrate::cli::arguments;
use avatar_migrate::config;
use avatar_migrate::failure::Exit;
use avatar_migrate_kit::{aws_cli, kubectl, kubernetes_validate, python};
use serde_json::Value;

/// The oldest Kubernetes whose failure policies are stable, and the newest one with schemas here.
const KUBERNETES: [&str; 2] = ["1.31", "1.37"];
/// Endings of the whole run, after which another try would say the same. All others may be one worker's own, as a connection
/// that cannot be made from its machine (2): another one tries.
const FOR_A_PERSON: [Exit; 3] = [Exit::Left, Exit::Refused, Exit::Locked];

#[test]
fn kubernetes_takes_what_kustomize_builds() {
    let built = built();
    for version in KUBERNETES {
        let said = validated(version, &built);
        assert!(said.status.success(), "{version}: {}", text(&said));
    }
    let misspelt = validated(KUBERNETES[1], &built.replacen("runAsNonRoot:", "runAsNonroot:", 1));
    assert!(!misspelt.status.success() && text(&misspelt).contains("runAsNonroot"), "{}", text(&misspelt));
}

#[test]
fn jobs_of_kubernetes_start_what_the_program_has() {
    let jobs = jobs();
    let names: Vec<&Value> = jobs.iter().map(|job| &job["metadata"]["name"]).collect();
    assert_eq!(names, ["avatar-migrate-copy", "avatar-migrate-finalize", "avatar-migrate-verify"]);
    for job in &jobs {
        let pod = &job["spec"]["template"]["spec"];
        takes(&pod["containers"][0]["args"], &pod["containers"][0]["env"]);
        let rules = job["spec"]["podFailurePolicy"]["rules"].as_array().expect("rules");
        let given_up = rules.iter().find(|rule| rule["action"] == "FailJob").expect("a rule that gives up");
        let codes: Vec<Value> = FOR_A_PERSON.map(|exit| exit.code().into()).into();
        assert_eq!(given_up["onExitCodes"]["values"], Value::Array(codes), "{job}");
        // What deletes, and what only a person can judge, waits until a person starts it.
        let waits = job["metadata"]["name"] != "avatar-migrate-copy";
        assert_eq!(job["spec"]["suspend"].as_bool().unwrap_or(false), waits, "{job}");
    }
    let copy = &jobs[0]["spec"];
    assert!(copy["parallelism"].as_u64() > Some(1) && copy["completions"].is_null(), "a queue of work: {copy}");
}

#[test]
fn pods_have_no_rights_that_they_do_not_need() {
    for job in jobs() {
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(pod["automountServiceAccountToken"], false, "{job}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{job}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{job}");
        let wanted = serde_json::json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}
        });
        assert_eq!(container["securityContext"], wanted, "{job}");
        for value in container["env"].as_array().expect("variables") {
            assert!(value["value"].is_null(), "a secret comes by reference: {value}");
        }
    }
}

#[test]
fn aws_batch_takes_the_definition_and_the_jobs() {
    let (folder, scratch) = (deploy("aws-batch"), tempfile::tempdir().expect("a directory"));
    let definition = folder.join("job-definition.json");
    let said = aws("register-job-definition", &definition, scratch.path());
    assert!(said.status.success(), "{}", text(&said));
    for job in ["copy", "verify", "finalize"] {
        let said = aws("submit-job", &folder.join(format!("{job}.json")), scratch.path());
        assert!(said.status.success(), "{job}: {}", text(&said));
    }
    let misspelt = scratch.path().join("misspelt.json");
    let wrong = std::fs::read_to_string(&definition).expect("a definition").replace("onExitCode", "onExitcode");
    std::fs::write(&misspelt, wrong).expect("a file");
    let said = aws("register-job-definition", &misspelt, scratch.path());
    assert!(!said.status.success() && text(&said).contains("onExitcode"), "{}", text(&said));
}

#[test]
fn jobs_of_aws_batch_start_what_the_program_has() {
    let definition = json(&deploy("aws-batch").join("job-definition.json"));
    let container = &definition["containerProperties"];
    for job in ["copy", "verify", "finalize"] {
        let job = json(&deploy("aws-batch").join(format!("{job}.json")));
        assert_eq!(job["jobDefinition"], definition["jobDefinitionName"]);
        let command = job.pointer("/containerOverrides/command").unwrap_or(&container["command"]);
        takes(command, &container["environment"]);
        // A job of one is no array: AWS Batch refuses it.
        assert_ne!(job.pointer("/arrayProperties/size").and_then(Value::as_u64), Some(1), "{job}");
    }
    let rules = definition["retryStrategy"]["evaluateOnExit"].as_array().expect("rules");
    assert!(rules.len() <= 5, "AWS Batch takes no more than five rules");
    let given_up = rules.iter().filter(|rule| rule["action"] == "EXIT").map(|rule| rule["onExitCode"].clone());
    let codes = FOR_A_PERSON.map(|exit| Value::from(exit.code().to_string()));
    assert_eq!(given_up.collect::<Vec<_>>(), codes, "{definition}");
}

/// Demands that the program takes these arguments and variables, values included, with the settings that pods are given.
#[track_caller]
fn takes(arguments: &Value, variables: &Value) {
    let settings = deploy("kubernetes").join("avatarMigrate.toml").display().to_string();
    let words = arguments.as_array().expect("arguments").iter().map(|word| word.as_str().expect("a text"));
    let words = words.map(|word| if word == "/etc/avatar-migrate/avatarMigrate.toml" { &settings } else { word });
    let words = std::iter::once(arguments::PROGRAM).chain(words).map(OsString::from);
    let parsed = arguments::parse(words).unwrap_or_else(|error| panic!("{arguments}: {error}"));
    let text = |pair: &Value, key: &str| OsString::from(pair[key].as_str().unwrap_or("in a secret"));
    let variables = variables.as_array().expect("variables").iter();
    let variables = variables.map(|pair| (text(pair, "name"), text(pair, "value")));
    let nowhere = tempfile::tempdir().expect("a directory");
    if let Err(error) = config::load(parsed, variables, nowhere.path()) {
        panic!("{arguments}: {error}");
    }
}

/// All that `kubectl apply -k` would send.
fn built() -> String {
    let output = Command::new(kubectl().expect("kubectl")).arg("kustomize").arg(deploy("kubernetes")).output();
    let output = output.expect("kubectl runs");
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).expect("text")
}

fn jobs() -> Vec<Value> {
    let to_json = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)";
    let output = fed(Command::new(python().expect("Python")).args(["-c", to_json]), &built());
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    all.into_iter().filter(|one| one["kind"] == "Job").collect()
}

fn validated(version: &str, manifests: &str) -> Output {
    let program = kubernetes_validate().expect("kubernetes-validate");
    fed(Command::new(program).args(["--strict", "--kubernetes-version", version, "-"]), manifests)
}

/// Compares a file with the model of AWS's interface that its command line has; nothing is sent.
fn aws(operation: &str, file: &Path, home: &Path) -> Output {
    let mut command = Command::new(aws_cli().expect("the AWS CLI"));
    command.env_clear().env("HOME", home).args(["--region", "us-east-1", "batch", operation]);
    command.arg("--cli-input-json").arg(format!("file://{}", file.display()));
    command.args(["--generate-cli-skeleton", "output"]).output().expect("the AWS CLI runs")
}

fn fed(command: &mut Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn deploy(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(engine)
}

fn json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
