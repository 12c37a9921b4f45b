//! From settings to clients: whose keys, which endpoint, what a probe says, what is counted.

use std::time::Duration;

use anyhow::{Context, ensure};
use avatar_migrate::config::BucketConfig;
use avatar_migrate::store::{
    Copier, CopyGuard, CopyObjects, Reach, ReadObjects, Requests, StoreErrorKind, Stores, connect,
};
use avatar_migrate_kit::EmbeddedS3;

use crate::{SIZES, embedded, info, key};

/// Run by [`settings_beat_the_environment`] in a process of its own: an environment cannot be changed safely in this
/// one.
#[tokio::test]
#[ignore = "a part of another test"]
async fn connect_as_the_environment_says() -> anyhow::Result<()> {
    let settings = BucketConfig {
        bucket: "legacy-s3".to_owned(),
        profile: std::env::var("TEST_PROFILE").ok(),
        region: None,
        endpoint_url: std::env::var("TEST_ENDPOINT").ok(),
    };
    let reach = Reach { authority: None, request_timeout: Duration::from_secs(60), requests_per_second: None };
    let outcome = match connect(&settings, &settings, reach).await {
        Ok(stores) => stores.source.probe("image/").await,
        Err(error) => Err(error),
    };
    let text = outcome.map_or_else(|error| format!("{:?} {error}", error.kind), |()| "reached".to_owned());
    std::fs::write(std::env::var("TEST_OUTCOME")?, text)?;
    Ok(())
}

#[test]
fn settings_beat_the_environment() -> anyhow::Result<()> {
    let server = EmbeddedS3::start()?;
    server.create_bucket("legacy-s3");
    let directory = tempfile::tempdir()?;
    let (file, outcome) = (directory.path().join("aws"), directory.path().join("outcome"));
    let keys = |id: &str| format!("aws_access_key_id = {id}\naws_secret_access_key = {}\n", server.secret_key());
    std::fs::write(&file, format!("[good]\n{}[bad]\n{}", keys(server.access_key()), keys("AKIAWRONG")))?;
    let connect = |environment: &[(&str, &str)]| -> anyhow::Result<String> {
        let mut child = std::process::Command::new(std::env::current_exe()?);
        child.args(["--exact", "--ignored", "--quiet", "connecting::connect_as_the_environment_says"]).env_clear();
        child
            .env("AWS_SHARED_CREDENTIALS_FILE", &file)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("TEST_OUTCOME", &outcome);
        child.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().copied());
        ensure!(child.output()?.status.success(), "the child failed");
        Ok(std::fs::read_to_string(&outcome)?)
    };
    let wrong = [("AWS_ACCESS_KEY_ID", "AKIAWRONG"), ("AWS_SECRET_ACCESS_KEY", "planted-secret")];
    let [wrong_id, wrong_key] = wrong;
    let endpoint = server.endpoint();
    for (environment, expected) in [
        (vec![wrong_id, wrong_key, ("TEST_PROFILE", "good"), ("TEST_ENDPOINT", endpoint)], "reached"),
        (vec![("TEST_PROFILE", "good"), ("AWS_ENDPOINT_URL_S3", endpoint)], "reached"),
        (vec![("AWS_PROFILE", "good"), ("AWS_ENDPOINT_URL", endpoint)], "reached"),
        (vec![("TEST_PROFILE", "bad"), ("TEST_ENDPOINT", endpoint)], "Credentials "),
        (vec![wrong_id, wrong_key, ("TEST_ENDPOINT", endpoint)], "Credentials "),
        (vec![("TEST_ENDPOINT", endpoint)], "Credentials "),
        (
            vec![("TEST_PROFILE", "good")],
            "Other connect of s3://legacy-s3 failed: no region is set: give --source-region",
        ),
    ] {
        let outcome = connect(&environment)?;
        ensure!(outcome.starts_with(expected), "{environment:?}: {outcome}");
        ensure!(!outcome.contains("planted-secret") && !outcome.contains(server.secret_key()), "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn a_probe_says_what_is_wrong() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    stores.source.probe("image/").await?;
    let client = server.client();
    let wrong = Stores::from_clients((&client, "no-such-bucket"), (&client, "production-s3"));
    let error = wrong.source.probe("image/").await.err().context("no error")?;
    assert_eq!(error.kind, StoreErrorKind::NoSuchBucket);
    let elsewhere =
        aws_sdk_s3::Client::from_conf(client.config().to_builder().endpoint_url("http://127.0.0.1:1").build());
    let unreachable = Stores::from_clients((&elsewhere, "legacy-s3"), (&client, "production-s3"));
    let error = unreachable.source.probe("image/").await.err().context("no error")?;
    assert_eq!(error.kind, StoreErrorKind::Unreachable);
    assert!(error.message.contains("Connection refused"), "{error}");
    Ok(())
}

#[tokio::test]
async fn requests_are_counted() -> anyhow::Result<()> {
    let (server, stores) = embedded()?;
    server.put("legacy-s3", "image/a", "abc");
    let source = info(&stores.source, "image/a").await?;
    let copier = Copier::new(stores.source.clone(), stores.target.clone(), SIZES);
    copier.copy(&source, &key("avatar/a")?, &CopyGuard::Absent).await?;
    stores.target.list("avatar/", None, None).await?;
    stores.target.sha256(&source).await?;
    let expected = Requests { list: 1, head: 1, get: 1, copy: 1, ..Requests::default() };
    assert_eq!(stores.requests.snapshot(), expected);
    Ok(())
}
