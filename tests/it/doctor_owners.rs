//! `doctor` on AWS as moto plays it: identities, accounts, regions, keys, ACLs; and the policy of the legacy bucket, which it
//! merges its statements into and takes them out of again, touching no other one.

use std::process::Command;
use std::sync::Arc;

use avatar_migrate_kit::{EmbeddedS3, Fault, OtherS3};
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde_json::{Value, json};

use crate::doctor::{complains, complaints};
use crate::process::Running;
use crate::support::{Ended, World};

/// The account of whoever comes to moto without a role.
const OWNER: &str = "123456789012";
/// The account that the embedded server's buckets belong to.
const OF_BUCKETS: &str = "111122223333";
const MIGRATOR: &str = "arn:aws:iam::222222222222:role/migrator";

/// moto, and two buckets in it.
struct Aws {
    world: World,
    moto: &'static OtherS3,
    runtime: tokio::runtime::Runtime,
    client: Client,
    source: String,
    target: String,
}

impl Aws {
    fn new() -> Self {
        let world = World::new();
        world.rows(&["avatar/avatar-1.png"]);
        let moto = OtherS3::shared_moto();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = {
            let _inside = runtime.enter();
            moto.client()
        };
        let bucket = |hint: &str| moto.bucket(&format!("{hint}-{}", world.ledger().replace('_', "-"))).expect(hint);
        let (source, target) = (bucket("legacy"), bucket("production"));
        let aws = Self { world, moto, runtime, client, source, target };
        aws.profiles();
        aws
    }

    /// The profile `owner`, and `migrator`, a role of another account in use.
    fn profiles(&self) {
        let folder = self.world.directory.path().join(".aws");
        std::fs::create_dir(&folder).expect("a folder");
        let token = role(&self.runtime, self.moto, MIGRATOR);
        let text = format!(
            "[profile owner]\nregion = us-east-1\naws_access_key_id = {}\naws_secret_access_key = any\n\
             [profile migrator]\nregion = us-east-1\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
            self.moto.access_key(),
            token[0],
            token[1],
            token[2]
        );
        std::fs::write(folder.join("config"), text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(&self.world.database.url(), arguments);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL_STS", self.moto.endpoint())
            .env("AVATAR_MIGRATE_SOURCE_ENDPOINT_URL", self.moto.endpoint())
            .env("AVATAR_MIGRATE_TARGET_ENDPOINT_URL", self.moto.endpoint())
            .env("AVATAR_MIGRATE_SOURCE_BUCKET", &self.source)
            .env("AVATAR_MIGRATE_TARGET_BUCKET", &self.target)
            .env("AVATAR_MIGRATE_SOURCE_PROFILE", "owner")
            .env("AVATAR_MIGRATE_TARGET_PROFILE", "migrator");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Running::start(self.command(arguments)).ended()
    }

    fn policy(&self) -> Option<String> {
        self.runtime.block_on(async {
            let answer = self.client.get_bucket_policy().bucket(&self.source).send().await;
            answer.ok().and_then(|output| output.policy)
        })
    }

    fn set_policy(&self, policy: &str) {
        let put = self.client.put_bucket_policy().bucket(&self.source).policy(policy);
        self.runtime.block_on(put.send()).expect("a policy");
    }
}

/// Access key, secret and token of a session of a role.
fn role(runtime: &tokio::runtime::Runtime, moto: &OtherS3, arn: &str) -> [String; 3] {
    runtime.block_on(async {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .region(aws_sdk_sts::config::Region::new("us-east-1"))
            .credentials_provider(aws_sdk_sts::config::Credentials::new(moto.access_key(), "any", None, None, "test"))
            .endpoint_url(moto.endpoint())
            .build();
        let session = aws_sdk_sts::Client::from_conf(config).assume_role().role_arn(arn).role_session_name("me@host");
        let session = session.send().await.expect("a session").credentials.expect("credentials");
        [session.access_key_id, session.secret_access_key, session.session_token]
    })
}

fn parsed(policy: Option<String>) -> Value {
    serde_json::from_str(&policy.expect("a policy")).expect("JSON")
}

fn sids(policy: &Value) -> Vec<&str> {
    let statements = policy["Statement"].as_array().expect("statements");
    statements.iter().map(|statement| statement["Sid"].as_str().unwrap_or("none")).collect()
}

#[test]
fn a_policy_is_made_and_taken_away_again() {
    let aws = Aws::new();
    assert_eq!(aws.policy(), None);
    let attached = aws.run(&["doctor", "--attach-policy", "--yes"]).exits(0);
    let names = json!(["AvatarMigrateList", "AvatarMigrateRead"]);
    assert_eq!(attached.json["policy"], json!({"bucket": aws.source, "attached": names, "detached": [], "kept": 0}));
    let policy = parsed(aws.policy());
    let bucket = format!("arn:aws:s3:::{}", aws.source);
    let role = json!({"AWS": MIGRATOR});
    let expected = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "AvatarMigrateList", "Effect": "Allow", "Principal": role, "Action": "s3:ListBucket", "Resource": bucket,
         "Condition": {"StringLike": {"s3:prefix": "image/*"}}},
        {"Sid": "AvatarMigrateRead", "Effect": "Allow", "Principal": role,
         "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": format!("{bucket}/image/*")}]});
    assert_eq!(policy, expected, "the role, not its session; nothing but reading");
    // The identities are told on the way.
    let said = attached.stdout;
    for part in [
        &format!("arn:aws:sts::{OWNER}:user/moto of account {OWNER}"),
        "assumed-role/migrator/me@host of account 222222222222",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // Once is enough.
    let again = aws.run(&["doctor", "--attach-policy", "--yes"]).exits(0);
    assert_eq!(again.json["policy"]["attached"], names);
    assert_eq!(parsed(aws.policy()), expected);
    let human = aws.run(&["doctor", "--detach-policy", "--yes", "--format", "human"]).exits(0);
    let first = format!("DONE: the policy of {} holds 0 statements of this program and 0 others\n", aws.source);
    assert!(human.stdout.starts_with(&first), "{}", human.stdout);
    assert!(human.stdout.contains("taken out: AvatarMigrateList, AvatarMigrateRead; 0"), "{}", human.stdout);
    assert!(human.stdout.contains("Next: avatarMigrate doctor, as the identity that copies"), "{}", human.stdout);
    assert_eq!(aws.policy(), None, "nothing else was in it");
    let nothing = aws.run(&["doctor", "--detach-policy", "--yes"]).exits(0);
    assert!(nothing.stdout.contains("nothing was to be changed"), "{}", nothing.stdout);
}

#[test]
fn the_statements_of_others_stay_to_the_letter() {
    let aws = Aws::new();
    // No list, a number that floating points lose, names that are not sorted.
    let theirs = format!(
        r#"{{ "Sid":"Theirs","Resource":"arn:aws:s3:::{}/*","Effect":"Deny","Principal":"*","Action":"s3:DeleteObjectVersion","Condition":{{"NumericLessThan":{{"s3:signatureAge": 1.10}}}} }}"#,
        aws.source
    );
    aws.set_policy(&format!(r#"{{"Id":"old","Statement":{theirs},"Version":"2012-10-17"}}"#));
    aws.run(&["doctor", "--attach-policy", "--yes"]).exits(0);
    let text = aws.policy().expect("a policy");
    assert!(text.contains(&theirs), "{text}");
    assert_eq!(sids(&parsed(Some(text))), ["Theirs", "AvatarMigrateList", "AvatarMigrateRead"]);
    // For another command they are replaced.
    let finalize = aws.run(&["doctor", "--attach-policy", "--for", "finalize", "--yes"]).exits(0);
    assert_eq!(finalize.json["policy"]["kept"], 1);
    let policy = parsed(aws.policy());
    assert!(sids(&policy).contains(&"AvatarMigrateDeleteWhatWasChecked"), "{policy}");
    assert_eq!(policy["Id"], "old");
    let back = aws.run(&["doctor", "--attach-policy", "--yes"]).exits(0);
    assert!(back.json["policy"]["detached"].to_string().contains("DeleteWhatWasChecked"), "{}", back.json);
    let detached = aws.run(&["doctor", "--detach-policy", "--yes"]).exits(0);
    assert_eq!(detached.json["policy"]["kept"], 1);
    let text = aws.policy().expect("a policy");
    assert!(text.contains(&theirs) && sids(&parsed(Some(text))) == ["Theirs"]);
}

#[test]
fn an_identity_of_the_same_account_needs_no_policy() {
    let aws = Aws::new();
    let refused = aws.run(&["doctor", "--attach-policy", "--yes", "--target-profile", "owner"]).exits(4);
    assert!(refused.stderr.contains("both identities are of account 123456789012"), "{}", refused.stderr);
    assert_eq!(aws.policy(), None);
    // Who is named is let in.
    let named = ["doctor", "--attach-policy", "--yes", "--target-profile", "owner", "--principal", "333333333333"];
    aws.run(&named).exits(0);
    assert_eq!(parsed(aws.policy())["Statement"][0]["Principal"]["AWS"], "333333333333");
    let nothing = aws.run(&["doctor", "--attach-policy", "--for", "status", "--yes"]).exits(2);
    assert!(nothing.stderr.contains("`status` needs nothing of the legacy bucket"), "{}", nothing.stderr);
    let both = aws.run(&["doctor", "--attach-policy", "--detach-policy"]).exits(2);
    assert!(both.stderr.contains("--attach-policy and --detach-policy contradict each other"), "{}", both.stderr);
}

#[test]
fn settings_of_aws_that_matter_are_told() {
    let aws = Aws::new();
    let rule = |ownership| OwnershipControlsRule::builder().object_ownership(ownership).build().expect("a rule");
    let key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    aws.runtime
        .block_on(async {
            let controls = |ownership| OwnershipControls::builder().rules(rule(ownership)).build();
            for (bucket, ownership) in
                [(&aws.source, ObjectOwnership::BucketOwnerEnforced), (&aws.target, ObjectOwnership::ObjectWriter)]
            {
                let put = aws.client.put_bucket_ownership_controls().bucket(bucket);
                put.ownership_controls(controls(ownership)?).send().await?;
            }
            let kms = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
            let rule = ServerSideEncryptionRule::builder()
                .apply_server_side_encryption_by_default(kms.kms_master_key_id(key).build()?)
                .build();
            let put = aws.client.put_bucket_encryption().bucket(&aws.source);
            let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build()?;
            put.server_side_encryption_configuration(rules).send().await?;
            anyhow::Ok(())
        })
        .expect("settings");
    let found = complaints(&aws.run(&["doctor", "--method", "stream"]));
    assert!(found["source encryption"].contains(&format!("warn: by the KMS key {key}")), "{found:#?}");
    assert!(found["source encryption"].contains("--only source-key"), "{found:#?}");
    assert!(found["target ownership"].contains("a copy belongs to the account that makes it"), "{found:#?}");
    for fine in ["source ownership", "target encryption", "source identity", "target identity", "source region"] {
        assert!(!found.contains_key(fine), "{fine}: {found:#?}");
    }
}

#[test]
fn two_regions_are_told() {
    let mut aws = Aws::new();
    let far = format!("far-{}", aws.target);
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuCentral1).build();
    let made = aws.client.create_bucket().bucket(&far).create_bucket_configuration(place).send();
    aws.runtime.block_on(made).expect("a bucket");
    aws.target = far;
    let found = complaints(&aws.run(&["doctor", "--method", "stream"]));
    assert!(found["target two regions"].contains("warn: from us-east-1 to eu-central-1"), "{found:#?}");
}

/// The embedded server heeds the owner that a request expects, as AWS does; the token service is moto's.
fn on_embedded(world: &World, role_of: Option<&str>, arguments: &[&str]) -> Ended {
    let moto = OtherS3::shared_moto();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut command = world.command(&world.database.url(), arguments);
    command.env("AWS_ENDPOINT_URL_STS", moto.endpoint());
    if let Some(arn) = role_of {
        // The embedded server knows its own keys, and moto knows sessions by theirs: a session in which both agree.
        let [key, _, token] = role(&runtime, moto, arn);
        world.s3.add_key(&key);
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SESSION_TOKEN", token);
    }
    Running::start(command).ended()
}

#[test]
fn whose_a_bucket_is_is_told() {
    let world = World::new();
    world.avatars(1);
    let own = on_embedded(&world, Some(&format!("arn:aws:iam::{OF_BUCKETS}:role/migrator")), &["doctor"]).exits(0);
    complains(&own, &[]);
    let other = on_embedded(&world, None, &["doctor"]).exits(0);
    let text = format!("the bucket is not of account {OWNER}, but lets the identity in");
    complains(&other, &[("source account", &text), ("target account", "--only target-bucket --principal")]);
    world.s3.on_request(|request| {
        let refused = request.operation == "ListObjectsV2" && request.bucket.as_deref() == Some("legacy-s3");
        if refused { Fault::Status(403, "AccessDenied".to_owned()) } else { Fault::None }
    });
    let refused = complaints(&on_embedded(&world, None, &["doctor"]).exits(3));
    let said = &refused["source account"];
    for part in [
        "warn: unknown: the bucket refuses",
        "--attach-policy",
        "\"Sid\":\"AvatarMigrateList\"",
        "arn:aws:s3:::legacy-s3/image/*",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

const PRINCIPAL: [&str; 2] = ["--principal", MIGRATOR];

fn attach(world: &World, more: &[&str]) -> Ended {
    world.run(&[&["doctor", "--attach-policy"], &PRINCIPAL[..], more].concat())
}

/// Changes the policy before the `nth` look at it.
fn interfere(s3: &Arc<EmbeddedS3>, nth: u64) {
    let weak = Arc::downgrade(s3);
    s3.reset_requests();
    s3.on_request(move |request| {
        if let ("GetBucketPolicy", true, Some(s3)) = (&*request.operation, request.nth == nth, weak.upgrade()) {
            s3.set_policy("legacy-s3", r#"{"Statement":[{"Sid":"Meanwhile"}]}"#);
        }
        Fault::None
    });
}

#[test]
fn a_policy_that_changes_meanwhile_is_not_written_over() {
    let world = World::new();
    world.avatars(1);
    interfere(&world.s3, 2);
    let refused = attach(&world, &["--yes"]).exits(4);
    assert!(refused.stderr.contains("was changed by somebody else meanwhile"), "{}", refused.stderr);
    assert_eq!(world.s3.requests().get("PutBucketPolicy"), None);
    interfere(&world.s3, 3);
    let failed = attach(&world, &["--yes"]).exits(1);
    assert!(
        failed.stderr.contains("the policy that was read back is not the one that was written"),
        "{}",
        failed.stderr
    );
    world.s3.no_faults();
    attach(&world, &["--yes"]).exits(0);
    let policy = parsed(world.s3.policy("legacy-s3"));
    assert_eq!(sids(&policy), ["Meanwhile", "AvatarMigrateList", "AvatarMigrateRead"]);
}

#[test]
fn nobody_changes_a_policy_unasked_or_without_the_right_to() {
    let world = World::new();
    world.avatars(1);
    let unasked = attach(&world, &[]).exits(4);
    assert!(
        unasked.stderr.contains("the policy of legacy-s3 would be changed, and there is no terminal"),
        "{}",
        unasked.stderr
    );
    let whom = world.run(&["doctor", "--attach-policy", "--yes"]).exits(2);
    assert!(whom.stderr.contains("it is not known whom to let in: the server is not AWS"), "{}", whom.stderr);
    world.s3.set_policy("legacy-s3", "not JSON");
    let unreadable = attach(&world, &["--yes"]).exits(4);
    assert!(unreadable.stderr.contains("the bucket's policy cannot be read as JSON"), "{}", unreadable.stderr);
    world.s3.set_policy("legacy-s3", r#"{"Statement":[{"Sid":"Old"}]}"#);
    let stars = ["--yes", "--legacy-prefix", "a*b/", "--modern-prefix", "avatar/"];
    let old = attach(&world, &stars).exits(4);
    assert!(old.stderr.contains("the bucket's policy is of version 2008-10-17"), "{}", old.stderr);
    for (operation, status, code) in
        [("GetBucketPolicy", 405, "MethodNotAllowed"), ("PutBucketPolicy", 403, "AccessDenied")]
    {
        world.s3.on_request(move |request| {
            if request.operation == operation { Fault::Status(status, code.to_owned()) } else { Fault::None }
        });
        let denied = attach(&world, &["--yes"]).exits(2);
        assert!(denied.stderr.contains("run it as the owner of the legacy bucket"), "{operation}: {}", denied.stderr);
    }
    assert_eq!(world.s3.policy("legacy-s3").as_deref(), Some(r#"{"Statement":[{"Sid":"Old"}]}"#));
}
