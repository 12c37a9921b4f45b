//! No secret leaves the program: not in output, reports, the ledger or the arguments of children.

use avatar_migrate_kit::Mariadb;

use crate::process::{Gate, Running};
use crate::support::{Ended, World};

/// Every way in which a password could be written down.
fn forms(secret: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // The tail is letters and digits, which no encoding changes.
    let tail = secret.get(secret.len() - 12..).expect("a long password").to_owned();
    vec![secret.to_owned(), encoded, hex, tail]
}

pub(crate) struct Canaries(Vec<String>);

impl Canaries {
    pub(crate) fn of(world: &World, password: &str) -> Self {
        let mut all = forms(password);
        all.push(world.s3.secret_key().to_owned());
        Self(all)
    }

    /// One secret more.
    pub(crate) fn and(mut self, secret: &str) -> Self {
        self.0.extend(forms(secret));
        self
    }

    #[track_caller]
    pub(crate) fn not_in(&self, place: &str, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "a secret stands in {place}");
        }
    }

    #[track_caller]
    pub(crate) fn not_in_output(&self, ended: &Ended) {
        self.not_in("standard output", &ended.stdout);
        self.not_in("standard error", &ended.stderr);
    }
}

pub(crate) fn with_user(world: &World) -> (String, String) {
    let (db, ledger) = (world.database.name(), world.ledger());
    let grants = [format!("GRANT ALL ON `{db}`.* TO {{user}}"), format!("GRANT ALL ON `{ledger}`.* TO {{user}}")];
    let (name, password) = Mariadb::shared().user(&[&grants[0], &grants[1]]).expect("a user");
    (Mariadb::shared().user_url(&name, &password, db), password)
}

#[test]
fn nowhere_when_all_goes_well() {
    let world = World::new();
    world.avatars(3);
    world.rows(&["image/avatar-gone.png"]);
    let (url, password) = with_user(&world);
    let canaries = Canaries::of(&world, &password);
    for arguments in
        [&["copy"][..], &["verify", "--report", "out.csv"], &["finalize", "--yes", "--report", "final.csv"]]
    {
        for more in [&["-v", "-v"][..], &["--format", "human"], &["-vv", "--log-format", "json"]] {
            canaries.not_in_output(&world.run_as(&url, &[arguments, more].concat()));
        }
    }
    world.sql("DELETE FROM avatars WHERE path LIKE 'image/%'");
    canaries.not_in_output(&world.run_as(&url, &["finalize", "--yes", "--report", "final.csv", "-vv"]).exits(0));
    for file in std::fs::read_dir(world.directory.path()).expect("a directory").map_while(Result::ok) {
        canaries.not_in(&file.path().display().to_string(), &std::fs::read_to_string(file.path()).unwrap_or_default());
    }
    for table in ["am_migration", "am_run", "am_object", "am_plan", "am_row_change", "am_part", "am_url"] {
        let columns = world.column(&format!(
            "SELECT column_name AS v FROM information_schema.columns WHERE table_schema = '{}' AND table_name = '{table}'",
            world.ledger()
        ));
        for column in columns {
            let values = world.column(&format!("SELECT `{column}` AS v FROM `{}`.{table}", world.ledger()));
            canaries.not_in(&format!("{table}.{column}"), &values.join("\n"));
        }
    }
}

#[test]
fn nowhere_when_it_fails() {
    let world = World::new();
    world.avatars(1);
    let (url, password) = with_user(&world);
    let canaries = Canaries::of(&world, &password);
    let port = Mariadb::shared().port().to_string();
    let encoded = url.split_once(':').and_then(|(_, rest)| rest.split_once(':')).expect("a user").1;
    let encoded = encoded.rsplit_once('@').expect("a password").0;
    let bad = [
        // A wrong password that holds the right one.
        url.replacen(encoded, &format!("x{encoded}"), 1),
        url.replacen(&port, "1", 1),
        url.replacen("mysql:", "postgres:", 1),
        url.replacen("mysql://", "mysql:/", 1),
        url.replacen("mysql://", "", 1),
        url.replacen("127.0.0.1", "no such host", 1),
        url.replacen("127.0.0.1", "no-such-host.invalid", 1),
        format!("{url}?unknown=1"),
        format!("{url}/more/path"),
        url.replacen(&port, "port", 1),
    ];
    for url in &bad {
        for arguments in [&["copy", "-vv"][..], &["verify", "--format", "human"]] {
            let ended = world.run_as(url, arguments);
            assert!(ended.code == 1 || ended.code == 2, "{url}");
            canaries.not_in_output(&ended);
        }
    }
    // The one-line form: too few values, too many, a bad flag, all of them beside the password.
    let one_line = ["legacy-s3", "production-s3", "mysql://127.0.0.1/x", "user", password.as_str()];
    for (values, flags) in [
        (&one_line[..], &["--nonsense"][..]),
        (&one_line[1..], &[]),
        (&one_line[..], &["more"]),
        (&one_line[..], &["--method", "x"]),
    ] {
        let ended = Ended::of(
            &crate::support::bare_command(world.directory.path()).args(values).args(flags).output().expect("it starts"),
            world.directory.path(),
        )
        .exits(2);
        canaries.not_in_output(&ended);
    }
    // A secret key that the server refuses.
    let mut command = world.command(&url, &["copy", "-vv"]);
    command.env("AWS_SECRET_ACCESS_KEY", format!("not{}", world.s3.secret_key()));
    let ended = Ended::of(&command.output().expect("it starts"), world.directory.path()).exits(2);
    canaries.not_in_output(&ended);
}

#[test]
fn not_in_the_arguments_of_the_process() {
    let world = World::new();
    world.avatars(1);
    let (url, password) = with_user(&world);
    let canaries = Canaries::of(&world, &password);
    let gate = Gate::nth(&world.s3, "CopyObject", 1);
    let running = Running::start(world.command(&url, &["copy"]));
    gate.wait();
    let mut seen = 0;
    for process in std::fs::read_dir("/proc").expect("/proc").map_while(Result::ok) {
        let Ok(arguments) = std::fs::read_to_string(process.path().join("cmdline")) else { continue };
        let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
        let own = process.file_name().to_string_lossy() == running.pid().to_string();
        if own || status.contains(&format!("PPid:\t{}\n", running.pid())) {
            canaries.not_in("arguments", &arguments);
            seen += 1;
        }
    }
    assert!(seen > 0);
    gate.open();
    running.ended().exits(0);
}
