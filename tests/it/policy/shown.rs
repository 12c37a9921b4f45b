//! What `policy` prints: under headings for a person, one document alone for a pipe, and for settings of every kind.

use std::process::Stdio;

use serde_json::{Value, json};

use super::rules::{Access, Rules};
use super::{is_enough, printed, rules, scenario};
use crate::support::{Ended, World, bare_command, content};

/// Runs the program without a database and without a bucket.
fn alone(arguments: &[&str]) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = bare_command(directory.path());
    let output = command.args(["policy"]).args(arguments).stdout(Stdio::piped()).output().expect("it starts");
    Ended::of(&output, directory.path())
}

#[test]
fn without_a_database_placeholders_stand_where_names_belong() {
    let human = alone(&["--for", "copy"]).exits(0);
    for part in [
        "# the database was not asked",
        "=== copy ===",
        "# IAM policy of the one identity for both buckets\n{\n  \"Version\": \"2012-10-17\",",
        "# only if the bucket legacy-s3 is another account's: its bucket policy",
        "# only if KMS encrypts the production bucket: a statement for the policy of its key",
        "\n-- MariaDB\nGRANT SELECT ON `SCHEMA`.* TO 'USER'@'HOST';\n",
        "# 'USER'@'HOST' is to be replaced",
        "# arn:aws:iam::ACCOUNT:role/ROLE is to be replaced: give --principal",
    ] {
        assert!(human.stdout.contains(part), "{part} is not in\n{}", human.stdout);
    }
    assert!(!human.stdout.contains("UPDATE (`"), "no column is known");
    assert!(human.stderr.contains("the database was not asked: users and columns are those of the settings"));
    let named = alone(&["--reference", "avatars.path", "--format", "json"]).exits(0);
    assert_eq!(named.json["references"], json!(["avatars.path"]));
    assert_eq!(named.json["asked_database"], false);
    let words: Vec<&str> =
        named.json["phases"].as_array().expect("phases").iter().filter_map(|phase| phase["phase"].as_str()).collect();
    assert_eq!(
        words,
        ["doctor", "verify", "copy", "fence", "finalize", "rollback", "restore", "resolve", "prune", "status"],
        "all commands, in the order of a migration"
    );
    let update = "GRANT UPDATE (`path`) ON `SCHEMA`.`avatars` TO 'USER'@'HOST'";
    assert_eq!(named.json["phases"][2]["grants"][1], update);
    // All at once, what owners of other accounts would have to do is left out of the text.
    let all = alone(&[]).exits(0);
    assert!(all.stdout.contains("=== status ===") && !all.stdout.contains("AvatarMigrate"), "{}", all.stdout);
    let unreachable = alone(&["--for", "status", "--database-url", "mysql://u:s3cret@127.0.0.1:1/shop"]).exits(0);
    assert!(unreachable.stdout.contains("GRANT SELECT ON `shop`.* TO 'u'@'HOST';"), "{}", unreachable.stdout);
    assert!(!unreachable.stderr.contains("s3cret"));
}

#[test]
fn one_document_alone_can_be_piped_on() {
    let of = |part: &str, more: &[&str]| alone(&[&["--for", "finalize", "--only", part], more].concat()).exits(0).json;
    let sids = |policy: &Value| -> Vec<String> {
        let statements = policy["Statement"].as_array().expect("statements").iter();
        statements.map(|statement| statement["Sid"].as_str().expect("a Sid").to_owned()).collect()
    };
    let (both, source, target) = (of("iam", &[]), of("iam-source", &[]), of("iam-target", &[]));
    assert_eq!(sids(&both), [sids(&source), sids(&target)].concat());
    assert!(sids(&source).iter().all(|sid| sid.starts_with("Legacy")), "{source}");
    let principal = "arn:aws:iam::444455556666:role/migrator";
    let bucket = of("source-bucket", &["--principal", principal]);
    assert_eq!(bucket["Statement"][0]["Principal"], json!({"AWS": principal}));
    let key = of("target-key", &["--target-region", "eu-central-1"]);
    assert_eq!(key["Statement"][0]["Condition"]["StringLike"]["kms:ViaService"], "s3.eu-central-1.amazonaws.com");
    assert_eq!(key["Statement"][0]["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    let grants = alone(&["--for", "verify", "--only", "grants", "--format", "json"]).exits(0);
    assert_eq!(grants.stdout, "GRANT SELECT ON `SCHEMA`.* TO 'USER'@'HOST';\n", "SQL is SQL whatever the format");
    let reads = alone(&["--for", "copy", "--only", "source-key"]).exits(0);
    assert_eq!(reads.json["Statement"][0]["Action"], "kms:Decrypt", "copy writes nothing into the legacy bucket");
}

#[test]
fn what_cannot_be_printed_is_said() {
    for (arguments, said) in [
        (&["--only", "iam"][..], "--only prints one document, and each command has its own"),
        (&["--for", "status", "--only", "iam"], "`status` needs nothing of the kind `iam`"),
        (&["--for", "fence", "--only", "source-key"], "`fence` needs nothing of the kind `source-key`"),
        (&["--for", "everything"], "`everything` is not one of doctor, verify"),
        (&["--principal", "*"], "`*` names no user, role or account"),
    ] {
        let refused = alone(arguments).exits(2);
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.stderr);
    }
}

/// Nothing of the application's may be deleted but by `finalize`, and there only by ETag.
#[test]
fn only_finalize_deletes_and_only_by_etag() {
    let all = alone(&["--format", "json"]).exits(0);
    for phase in all.json["phases"].as_array().expect("phases") {
        let rules = rules(phase);
        let delete = |key: &str, if_match| {
            ["legacy-s3", "production-s3"].map(|bucket| {
                rules.allows(&Access { if_match, ..Access::of("s3:DeleteObject", bucket, key) }).is_some()
            })
        };
        for key in ["image/avatar-1.png", "avatar/avatar-1.png", "other/x", ".avatar-migrate/resolved-1/x"] {
            assert_eq!(delete(key, false), [false, false], "{} {key}", phase["phase"]);
            let legacy = phase["phase"] == "finalize" && key == "image/avatar-1.png";
            assert_eq!(delete(key, true), [legacy, false], "{} {key}", phase["phase"]);
        }
    }
}

#[test]
fn two_identities_get_a_bucket_each() {
    let flags = ["--method", "stream", "--source-profile", "old", "--target-profile", "new", "--format", "json"];
    let printed = alone(&[&["--for", "copy"][..], &flags].concat()).exits(0);
    let iam = printed.json["phases"][0]["iam"].as_array().expect("policies").clone();
    let reaches: Vec<&str> = iam.iter().filter_map(|identity| identity["reaches"].as_str()).collect();
    assert_eq!(reaches, ["source", "target"]);
    for (identity, other) in iam.iter().zip(["production-s3", "legacy-s3"]) {
        let policy = &identity["policy"];
        assert!(!policy.to_string().contains(other), "{policy}");
        assert!(!Rules::of([policy]).rights().is_empty());
    }
}

/// Two mappings whose keys lie apart, one of them with letters that policies read as wildcards.
const APART: &[&str] = &[
    "--legacy-prefix",
    "https://old.example.org/a*b/",
    "--modern-prefix",
    "https://new.example.org/c*d/",
    "--legacy-prefix",
    "pics/",
    "--modern-prefix",
    "avatar/",
];

fn apart(world: &World) {
    for key in ["a*b/avatar-0.png", "pics/avatar-1.png"] {
        world.put("legacy-s3", key, content(key));
    }
    world.rows(&["https://old.example.org/a*b/avatar-0.png", "pics/avatar-1.png"]);
}

fn apart_and_copied(world: &World) {
    apart(world);
    world.run(&[&["copy"], APART].concat()).exits(0);
}

#[test]
fn prefixes_of_every_kind_are_covered() {
    let phase = printed(&World::new(), "copy", APART);
    let read = |key| rules(&phase).allows(&Access::of("s3:GetObject", "legacy-s3", key)).is_some();
    assert!(read("a*b/avatar-0.png") && read("pics/avatar-1.png"));
    assert!(!read("axb/avatar-0.png") && !read("image/avatar-1.png"), "a star in a prefix is a star");
    for (phase, before, run) in [
        ("copy", apart as fn(&World), &["copy"][..]),
        ("finalize", apart_and_copied, &["finalize", "--yes"]),
        ("rollback", apart_and_copied, &["rollback", "--yes"]),
    ] {
        is_enough(phase, &[scenario(before, run, 0)], APART);
    }
}

#[test]
fn other_partitions_have_arns_of_their_own() {
    let of =
        |region: &str| alone(&["--for", "verify", "--only", "iam-source", "--source-region", region]).exits(0).json;
    for (region, arn) in
        [("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:"), ("eu-west-1", "arn:aws:")]
    {
        let resource = of(region)["Statement"][0]["Resource"].as_str().expect("an ARN").to_owned();
        assert_eq!(resource, format!("{arn}s3:::legacy-s3"));
    }
}

#[test]
fn the_whole_bucket_may_be_listed_where_everything_moves() {
    let all = alone(&["--for", "verify", "--only", "iam-source", "--legacy-key-prefix", ""]).exits(0);
    let rules = Rules::of([&all.json]);
    assert!(rules.allows(&Access::listing("legacy-s3", None)).is_some());
    assert!(rules.allows(&Access::of("s3:GetObject", "legacy-s3", "x")).is_some());
}
