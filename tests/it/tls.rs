//! TLS to MariaDB and S3: what is asked for is demanded, and what is wrong is said with what to do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use avatar_migrate_kit::{Authority, Certificate, Mariadb, MariadbOptions, TlsFront, Validity};

use crate::support::{AVATARS, Ended, World};
use crate::wire::{Rogue, Stripper};

/// Certificates of one authority, right and wrong, for servers on 127.0.0.1.
struct Certificates {
    authority: Authority,
    right: Certificate,
    other_name: Certificate,
    expired: Certificate,
}

impl Certificates {
    fn new() -> Self {
        let authority = Authority::new().expect("an authority");
        let issue = |name, validity| authority.issue(name, validity).expect("a certificate");
        let right = issue("127.0.0.1", Validity::Now);
        let other_name = issue("db.example.org", Validity::Now);
        let expired = issue("127.0.0.1", Validity::Expired);
        Self { authority, right, other_name, expired }
    }

    /// The authority as a file in this directory.
    fn write_authority(&self, directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name);
        std::fs::write(&path, self.authority.pem()).expect("a file");
        path
    }
}

/// A private MariaDB with TLS, whose certificate can be exchanged while it runs.
struct MariadbWithTls {
    mariadb: Mariadb,
    directory: tempfile::TempDir,
}

impl MariadbWithTls {
    fn start(certificate: &Certificate) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::write(directory.path(), certificate);
        let at = |flag: &str, name: &str| format!("--ssl-{flag}={}", directory.path().join(name).display());
        let extra = vec![at("cert", "cert.pem"), at("key", "key.pem")];
        let mariadb = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() }).expect("MariaDB with TLS");
        Self { mariadb, directory }
    }

    fn write(directory: &Path, certificate: &Certificate) {
        std::fs::write(directory.join("cert.pem"), &certificate.certificate).expect("a file");
        std::fs::write(directory.join("key.pem"), &certificate.key).expect("a file");
    }

    fn show(&self, certificate: &Certificate) {
        Self::write(self.directory.path(), certificate);
        self.mariadb.execute("FLUSH SSL").expect("new certificates");
    }
}

#[track_caller]
fn says(ended: &Ended, texts: &[&str]) {
    for text in texts {
        assert!(ended.stderr.contains(text), "no {text:?} in\n{}", ended.stderr);
    }
}

#[test]
fn mariadb_is_verified_by_authority_name_and_date() {
    let world = World::bare();
    let certificates = Certificates::new();
    let (authority, stranger) = (
        certificates.write_authority(world.directory.path(), "ca.pem"),
        Certificates::new().write_authority(world.directory.path(), "stranger.pem"),
    );
    let (authority, stranger) = (authority.display().to_string(), stranger.display().to_string());
    let server = MariadbWithTls::start(&certificates.right);
    let database = server.mariadb.database();
    database.execute(AVATARS).expect("a table");
    // Only who comes encrypted is let in, so that a fall-back to plain text would be seen.
    let (user, password) =
        server.mariadb.user(&[&format!("GRANT ALL ON `{}`.* TO {{user}}", database.name())]).expect("a user");
    server.mariadb.execute(&format!("ALTER USER '{user}'@'127.0.0.1' REQUIRE SSL")).expect("REQUIRE SSL");
    let url = server.mariadb.user_url(&user, &password, database.name());
    world.target("avatar/avatar-1.png", "image/avatar-1.png");
    database.execute("INSERT INTO avatars (path) VALUES ('avatar/avatar-1.png')").expect("a row");
    let verify = |flags: &[&str]| world.run_as(&url, &[&["verify"], flags].concat());
    let by = |ca: &str| verify(&["--database-tls", "verify", "--database-ca", ca]);

    let verified = by(&authority);
    assert_eq!(verified.number("/rows/modern"), 1, "{}", verified.stderr);
    assert_eq!(verify(&["--database-ca", &authority]).number("/rows/modern"), 1);
    let hint = "--database-ca";
    says(&by(&stranger).exits(2), &["UnknownIssuer", "nobody who is trusted", hint]);
    says(&verify(&["--database-tls", "verify"]).exits(2), &["nobody who is trusted", hint]);
    for unverified in ["preferred", "required"] {
        assert_eq!(verify(&["--database-tls", unverified]).number("/rows/modern"), 1);
    }
    server.show(&certificates.other_name);
    says(&by(&authority).exits(2), &["not valid for name", "made for another name"]);
    server.show(&certificates.expired);
    says(&by(&authority).exits(2), &["certificate expired", "renew the server's certificate"]);
    server.show(&certificates.right);
    assert_eq!(by(&authority).number("/rows/modern"), 1, "the same server with the right certificate again");
    for (file, why) in [("garbage.pem", "holds no certificate"), ("none.pem", "cannot read")] {
        std::fs::write(world.directory.path().join("garbage.pem"), "garbage").expect("a file");
        says(&by(file).exits(2), &["--database-ca", file, why]);
    }
    says(
        &verify(&["--database-tls", "required", "--database-ca", &authority]).exits(2),
        &["nothing is verified by it"],
    );
}

#[test]
fn what_must_be_encrypted_never_goes_in_plain_text() {
    let world = World::new();
    world.avatars(1);
    // The shared MariaDB has no TLS; the other one has it, and a man in the middle takes it away.
    let certificates = Certificates::new();
    let authority = certificates.write_authority(world.directory.path(), "ca.pem").display().to_string();
    let server = MariadbWithTls::start(&certificates.right);
    let database = server.mariadb.database();
    for (tls, flags) in [("required", &[][..]), ("verify", &["--database-ca", &authority])] {
        let arguments = [&["copy", "--database-tls", tls], flags].concat();
        says(&world.run(&arguments).exits(2), &["server does not support TLS", "set up TLS on the server"]);
        let stripper = Stripper::before(server.mariadb.port());
        let url = database.url().replacen(&server.mariadb.port().to_string(), &stripper.port().to_string(), 1);
        says(&world.run_as(&url, &arguments).exits(2), &["server does not support TLS"]);
        assert_eq!(stripper.heard(), b"", "{tls}: something was said in plain text");
    }
}

#[test]
fn a_rogue_server_that_asks_for_the_password_does_not_get_it() {
    let world = World::new();
    let certificates = Certificates::new();
    let authority = certificates.write_authority(world.directory.path(), "ca.pem").display().to_string();
    for plugin in ["mysql_clear_password", "sha256_password", "caching_sha2_password", "mysql_native_password"] {
        for (tls, flags) in [("required", &[][..]), ("verify", &["--database-ca", &authority])] {
            let rogue = Rogue::asking_for(plugin);
            let url = format!("mysql://user:planted-canary@127.0.0.1:{}/d", rogue.port());
            world.run_as(&url, &[&["verify", "--database-tls", tls], flags].concat()).exits(2);
            assert_eq!(rogue.heard(), b"", "{tls}, {plugin}");
        }
    }
    // After the greeting of an honest server: the switch to a plugin that takes the password as it is, or under a key
    // that the asking server chose.
    for plugin in ["mysql_clear_password", "sha256_password"] {
        let rogue = Rogue::switching_to(plugin);
        let url = format!("mysql://user:planted-canary@127.0.0.1:{}/d", rogue.port());
        let ended = world.run_as(&url, &["verify"]);
        assert!([1, 2].contains(&ended.code), "{}", ended.stderr);
        let heard = rogue.heard();
        assert!(!heard.is_empty() && !heard.windows(14).any(|part| part == b"planted-canary"), "{plugin}");
    }
}

#[test]
fn unverified_and_open_connections_off_this_host_are_warned_of() {
    let world = World::new();
    let warning = "is not verified: whoever answers";
    for flags in [&[][..], &["--database-tls", "required"]] {
        let ended = world.run_as("mysql://u@db.invalid/d", &[&["verify"], flags].concat()).exits(2);
        says(&ended, &["WARN", warning]);
    }
    let verified = world.run_as("mysql://u@db.invalid/d?ssl-mode=VERIFY_IDENTITY", &["verify"]).exits(2);
    assert!(!verified.stderr.contains(warning), "{}", verified.stderr);
    let local = world.run(&["verify"]);
    assert!(!local.stderr.contains(warning) && !local.stderr.contains("not encrypted"), "{}", local.stderr);
    let open = ["verify", "--source-endpoint-url", "http://s3.invalid", "--target-endpoint-url", "http://s3.invalid"];
    let ended = world.run(&open).exits(2);
    says(
        &ended,
        &["connection to the source bucket is not encrypted", "connection to the target bucket is not encrypted"],
    );
}

#[test]
fn s3_is_verified_by_authority_name_and_date() {
    let world = World::new();
    world.avatars(2);
    let certificates = Certificates::new();
    let authority = certificates.write_authority(world.directory.path(), "ca.pem");
    let stranger = Certificates::new().write_authority(world.directory.path(), "stranger.pem");
    let plain: SocketAddr = world.s3.endpoint().trim_start_matches("http://").parse().expect("an address");
    let copy = |port: u16, variable: &str, bundle: &Path| {
        let url = format!("https://127.0.0.1:{port}");
        let flags = ["copy", "--source-endpoint-url", &url, "--target-endpoint-url", &url];
        let mut command = world.command(&world.database.url(), &flags);
        command.env(variable, bundle);
        Ended::of(&command.output().expect("it starts"), world.directory.path())
    };
    let bundle = "AWS_CA_BUNDLE";
    for (certificate, bundle_file, texts) in [
        (&certificates.other_name, &authority, ["not valid for name", "made for another name"]),
        (&certificates.expired, &authority, ["certificate expired", "renew the server's certificate"]),
        (&certificates.right, &stranger, ["nobody who is trusted", bundle]),
    ] {
        let front = TlsFront::start(plain, certificate).expect("a door with TLS");
        says(&copy(front.port(), bundle, bundle_file).exits(2), &texts);
    }
    says(&copy(plain.port(), bundle, &authority).exits(2), &["does not speak TLS"]);
    assert!(world.s3.requests().is_empty(), "a request came through");
    let missing = world.directory.path().join("none.pem");
    says(&copy(plain.port(), bundle, &missing).exits(2), &["variable AWS_CA_BUNDLE: cannot read"]);

    let front = TlsFront::start(plain, &certificates.right).expect("a door with TLS");
    assert_eq!(copy(front.port(), bundle, &authority).exits(0).number("/rows/updated"), 2);
    assert_eq!(copy(front.port(), "SSL_CERT_FILE", &authority).exits(0).number("/rows/updated"), 0);
    world.every_row_resolves();
}
