//! The kinds of faults, and to which requests each applies.

use avatar_migrate_kit::Fault;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It is not done: 500.
    ErrorBefore,
    /// It is not done: 503, asking for fewer requests.
    SlowDown,
    /// It is done, and the connection is closed instead of an answer.
    AnswerLost,
    /// The same with a reset.
    Reset,
    /// It is done, and the answer does not come until the program gives up waiting.
    TimeOut,
    /// It is not done: 200 with an error in its body.
    ErrorInAnswer,
    /// It is done: 200 with nothing in its body.
    EmptyAnswer,
    /// It is done, and the answer ends in the middle of its body.
    TruncatedAnswer,
    /// From this request on none is done any more: the credentials have expired.
    Expired,
    /// It is done twice, and the second answer counts.
    Twice,
    /// The program is killed before it is done.
    CrashBefore,
    /// It is done, and the program is killed before it is answered.
    CrashAfter,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::ErrorBefore,
        Self::SlowDown,
        Self::AnswerLost,
        Self::Reset,
        Self::TimeOut,
        Self::ErrorInAnswer,
        Self::EmptyAnswer,
        Self::TruncatedAnswer,
        Self::Expired,
        Self::Twice,
        Self::CrashBefore,
        Self::CrashAfter,
    ];

    /// Whether it can happen to a request of this operation: where the answer has no body, none can be cut or wrong.
    pub(super) fn applies(self, operation: &str) -> bool {
        match self {
            Self::ErrorInAnswer | Self::EmptyAnswer | Self::TruncatedAnswer => {
                !["HeadObject", "PutObject", "UploadPart", "DeleteObject", "AbortMultipartUpload"].contains(&operation)
            }
            Self::ErrorBefore
            | Self::SlowDown
            | Self::AnswerLost
            | Self::Reset
            | Self::TimeOut
            | Self::Expired
            | Self::Twice
            | Self::CrashBefore
            | Self::CrashAfter => true,
        }
    }

    /// What the server does with the request.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::ErrorBefore => Fault::Status(500, "InternalError".to_owned()),
            Self::SlowDown => Fault::Status(503, "SlowDown".to_owned()),
            Self::Reset => Fault::Reset,
            Self::TimeOut => Fault::NoAnswer,
            Self::ErrorInAnswer => Fault::ErrorInAnswer("InternalError".to_owned()),
            Self::EmptyAnswer => Fault::EmptyAnswer,
            Self::TruncatedAnswer => Fault::TruncatedAnswer,
            Self::Expired => Fault::Status(400, "ExpiredToken".to_owned()),
            Self::Twice => Fault::Twice,
            Self::CrashBefore => Fault::DropConnection,
            Self::AnswerLost | Self::CrashAfter => Fault::AnswerLost,
        }
    }

    pub(super) fn crashes(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }
}
