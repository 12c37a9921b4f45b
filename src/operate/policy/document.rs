//! Policies in the language of IAM (AWS: "IAM JSON policy elements reference").

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::needs::{BucketSide, Need, Place, needs};
use crate::config::{BucketConfig, Config, Phase};

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// The version of the language.
    pub version: &'static str,
    /// The statements, each for itself.
    pub statement: Vec<Statement>,
}

/// One statement. All of them allow; what nobody allows is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its name: what it is for.
    pub sid: String,
    /// `Allow`.
    pub effect: &'static str,
    /// Who; only in policies of buckets and keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// What.
    #[serde(serialize_with = "one_or_many")]
    pub action: Vec<&'static str>,
    /// On what, as ARNs.
    #[serde(serialize_with = "one_or_many")]
    pub resource: Vec<String>,
    /// Only if.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: Conditions,
}

/// An operator, then a key, then the values.
type Conditions = BTreeMap<&'static str, BTreeMap<&'static str, Values>>;

/// What a key of a condition may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Values(#[serde(serialize_with = "one_or_many")] Vec<String>);

/// A user, a role, or a whole account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// Its ARN, or the number of an account.
    #[serde(rename = "AWS")]
    pub aws: String,
}

impl Policy {
    /// What an identity that reaches these buckets needs for a command.
    pub(super) fn of_identity(phase: Phase, config: &Config, sides: &[BucketSide]) -> Self {
        let needs = needs(phase, config).into_iter().filter(|need| sides.contains(&need.side));
        Self::of(needs.map(|need| statement(config, &need, side_name(need.side))))
    }

    /// What a bucket has to allow an identity of another account for a command.
    pub(super) fn of_bucket(phase: Phase, config: &Config, side: BucketSide, principal: &str) -> Self {
        let needs = needs(phase, config).into_iter().filter(|need| need.side == side && need.is_of_bucket());
        let principal = Principal { aws: principal.to_owned() };
        let statements = needs.map(|need| statement(config, &need, SID_OF_BUCKETS));
        Self::of(statements.map(|statement| Statement { principal: Some(principal.clone()), ..statement }))
    }

    /// A document of one statement.
    pub(super) fn of_statement(statement: Statement) -> Self {
        Self::of(std::iter::once(statement))
    }

    fn of(statements: impl Iterator<Item = Statement>) -> Self {
        Self { version: LANGUAGE, statement: statements.collect() }
    }
}

impl Statement {
    /// What a command needs of the KMS key of a bucket, if the bucket has one: who reads an object decrypts, who writes one
    /// also makes a data key, and a multipart upload decrypts its parts (AWS: "Protecting data using server-side encryption
    /// with AWS KMS keys").
    pub(super) fn of_key(phase: Phase, config: &Config, side: BucketSide, principal: &str) -> Option<Self> {
        let needs = needs(phase, config);
        let is_asked = |action| {
            needs.iter().any(|need| need.side == side && need.is_of_bucket() && need.actions.contains(&action))
        };
        let action = match (is_asked("s3:GetObject"), is_asked("s3:PutObject")) {
            (_, true) => vec!["kms:Decrypt", "kms:GenerateDataKey"],
            (true, false) => vec!["kms:Decrypt"],
            (false, false) => return None,
        };
        let settings = side.of(&config.source, &config.target);
        let region = settings.region.as_deref().unwrap_or("*");
        let service = format!("s3.{region}.amazonaws.com{}", if region.starts_with("cn-") { ".cn" } else { "" });
        Some(Self {
            sid: format!("{SID_OF_BUCKETS}Key"),
            effect: ALLOW,
            principal: Some(Principal { aws: principal.to_owned() }),
            action,
            // In the policy of a key this stands for that key.
            resource: vec!["*".to_owned()],
            condition: condition("StringLike", "kms:ViaService", vec![service]),
        })
    }
}

fn statement(config: &Config, need: &Need, sid: &str) -> Statement {
    let bucket = need.side.of(&config.source, &config.target);
    let (partition, bucket) = (partition(bucket), arn(bucket));
    let objects = |prefixes: &[String]| -> Vec<String> {
        prefixes.iter().map(|prefix| format!("{bucket}/{}*", literal(prefix))).collect()
    };
    let (resource, condition) = match &need.place {
        Place::Settings => (vec![bucket], Conditions::new()),
        Place::Elsewhere(files) => {
            let files = files.iter().map(|prefix| format!("arn:{partition}:s3:::{}*", literal(prefix)));
            (files.collect(), Conditions::new())
        }
        Place::Objects(prefixes) => (objects(prefixes), Conditions::new()),
        Place::ObjectsIfMatch(prefixes) => {
            (objects(prefixes), condition("Null", "s3:if-match", vec!["false".to_owned()]))
        }
        // Who lists from the empty prefix sends none, so that there is nothing to compare with.
        Place::Listing { below, .. } if below.iter().any(String::is_empty) => (vec![bucket], Conditions::new()),
        Place::Listing { below, exactly } => {
            let below = below.iter().map(|prefix| format!("{}*", literal(prefix)));
            let values = below.chain(exactly.iter().map(|prefix| literal(prefix))).collect();
            (vec![bucket], condition("StringLike", "s3:prefix", values))
        }
    };
    Statement {
        sid: format!("{sid}{}", need.purpose),
        effect: ALLOW,
        principal: None,
        action: need.actions.clone(),
        resource,
        condition,
    }
}

fn condition(operator: &'static str, key: &'static str, values: Vec<String>) -> Conditions {
    BTreeMap::from([(operator, BTreeMap::from([(key, Values(values))]))])
}

/// A single one needs no list, and no lines of its own.
fn one_or_many<T: Serialize, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

/// What the Sids of an identity's statements begin with. A Sid is letters and digits.
fn side_name(side: BucketSide) -> &'static str {
    side.of("Legacy", "Production")
}

/// A bucket's ARN.
fn arn(bucket: &BucketConfig) -> String {
    format!("arn:{}:s3:::{}", partition(bucket), bucket.bucket)
}

/// China and GovCloud are partitions of their own (AWS: "Amazon Resource Names").
fn partition(bucket: &BucketConfig) -> &'static str {
    match bucket.region.as_deref() {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        Some(_) | None => "aws",
    }
}

/// A prefix in which `*`, `?` and `$` stand for themselves (AWS: "IAM policy elements: variables and tags").
fn literal(prefix: &str) -> String {
    let mut text = String::with_capacity(prefix.len());
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '$') {
            text.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]);
        } else {
            text.push(character);
        }
    }
    text
}

/// The version of the policy language that knows variables.
const LANGUAGE: &str = "2012-10-17";

const ALLOW: &str = "Allow";

/// What the Sids of this program's statements in the policies of buckets and keys begin with.
pub(crate) const SID_OF_BUCKETS: &str = "AvatarMigrate";

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn what_is_a_wildcard_elsewhere_is_a_letter_in_a_prefix() {
        assert_eq!(literal("image/"), "image/");
        assert_eq!(literal("a*b?${c}/"), "a${*}b${?}${$}{c}/");
    }
}
