//! Our statements in the policy of a bucket: merged in and taken out again, all others kept to the letter. Nothing is asked
//! here.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::operate::policy::{Policy, SID_OF_BUCKETS};

/// A bucket's policy as it was read. Statements that are not ours stay the text that they are.
#[derive(Debug)]
pub struct Attached {
    members: BTreeMap<String, Box<RawValue>>,
    others: Vec<Box<RawValue>>,
    ours: Vec<Box<RawValue>>,
}

/// Why a policy cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// Not what S3 gives.
    #[error("the bucket's policy cannot be read as JSON: {0}")]
    Unreadable(String),
    /// Before 2012-10-17 `${*}` is no variable.
    #[error(
        "the bucket's policy is of version {0}, in which a prefix with `*`, `?` or `$` cannot be written; a newer version would \
         change what its other statements mean"
    )]
    OldLanguage(String),
}

impl Attached {
    /// Reads a policy; `None` where the bucket has none.
    ///
    /// # Errors
    /// [`AttachError::Unreadable`].
    pub fn read(text: Option<&str>) -> Result<Self, AttachError> {
        let Some(text) = text else {
            return Ok(Self { members: BTreeMap::new(), others: Vec::new(), ours: Vec::new() });
        };
        let unreadable = |error: serde_json::Error| AttachError::Unreadable(error.to_string());
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(unreadable)?;
        let statements = match members.remove(STATEMENT) {
            None => Vec::new(),
            // A single one may stand without a list (AWS: "IAM JSON policy elements: Statement").
            Some(one) if one.get().trim_start().starts_with('{') => vec![one],
            Some(list) => serde_json::from_str(list.get()).map_err(unreadable)?,
        };
        let (mut others, mut ours) = (Vec::new(), Vec::new());
        for statement in statements {
            let value: Value = serde_json::from_str(statement.get()).map_err(unreadable)?;
            let is_ours = value.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with(SID_OF_BUCKETS));
            if is_ours { ours.push(statement) } else { others.push(statement) }
        }
        Ok(Self { members, others, ours })
    }

    /// How many statements are not ours.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// The names of our statements.
    #[must_use]
    pub fn sids(&self) -> Vec<String> {
        let sid = |statement: &RawValue| value(statement).get("Sid").and_then(Value::as_str).map(str::to_owned);
        self.ours.iter().filter_map(|statement| sid(statement)).collect()
    }

    /// Whether exactly these statements are ours now, in whatever order and form of JSON.
    #[must_use]
    pub fn holds(&self, wanted: &Policy) -> bool {
        let held: Vec<Value> = self.ours.iter().map(|statement| normal(value(statement))).collect();
        let wanted: Vec<Value> = statements(wanted).into_iter().map(normal).collect();
        held.len() == wanted.len() && wanted.iter().all(|statement| held.contains(statement))
    }

    /// Whether the other statements are the same as in `before`, in the same order.
    #[must_use]
    pub fn keeps_others_of(&self, before: &Self) -> bool {
        let values = |policy: &Self| -> Vec<Value> { policy.others.iter().map(|one| value(one)).collect() };
        values(self) == values(before)
    }

    /// The policy with these statements in the place of ours.
    ///
    /// # Errors
    /// [`AttachError::OldLanguage`] if they need a newer version of the language than the policy has.
    pub fn with(&self, wanted: &Policy) -> Result<String, AttachError> {
        let written = |statement| serde_json::to_string(statement).unwrap_or_default();
        let ours: Vec<String> = wanted.statement.iter().map(written).collect();
        if !self.others.is_empty() && ours.iter().any(|statement| statement.contains("${")) {
            let version = self.members.get(VERSION).map_or_else(|| "2008-10-17".to_owned(), |raw| text(raw));
            if version != wanted.version {
                return Err(AttachError::OldLanguage(version));
            }
        }
        Ok(self.written(&ours, wanted.version))
    }

    /// The policy without ours; `None` if nothing is left.
    #[must_use]
    pub fn without(&self) -> Option<String> {
        (!self.others.is_empty()).then(|| self.written(&[], LANGUAGE_BY_DEFAULT))
    }

    fn written(&self, ours: &[String], version: &str) -> String {
        let mut parts = Vec::new();
        // Where there was no policy, or one with nothing in it, the language is ours.
        let given = self.members.get(VERSION).filter(|_| !self.others.is_empty());
        match given {
            Some(raw) => parts.push(format!("\"{VERSION}\":{}", raw.get())),
            None if self.others.is_empty() => parts.push(format!("\"{VERSION}\":\"{version}\"")),
            // Without a version it is the oldest one, and stays so.
            None => {}
        }
        for (name, raw) in self.members.iter().filter(|(name, _)| *name != VERSION) {
            parts.push(format!("{}:{}", Value::String(name.clone()), raw.get()));
        }
        let statements: Vec<&str> =
            self.others.iter().map(|raw| raw.get()).chain(ours.iter().map(String::as_str)).collect();
        parts.push(format!("\"{STATEMENT}\":[{}]", statements.join(",")));
        format!("{{{}}}", parts.join(","))
    }
}

fn statements(policy: &Policy) -> Vec<Value> {
    policy.statement.iter().map(|statement| serde_json::to_value(statement).unwrap_or_default()).collect()
}

/// What was parsed once is parsed again.
fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn text(raw: &RawValue) -> String {
    value(raw).as_str().unwrap_or_default().to_owned()
}

/// A list of one is the one, at every depth: S3 gives policies back in either form.
fn normal(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => normal(list.remove(0)),
        Value::Array(list) => Value::Array(list.into_iter().map(normal).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, normal(value))).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

const STATEMENT: &str = "Statement";
const VERSION: &str = "Version";
const LANGUAGE_BY_DEFAULT: &str = "2008-10-17";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::policy::{Principal, Statement};

    fn wanted(resource: &str) -> Policy {
        let statement = Statement {
            sid: "AvatarMigrateRead".to_owned(),
            effect: "Allow",
            principal: Some(Principal { aws: "arn:aws:iam::111122223333:role/x".to_owned() }),
            action: vec!["s3:GetObject"],
            resource: vec![resource.to_owned()],
            condition: Default::default(),
        };
        Policy { version: "2012-10-17", statement: vec![statement] }
    }

    const OURS: &str = "{\"Sid\":\"AvatarMigrateRead\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:role/x\"},\
                        \"Action\":\"s3:GetObject\",\"Resource\":\"a/*\"}";

    fn read(text: &str) -> Attached {
        Attached::read(Some(text)).expect("a policy")
    }

    #[test]
    fn what_others_wrote_stays_to_the_letter() {
        let theirs = "{ \"Sid\":\"x\", \"Condition\":{\"NumericLessThan\":{\"k\": 1.10}},\"Effect\":\"Deny\"}";
        for (before, after) in [
            (
                format!("{{\"Version\":\"2012-10-17\",\"Id\":\"p\",\"Statement\":[{theirs}]}}"),
                "\"Version\":\"2012-10-17\",\"Id\":\"p\",",
            ),
            // A single statement without a list, no version, none of our business.
            (format!("{{\"Statement\":{theirs}}}"), ""),
            (format!("{{\"Version\":\"2008-10-17\",\"Statement\":[{theirs}]}}"), "\"Version\":\"2008-10-17\","),
        ] {
            let policy = read(&before);
            let merged = policy.with(&wanted("a/*")).expect("a policy");
            assert_eq!(merged, format!("{{{after}\"Statement\":[{theirs},{OURS}]}}"));
            let again = read(&merged);
            assert!(again.holds(&wanted("a/*")) && again.keeps_others_of(&policy) && !policy.holds(&wanted("a/*")));
            assert_eq!(again.with(&wanted("a/*")), Ok(merged.clone()), "once is enough");
            assert_eq!(again.without(), Some(format!("{{{after}\"Statement\":[{theirs}]}}")));
            assert_eq!((again.others(), again.sids()), (1, vec!["AvatarMigrateRead".to_owned()]));
            assert!(!again.holds(&wanted("b/*")), "other prefixes are another statement");
        }
    }

    #[test]
    fn where_there_was_none_nothing_stays_either() {
        for before in [None, Some("{\"Version\":\"2008-10-17\",\"Statement\":[]}"), Some("{}")] {
            let merged = Attached::read(before).and_then(|policy| policy.with(&wanted("a/*"))).expect("a policy");
            assert_eq!(merged, format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{OURS}]}}"));
            assert_eq!(read(&merged).without(), None);
        }
    }

    #[test]
    fn lists_of_one_are_that_one() {
        let listed = OURS.replace("\"s3:GetObject\"", "[\"s3:GetObject\"]").replace("\"a/*\"", "[\"a/*\"]");
        assert!(read(&format!("{{\"Statement\":[{listed}]}}")).holds(&wanted("a/*")));
    }

    #[test]
    fn what_would_change_its_meaning_is_refused() {
        let old = read("{\"Version\":\"2008-10-17\",\"Statement\":[{\"Sid\":\"x\"}]}");
        assert_eq!(old.with(&wanted("a${*}/*")), Err(AttachError::OldLanguage("2008-10-17".to_owned())));
        assert!(matches!(Attached::read(Some("no")), Err(AttachError::Unreadable(_))));
    }
}
