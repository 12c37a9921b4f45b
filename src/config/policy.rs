//! What `policy` can be told.

use super::layers::{Layers, choice};
use super::phase::{Part, Phase};
use super::{Command, ConfigError, catalogue};

/// What `policy` can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyOptions {
    /// For which command; `None` for all of them.
    pub phase: Option<Phase>,
    /// The one document that is wanted, bare.
    pub only: Option<Part>,
    /// Whom bucket and key policies let in.
    pub principal: Option<String>,
}

/// What `doctor` can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoctorOptions {
    /// What to do with the legacy bucket's policy; `None`: only look.
    pub change: Option<PolicyChange>,
    /// Whom to let in; `None`: the identity that copies.
    pub principal: Option<String>,
    /// Whether nobody is asked.
    pub yes: bool,
}

/// What to do with the legacy bucket's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyChange {
    /// Merge in what a command needs.
    Attach(Phase),
    /// Take it out.
    Detach,
}

/// Reads the options of `doctor`.
pub(super) fn doctor(layers: &Layers, command: Command) -> Result<DoctorOptions, ConfigError> {
    let (attach, detach) = (layers.switch(&catalogue::ATTACH_POLICY)?, layers.switch(&catalogue::DETACH_POLICY)?);
    if attach && detach && command == Command::Doctor {
        return Err(ConfigError::new("--attach-policy and --detach-policy contradict each other").hint("give one"));
    }
    let change = match (attach, detach) {
        (true, _) => Some(PolicyChange::Attach(layers.required(&catalogue::DOCTOR_FOR, choice)?)),
        (false, true) => Some(PolicyChange::Detach),
        (false, false) => None,
    };
    Ok(DoctorOptions {
        change,
        principal: layers.optional(&catalogue::DOCTOR_PRINCIPAL, principal)?,
        yes: layers.switch(&catalogue::DOCTOR_YES)?,
    })
}

/// Reads the options of `policy`.
pub(super) fn policy(layers: &Layers, command: Command) -> Result<PolicyOptions, ConfigError> {
    let options = PolicyOptions {
        phase: layers.optional(&catalogue::FOR, choice)?,
        only: layers.optional(&catalogue::ONLY, choice)?,
        principal: layers.optional(&catalogue::PRINCIPAL, principal)?,
    };
    if command == Command::Policy && options.only.is_some() && options.phase.is_none() {
        let error = ConfigError::new("--only prints one document, and each command has its own");
        return Err(error.hint("say which: --for copy, for example"));
    }
    Ok(options)
}

/// An ARN, or the twelve digits of an account; `*` would be everybody.
pub(super) fn principal(text: &str) -> Result<String, ConfigError> {
    let account = text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let arn = text.split(':').count() >= ARN_PARTS && text.starts_with("arn:") && !text.contains(['*', ' ', '"']);
    if account || arn {
        return Ok(text.to_owned());
    }
    Err(ConfigError::new(format!("`{text}` names no user, role or account"))
        .hint("write its ARN, such as arn:aws:iam::111122223333:role/avatar-migrate, or the 12 digits of an account"))
}

const ACCOUNT_DIGITS: usize = 12;
/// `arn:partition:service:region:account:resource`.
const ARN_PARTS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_no_principal() {
        for wrong in ["*", "", "arn:aws:iam::1:role/*", "role/x", "11112222333", "arn:aws:iam"] {
            assert!(principal(wrong).is_err(), "{wrong}");
        }
        for right in ["111122223333", "arn:aws:iam::111122223333:role/a/b", "arn:aws-cn:iam::111122223333:user/x"] {
            assert_eq!(principal(right).as_deref(), Ok(right));
        }
    }
}
