//! Settings through the binary: flags > environment > file > default, and errors that say where and what to do.

use crate::support::{Ended, World, bare_command};

/// Which report `verify` writes tells which layer won.
#[test]
fn flags_beat_the_environment_beats_the_file_beats_the_default() {
    let world = World::new();
    world.avatars(1);
    let run = |environment: Option<&str>, arguments: &[&str]| {
        let mut command = world.command(&world.database.url(), &[&["verify"], arguments].concat());
        command.envs(environment.map(|name| ("AVATAR_MIGRATE_REPORT", name)));
        let ended = Ended::of(&command.output().expect("the program starts"), world.directory.path()).exits(3);
        ended.json["report"].as_str().expect("a name").to_owned()
    };
    assert_eq!(run(None, &[]), "avatarMigrate-verify.csv");
    std::fs::write(world.directory.path().join("avatarMigrate.toml"), "report = \"file.csv\"\n").expect("a file");
    assert_eq!(run(None, &[]), "file.csv");
    assert_eq!(run(Some("variable.csv"), &[]), "variable.csv");
    assert_eq!(run(Some("variable.csv"), &["--report", "flag.csv"]), "flag.csv");
    std::fs::write(world.directory.path().join("other.toml"), "report = \"other.csv\"\n").expect("a file");
    assert_eq!(run(None, &["--config", "other.toml"]), "other.csv");
}

/// Arguments, variables, and what standard error must hold.
type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn errors_name_the_place_and_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("bad.toml"), "surce-bucket = \"x\"\n").expect("a file");
    let cases: &[Case] = &[
        (&["verify", "--config", "bad.toml"], &[], &["surce-bucket", "bad.toml", "source-bucket"]),
        (&["verify", "--config", "none.toml"], &[], &["none.toml"]),
        (&["verify"], &[("AVATAR_MIGRATE_TARGT_BUCKET", "x")], &["AVATAR_MIGRATE_TARGT_BUCKET", "TARGET_BUCKET"]),
        (&["verify"], &[], &["--database-url"]),
        (&["verify", "--database-url", "postgres://u:hunter2@h/d"], &[], &["--database-url", "mysql://"]),
        (&["verify", "--database-url", "mysql://u:hunter2@h:1/d?sslmode=x"], &[], &["sslmode", "ssl-mode"]),
        (&["verify", "--database-url", "mysql://u:hunter2@h:99999/d"], &[], &["the port", "65535"]),
        (&["verify", "--database-url", "mysql://u:hunter2@h:1"], &[], &["database"]),
        (
            &["verify", "--database-url", "mysql://u@h/d", "--target-bucket", "legacy-s3", "--modern-prefix", "image/"],
            &[],
            &["image/"],
        ),
        (&["copy", "--database-url", "mysql://u@h/d", "--concurrency", "many"], &[], &["--concurrency", "many"]),
        (&["copy", "--database-url", "mysql://u@h/d", "--lock-wait", "soon"], &[], &["--lock-wait", "soon"]),
        (&["finalize", "--database-url", "mysql://u@h/d", "--orphans", "burn"], &[], &["--orphans", "copy"]),
        (&["copy", "--nonsense"], &[], &["--nonsense"]),
        (&["cpy"], &[], &["cpy", "copy"]),
        (&["legacy-s3", "production-s3", "mysql://h/d", "user"], &[], &["DATABASE_PASSWORD"]),
    ];
    for (arguments, environment, expected) in cases {
        let mut command = bare_command(directory.path());
        command.args(*arguments).envs(environment.iter().copied());
        let ended = Ended::of(&command.output().expect("the program starts"), directory.path()).exits(2);
        for text in *expected {
            assert!(ended.stderr.contains(text), "{arguments:?}: no {text} in\n{}", ended.stderr);
        }
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn what_cannot_be_reached_is_named_with_a_hint() {
    let world = World::new();
    world.avatars(1);
    let port = world.database.mariadb().port().to_string();
    let url = world.database.url();
    let cases: &[(String, &[&str], &[&str])] = &[
        (url.replacen(&port, "1", 1), &[], &["127.0.0.1:1", "host and port of --database-url"]),
        (url.replacen("root:", "root:not", 1), &[], &["user name and the password"]),
        (format!("{url}x"), &[], &["database's name"]),
        (url.clone(), &["--source-bucket", "nowhere"], &["nowhere", "--source-bucket"]),
        (
            url.clone(),
            &["--method", "stream", "--target-endpoint-url", "http://127.0.0.1:1"],
            &["--target-endpoint-url", "server is running"],
        ),
        (url.clone(), &["--source-profile", "nobody", "--target-profile", "nobody"], &["nobody", "--source-profile"]),
        (url.clone(), &["--reference", "avatars.pth"], &["avatars.pth", "text columns of `avatars` are: path"]),
        (url.clone(), &["--reference", "avatar.path"], &["`avatar` is no base table"]),
    ];
    for (url, arguments, expected) in cases {
        let ended = world.run_as(url, &[&["copy"], *arguments].concat()).exits(2);
        for text in *expected {
            assert!(ended.stderr.contains(text), "{arguments:?}: no {text} in\n{}", ended.stderr);
        }
        assert!(ended.stderr.contains(" hint: "), "{}", ended.stderr);
    }
}
