//! What has permissions of its own, and the documents that give them: the words of `--for` and `--only`.

use clap::ValueEnum;

/// The words of `--for`.
pub(super) const PHASES: &[&str] =
    &["doctor", "verify", "copy", "fence", "finalize", "rollback", "restore", "resolve", "prune", "status"];

/// The words of `--only`.
pub(super) const PARTS: &[&str] =
    &["iam", "iam-source", "iam-target", "source-bucket", "target-bucket", "source-key", "target-key", "grants"];

/// A command, or a way to run it, with permissions of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Phase {
    /// `doctor`.
    Doctor,
    /// `verify`, `explain`, and `copy --dry-run`.
    Verify,
    /// `copy`.
    Copy,
    /// `fence --apply` and `--drop`, and both with `--trigger`.
    Fence,
    /// `finalize`.
    Finalize,
    /// `rollback`.
    Rollback,
    /// `rollback --restore-objects`.
    Restore,
    /// `resolve`.
    Resolve,
    /// `ledger prune`.
    Prune,
    /// `status`.
    Status,
}

impl Phase {
    /// The word of `--for`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Doctor => "doctor",
            Self::Verify => "verify",
            Self::Copy => "copy",
            Self::Fence => "fence",
            Self::Finalize => "finalize",
            Self::Rollback => "rollback",
            Self::Restore => "restore",
            Self::Resolve => "resolve",
            Self::Prune => "prune",
            Self::Status => "status",
        }
    }
}

/// One document of `policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The policy of the one identity that reaches both buckets.
    Iam,
    /// That of the identity which reaches the legacy bucket, for this bucket alone.
    IamSource,
    /// The same for the production bucket.
    IamTarget,
    /// The legacy bucket's policy for an identity of another account.
    SourceBucket,
    /// The production bucket's.
    TargetBucket,
    /// What the identity needs of the key that encrypts the legacy bucket.
    SourceKey,
    /// The same of the production bucket's.
    TargetKey,
    /// The GRANTs for MariaDB.
    Grants,
}

impl Part {
    /// The word of `--only`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::IamSource => "iam-source",
            Self::IamTarget => "iam-target",
            Self::SourceBucket => "source-bucket",
            Self::TargetBucket => "target-bucket",
            Self::SourceKey => "source-key",
            Self::TargetKey => "target-key",
            Self::Grants => "grants",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_command_line() {
        for phase in Phase::value_variants() {
            assert_eq!(
                phase.to_possible_value().map(|value| value.get_name().to_owned()).as_deref(),
                Some(phase.word())
            );
        }
        for part in Part::value_variants() {
            assert_eq!(part.to_possible_value().map(|value| value.get_name().to_owned()).as_deref(), Some(part.word()));
        }
    }
}
