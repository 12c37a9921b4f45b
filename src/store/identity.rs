//! Whose the credentials of a side are, as the token service of AWS tells.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::{Builder, Region};

use super::StoreError;
use super::failure::Failure;

/// A user, a role in use, or a whole account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The twelve digits of its account.
    pub account: String,
    /// Its ARN; that of a role in use names the session too.
    pub arn: String,
}

impl Caller {
    /// What the policy of a bucket names to let it in: of a role in use the role, as its next session has another name. The
    /// path of a role does not stand in the session's ARN, and is missing here (AWS: "IAM identifiers").
    #[must_use]
    pub fn principal(&self) -> String {
        let parts: Vec<&str> = self.arn.splitn(ARN_PARTS, ':').collect();
        let [_, partition, "sts", _, account, resource] = parts.as_slice() else { return self.arn.clone() };
        match resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/')) {
            Some((role, _)) => format!("arn:{partition}:iam::{account}:role/{role}"),
            None => self.arn.clone(),
        }
    }
}

/// `arn:partition:service:region:account:resource`.
const ARN_PARTS: usize = 6;

/// The way to ask.
#[derive(Clone, Debug)]
pub struct Identity {
    client: Option<Client>,
    bucket: String,
}

impl Identity {
    /// By the credentials that reach `bucket`.
    pub(super) fn of(shared: &SdkConfig, bucket: &str) -> Self {
        let patience = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        // Every region answers for all of them.
        let region = shared.region().cloned().unwrap_or_else(|| Region::new("us-east-1"));
        let client = Client::from_conf(Builder::from(shared).region(region).timeout_config(patience).build());
        Self { client: Some(client), bucket: bucket.to_owned() }
    }

    /// Where there is nobody to ask.
    pub(super) fn unknown() -> Self {
        Self { client: None, bucket: String::new() }
    }

    /// GetCallerIdentity, for which no permission is needed; `None` where there is nobody to ask.
    ///
    /// # Errors
    /// [`StoreError`] if there are no credentials, they are refused, or nobody answers.
    pub async fn caller(&self) -> Result<Option<Caller>, StoreError> {
        let Some(client) = &self.client else { return Ok(None) };
        let failed = |failure: Failure| {
            failure.into_error("GetCallerIdentity", format!("the identity for s3://{}", self.bucket))
        };
        let answer = client.get_caller_identity().send().await.map_err(|error| failed(Failure::from(error)))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Some(Caller { account, arn })),
            (_, _) => Err(failed(Failure::unusable_answer("the answer names no account"))),
        }
    }
}

/// A question on the side: nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_in_use_is_let_in_as_the_role() {
        for (arn, principal) in [
            ("arn:aws:sts::111122223333:assumed-role/migrator/me@host", "arn:aws:iam::111122223333:role/migrator"),
            ("arn:aws-cn:sts::111122223333:assumed-role/a/b", "arn:aws-cn:iam::111122223333:role/a"),
            ("arn:aws:sts::111122223333:federated-user/x", "arn:aws:sts::111122223333:federated-user/x"),
            ("arn:aws:iam::111122223333:user/team/x", "arn:aws:iam::111122223333:user/team/x"),
            ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
            ("x", "x"),
        ] {
            let caller = Caller { account: "111122223333".to_owned(), arn: arn.to_owned() };
            assert_eq!(caller.principal(), principal);
        }
    }
}
