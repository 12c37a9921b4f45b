//! The servers start, serve, survive a kill, and leave nothing behind.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use avatar_migrate_kit::{Mariadb, MariadbOptions, Seaweed};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{Connection, Row};

#[tokio::test]
async fn databases_are_separate_and_named_as_in_production() -> anyhow::Result<()> {
    let (one, two) = (Mariadb::shared().database(), Mariadb::shared().database());
    assert_ne!(one.name(), two.name());
    assert!(one.name().starts_with("production-db-"));
    one.execute("CREATE TABLE avatars (id INT PRIMARY KEY, path VARCHAR(255)); INSERT INTO avatars VALUES (1, 'a')")?;
    let row = sqlx::query("SELECT COUNT(*) FROM avatars").fetch_one(&one.pool()).await?;
    assert_eq!(row.get::<i64, _>(0), 1);
    assert!(sqlx::query("SELECT COUNT(*) FROM avatars").fetch_one(&two.pool()).await.is_err());
    let mut by_url = MySqlConnection::connect(&one.url()).await?;
    let settings = sqlx::query("SELECT @@log_bin, @@binlog_format, DATABASE()").fetch_one(&mut by_url).await?;
    assert_eq!(settings.get::<i64, _>(0), 1);
    assert_eq!(settings.get::<String, _>(1), "ROW");
    assert_eq!(settings.get::<String, _>(2), one.name());
    Ok(())
}

#[tokio::test]
async fn users_have_only_their_grants_and_hard_passwords() -> anyhow::Result<()> {
    let mariadb = Mariadb::shared();
    let database = mariadb.database();
    database.execute("CREATE TABLE avatars (id INT PRIMARY KEY); INSERT INTO avatars VALUES (1)")?;
    let grant = format!("GRANT SELECT ON `{}`.* TO {{user}}", database.name());
    let (name, password) = mariadb.user(&[&grant])?;
    let by_fields = MySqlConnectOptions::new()
        .host("127.0.0.1")
        .port(mariadb.port())
        .username(&name)
        .password(&password)
        .database(database.name());
    for mut user in [
        MySqlConnection::connect_with(&by_fields).await?,
        MySqlConnection::connect(&mariadb.user_url(&name, &password, database.name())).await?,
    ] {
        sqlx::query("SELECT * FROM avatars").fetch_one(&mut user).await?;
        assert!(sqlx::query("DELETE FROM avatars").execute(&mut user).await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn an_instance_survives_a_hard_kill_and_is_gone_when_dropped() -> anyhow::Result<()> {
    let extra = vec!["--innodb-lock-wait-timeout=7".to_owned()];
    let mariadb = Mariadb::start(MariadbOptions { extra, ..MariadbOptions::default() })?;
    let database = mariadb.database();
    database.execute("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)")?;
    mariadb.kill_hard()?;
    assert!(mariadb.connect(database.name()).await.is_err());
    mariadb.restart()?;
    let mut root = database.connect().await?;
    let row = sqlx::query("SELECT COUNT(*), @@innodb_lock_wait_timeout FROM t").fetch_one(&mut root).await?;
    assert_eq!((row.get::<i64, _>(0), row.get::<u64, _>(1)), (2, 7));

    let (directory, pid) = (mariadb.directory().to_owned(), mariadb.pid().context("it runs")?);
    assert!(directory.exists());
    drop(mariadb);
    ensure!(!directory.exists(), "{} was left behind", directory.display());
    ensure!(!is_running(pid), "mariadbd {pid} still runs");
    Ok(())
}

#[test]
fn a_refused_argument_is_told_with_the_log() {
    let options = MariadbOptions { extra: vec!["--no-such-option".to_owned()], ..MariadbOptions::default() };
    let error = Mariadb::start(options).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains("no-such-option"), "{error}");
}

#[tokio::test]
async fn seaweed_holds_a_hundred_buckets() -> anyhow::Result<()> {
    let seaweed = Seaweed::shared();
    let client = seaweed.client();
    let buckets: Vec<String> = (0..100).map(|_| seaweed.bucket("many")).collect();
    let puts = buckets.iter().map(|bucket| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
        client.put_object().bucket(bucket).key("image/a").body(body).send()
    });
    futures::future::try_join_all(puts).await?;
    Ok(())
}

/// The counts are the server's own, of all its clients: an instance of one's own has no others.
#[tokio::test]
async fn seaweed_counts_its_requests() -> anyhow::Result<()> {
    let seaweed = Seaweed::start()?;
    let (client, bucket) = (seaweed.client(), seaweed.bucket("counted"));
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
    client.put_object().bucket(&bucket).key("image/a").body(body).send().await?;
    let before = seaweed.requests()?;
    for n in 0..7 {
        let copy = client.copy_object().copy_source(format!("{bucket}/image/a"));
        copy.bucket(&bucket).key(format!("avatar/{n}")).send().await?;
    }
    client.list_objects_v2().bucket(&bucket).send().await?;
    let after = seaweed.requests()?;
    let more = |kind: &str| after.get(kind).copied().unwrap_or(0) - before.get(kind).copied().unwrap_or(0);
    assert_eq!((more("COPY"), more("LIST")), (7, 1), "{before:?} {after:?}");
    assert_eq!(after.values().sum::<u64>() - before.values().sum::<u64>(), 8);
    Ok(())
}

/// This process plays a test which is killed: the servers of its statics must not outlive it.
#[test]
fn servers_do_not_outlive_a_killed_process() -> anyhow::Result<()> {
    if std::env::var_os("KIT_VICTIM").is_some() {
        let (mariadb, seaweed) = (Mariadb::shared(), Seaweed::shared());
        let facts =
            |pid: Option<u32>, directory: &std::path::Path| format!("{} {}\n", pid.unwrap_or(0), directory.display());
        let text =
            facts(mariadb.pid(), mariadb.directory()) + &facts(seaweed.pid(), seaweed.directory()) + "complete\n";
        std::fs::write(std::env::var_os("KIT_VICTIM").context("set above")?, text)?;
        std::thread::sleep(Duration::from_secs(120));
        return Ok(());
    }
    let told = tempfile::NamedTempFile::new()?;
    let mut victim = std::process::Command::new(std::env::current_exe()?)
        .args(["--exact", "servers_do_not_outlive_a_killed_process"])
        .env("KIT_VICTIM", told.path())
        .stdout(std::process::Stdio::null())
        .spawn()?;
    wait_for("the victim's servers", || {
        std::fs::read_to_string(told.path()).is_ok_and(|text| text.ends_with("complete\n"))
    })?;
    victim.kill()?;
    victim.wait()?;
    for line in std::fs::read_to_string(told.path())?.lines().filter(|line| *line != "complete") {
        let (pid, directory) = line.split_once(' ').context("pid and directory")?;
        let pid = pid.parse()?;
        wait_for("the servers' end", || !is_running(pid) && !std::path::Path::new(directory).exists())?;
    }
    Ok(())
}

fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn wait_for(what: &str, done: impl Fn() -> bool) -> anyhow::Result<()> {
    let started = Instant::now();
    while !done() {
        ensure!(started.elapsed() < Duration::from_secs(90), "{what}: not within 90 s");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
