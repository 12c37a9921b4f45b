//! What is printed, as texts: `UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use crate::process::Running;
use crate::support::bare_command;

const FILES: [(&str, &str); 4] =
    [("nginx", "nginx.conf"), ("haproxy", "haproxy.cfg"), ("cloudfront", "cloudfront.js"), ("s3", "s3.json")];

#[test]
fn the_configurations_are_the_golden_ones() {
    let directory = tempfile::tempdir().expect("a directory");
    for (format, ending) in FILES {
        for stage in ["dual-read", "redirect"] {
            let mut command = bare_command(directory.path());
            command.args(["redirect", "--format", format, "--stage", stage, "--resolver", "10.0.0.2"]);
            command.args(["--source-region", "eu-central-1", "--target-region", "eu-central-1"]);
            command.args(["--modern-url", "https://www.example.org/"]);
            let printed = Running::start(command).ended().exits(0);
            compare(&format!("redirect-{stage}-{ending}"), &printed.stdout);
        }
    }
}

fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("a writable golden file");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{file} differs; if it should, run the test with UPDATE_GOLDEN=1");
}
