//! The printed policies on a server that enforces them: an identity of SeaweedFS that may do nothing, and the policies of
//! the two buckets, which let it in.
//!
//! SeaweedFS does not know `s3:if-match`: it takes the condition for one that never holds. So conditional deletes are
//! allowed to it without the condition; that the program sends no other ones is what the embedded server is asked for.

use std::collections::BTreeSet;

use avatar_migrate_kit::Seaweed;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use serde_json::Value;

use super::rules::{Access, Rules};
use crate::s3::{OnSeaweed, Seen, Server};
use crate::support::{AVATARS, Ended, World, content};

/// A world whose buckets let the guest in for one command.
struct Guarded {
    world: World<OnSeaweed>,
    runtime: tokio::runtime::Runtime,
}

impl Guarded {
    fn new() -> Self {
        let world = World::bare_on_seaweed();
        world.sql(AVATARS);
        for key in ["image/avatar-0.png", "image/avatar-1.png"] {
            world.source(key);
            world.rows(&[key]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { world, runtime }
    }

    /// Puts the printed policies of the buckets in the place of those that were there.
    fn let_in(&self, phase: &str) -> Rules {
        let printed = self.world.run(&["policy", "--for", phase, "--principal", Seaweed::GUEST]).exits(0);
        let policies = printed.json["phases"][0]["buckets"].as_array().expect("policies").clone();
        let admin = self.client(Seaweed::client);
        let policies: Vec<Value> = policies
            .into_iter()
            .map(|policy| {
                let document = without_if_match(policy["policy"].clone());
                let bucket = policy["bucket"].as_str().expect("a name");
                let put = admin.put_bucket_policy().bucket(bucket).policy(document.to_string());
                self.runtime.block_on(put.send()).unwrap_or_else(|error| panic!("{document}: {error:?}"));
                document
            })
            .collect();
        Rules::of(&policies)
    }

    fn client(&self, of: fn(&Seaweed) -> Client) -> Client {
        let _inside = self.runtime.enter();
        of(Seaweed::shared())
    }

    /// Runs a command as the guest.
    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.world.command(&self.world.database.url(), arguments);
        let (key, secret) = Seaweed::shared().guest_keys();
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        Ended::of(&command.output().expect("it starts"), self.world.directory.path())
    }
}

fn without_if_match(mut policy: Value) -> Value {
    for statement in policy["Statement"].as_array_mut().expect("statements") {
        if statement.pointer("/Condition/Null").is_some() {
            statement.as_object_mut().expect("a statement").remove("Condition");
        }
    }
    policy
}

#[test]
fn a_server_that_enforces_them_lets_each_command_work_and_no_other_one() {
    let guarded = Guarded::new();
    guarded.run(&["copy"]).exits(2);
    guarded.let_in("verify");
    assert_eq!(guarded.run(&["verify", "--report", "out.csv"]).exits(3).number("/rows/legacy"), 2);
    guarded.run(&["copy"]).exits(2);
    guarded.let_in("copy");
    assert_eq!(guarded.run(&["copy"]).exits(0).number("/objects/copied"), 2);
    let refused = guarded.run(&["finalize", "--yes"]);
    assert!(refused.code != 0 && refused.stderr.contains("s3:ListBucket is needed"), "{}", refused.stderr);
    assert_eq!(guarded.world.s3.keys(guarded.world.s3.buckets().0).len(), 2);
    guarded.let_in("rollback");
    guarded.run(&["rollback", "--yes"]).exits(0);
    guarded.let_in("copy");
    guarded.run(&["copy"]).exits(0);
    guarded.let_in("finalize");
    assert_eq!(guarded.run(&["finalize", "--yes"]).exits(0).number("/objects/deleted"), 2);
    guarded.let_in("restore");
    guarded.run(&["rollback", "--restore-objects", "--yes"]).exits(0);
    assert_eq!(guarded.world.s3.keys(guarded.world.s3.buckets().0).len(), 2);
}

/// The judge of the other tests says yes and no where SeaweedFS does.
#[test]
fn the_judge_agrees_with_a_server() {
    let guarded = Guarded::new();
    let guest = guarded.client(Seaweed::guest);
    let (source, target) = guarded.world.s3.buckets();
    let keys =
        ["image/avatar-0.png", "avatar/a.png", "other/a.png", ".avatar-migrate/canary-x", ".avatar-migrate/other"];
    let mut verdicts = BTreeSet::new();
    for phase in ["verify", "copy", "finalize", "restore"] {
        let rules = guarded.let_in(phase);
        for bucket in [source, target] {
            for key in keys {
                guarded.world.s3.put(bucket, key, Seen::picture(content(key)));
                for access in of_key(bucket, key) {
                    let allowed = guarded.runtime.block_on(is_allowed(&guest, &access));
                    assert_eq!(rules.allows(&access).is_some(), allowed, "{phase}: {access:?}");
                    verdicts.insert((access.action, allowed));
                    // Also what was just deleted, and what others have refused to give away.
                    guarded.world.s3.put(bucket, key, Seen::picture(content(key)));
                }
            }
        }
    }
    for action in ["s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:DeleteObject"] {
        assert!(verdicts.contains(&(action, true)) && verdicts.contains(&(action, false)), "{action}: {verdicts:?}");
    }
}

fn of_key(bucket: &str, key: &str) -> Vec<Access> {
    let on_key = |action| Access::of(action, bucket, key);
    let folder = key.split_once('/').map(|(folder, _)| format!("{folder}/"));
    vec![
        Access::listing(bucket, folder.as_deref()),
        Access::listing(bucket, Some(key)),
        on_key("s3:GetObject"),
        on_key("s3:GetObjectTagging"),
        on_key("s3:PutObject"),
        on_key("s3:DeleteObject"),
    ]
}

/// Asks the server.
async fn is_allowed(client: &Client, access: &Access) -> bool {
    let (bucket, key) = access.on.split_once('/').unwrap_or((&access.on, ""));
    let code = match access.action {
        "s3:ListBucket" => code(client.list_objects_v2().bucket(bucket).set_prefix(access.prefix.clone()).send().await),
        "s3:GetObject" => code(client.get_object().bucket(bucket).key(key).send().await),
        "s3:GetObjectTagging" => code(client.get_object_tagging().bucket(bucket).key(key).send().await),
        "s3:PutObject" => code(client.put_object().bucket(bucket).key(key).send().await),
        "s3:DeleteObject" => code(client.delete_object().bucket(bucket).key(key).send().await),
        other => panic!("nobody asks for {other}"),
    };
    assert!(matches!(code.as_deref(), None | Some("AccessDenied")), "{access:?}: {code:?}");
    code.is_none()
}

fn code<T, E: ProvideErrorMetadata, R>(answer: Result<T, aws_sdk_s3::error::SdkError<E, R>>) -> Option<String>
where
    aws_sdk_s3::error::SdkError<E, R>: ProvideErrorMetadata,
{
    answer.err().map(|error| error.code().unwrap_or("no code").to_owned())
}
