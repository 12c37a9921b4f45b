//! A judge for the policies that the program prints: the part of IAM's language that they use, and no more. What it does
//! not know is an error, never a yes. `servers.rs` compares it with a server that enforces policies.

use std::collections::BTreeSet;

use serde_json::Value;

/// One thing that a request does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(crate) action: &'static str,
    /// `bucket` or `bucket/key`.
    pub(crate) on: String,
    pub(crate) prefix: Option<String>,
    pub(crate) if_match: bool,
}

impl Access {
    pub(crate) fn of(action: &'static str, bucket: &str, key: &str) -> Self {
        Self { action, on: format!("{bucket}/{key}"), prefix: None, if_match: false }
    }

    pub(crate) fn listing(bucket: &str, prefix: Option<&str>) -> Self {
        Self { action: "s3:ListBucket", on: bucket.to_owned(), prefix: prefix.map(str::to_owned), if_match: false }
    }

    pub(crate) fn on_bucket(action: &'static str, bucket: &str) -> Self {
        Self { action, on: bucket.to_owned(), prefix: None, if_match: false }
    }
}

/// A right that a statement gives: its Sid and one action.
pub(crate) type Right = (String, String);

/// The statements of all policies that hold at once.
#[derive(Clone, Debug)]
pub(crate) struct Rules(Vec<Value>);

impl Rules {
    /// Those of policy documents.
    pub(crate) fn of<'a>(policies: impl IntoIterator<Item = &'a Value>) -> Self {
        let statements = policies.into_iter().flat_map(|policy| {
            assert_eq!(policy["Version"], "2012-10-17");
            policy["Statement"].as_array().expect("statements").clone()
        });
        Self(statements.collect())
    }

    /// The same without one right.
    pub(crate) fn without(&self, right: &Right) -> Self {
        let mut rules = self.clone();
        for statement in rules.0.iter_mut().filter(|statement| statement["Sid"] == right.0.as_str()) {
            let rest: Vec<String> =
                many(&statement["Action"]).into_iter().filter(|action| *action != right.1).collect();
            statement["Action"] = rest.into();
        }
        rules
    }

    /// Every right that is given.
    pub(crate) fn rights(&self) -> BTreeSet<Right> {
        let of = |statement: &Value| {
            let sid = statement["Sid"].as_str().expect("a Sid").to_owned();
            many(&statement["Action"]).into_iter().map(move |action| (sid.clone(), action)).collect::<Vec<_>>()
        };
        let rights: Vec<Right> = self.0.iter().flat_map(of).collect();
        let distinct: BTreeSet<Right> = rights.iter().cloned().collect();
        assert_eq!(rights.len(), distinct.len(), "a right is given twice: {rights:?}");
        distinct
    }

    /// The right by which this is allowed.
    pub(crate) fn allows(&self, access: &Access) -> Option<Right> {
        let allowing = self.0.iter().find(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            many(&statement["Action"]).iter().any(|action| action == access.action)
                && many(&statement["Resource"]).iter().any(|resource| is_resource(resource, &access.on))
                && holds(statement.get("Condition"), access)
        })?;
        Some((allowing["Sid"].as_str()?.to_owned(), access.action.to_owned()))
    }
}

fn many(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list.iter().map(|one| one.as_str().expect("a text").to_owned()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            panic!("neither a text nor a list: {value}")
        }
    }
}

fn is_resource(pattern: &str, on: &str) -> bool {
    like(pattern.strip_prefix("arn:aws:s3:::").expect("an ARN of S3"), on)
}

fn holds(condition: Option<&Value>, access: &Access) -> bool {
    let Some(condition) = condition else { return true };
    condition.as_object().expect("operators").iter().all(|(operator, keys)| {
        keys.as_object().expect("keys").iter().all(|(key, values)| match (operator.as_str(), key.as_str()) {
            ("StringLike", "s3:prefix") => {
                access.prefix.as_ref().is_some_and(|prefix| many(values).iter().any(|value| like(value, prefix)))
            }
            ("Null", "s3:if-match") => many(values) == [(!access.if_match).to_string()],
            other => panic!("an unknown condition: {other:?}"),
        })
    })
}

/// `*` and `?` as IAM reads them, `${*}`, `${?}` and `${$}` as letters.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let letters = |literal: &str, rest: &str| text.strip_prefix(literal).is_some_and(|text| like(rest, text));
    for literal in ["*", "?", "$"] {
        if let Some(rest) = pattern.strip_prefix(&format!("${{{literal}}}")) {
            return letters(literal, rest);
        }
    }
    let mut characters = pattern.chars();
    match characters.next() {
        None => text.is_empty(),
        Some('*') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(characters.as_str(), &text[at..]))
        }
        Some('?') => text.chars().next().is_some_and(|first| like(characters.as_str(), &text[first.len_utf8()..])),
        Some(literal) => letters(&literal.to_string(), characters.as_str()),
    }
}
