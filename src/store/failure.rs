//! Failed requests: what the service or the connection said, reduced to what a caller can branch on and a person can
//! read.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

use super::{StoreError, StoreErrorKind};
use crate::failure::tls_advice;

/// One failed request, after the retries of the SDK.
#[derive(Debug)]
pub(super) struct Failure {
    /// The error code of S3, where there was one; HEAD answers have no body, and so no code.
    code: Option<String>,
    /// The HTTP status, where there was an answer.
    status: Option<u16>,
    kind: StoreErrorKind,
    message: String,
}

impl Failure {
    /// A failure that this program found in an answer that S3 meant as a success.
    pub(super) fn unusable_answer(message: impl Into<String>) -> Self {
        Self { code: None, status: Some(200), kind: StoreErrorKind::Other, message: message.into() }
    }

    /// A body that broke off; its transfer can be made again from the start.
    pub(super) fn broken_body(error: &(dyn Error + 'static)) -> Self {
        let message = one_line(&chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": "));
        Self { code: None, status: None, kind: StoreErrorKind::Unreachable, message }
    }

    /// Whether the error code is this one.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether a condition (`If-Match`, `If-None-Match`, copy source) did not hold.
    pub(super) fn is_precondition(&self) -> bool {
        self.status == Some(412) || self.has_code("PreconditionFailed")
    }

    /// Whether another write to the same key was in the way. The SDK does not retry these.
    pub(super) fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }

    /// Whether an object is missing: 404 that is not about the bucket.
    pub(super) fn is_missing_object(&self) -> bool {
        let of_object = self.code.as_deref().is_none_or(|code| matches!(code, "NoSuchKey" | "NotFound"));
        self.has_code("NoSuchKey") || (self.status == Some(404) && of_object)
    }

    /// Whether the server does not know what was asked of it.
    pub(super) fn is_unsupported(&self) -> bool {
        self.kind == StoreErrorKind::Other && matches!(self.status, Some(400 | 405 | 501))
    }

    /// Whether the request may have been carried out although it failed: no answer came, or an answer that says
    /// nothing of what happened (500, 502, 504, an error inside a 200).
    pub(super) fn is_ambiguous(&self) -> bool {
        match self.kind {
            StoreErrorKind::Unreachable => true,
            StoreErrorKind::Other => matches!(self.status, Some(200 | 500 | 502 | 504)),
            StoreErrorKind::Throttled => self.status == Some(200),
            StoreErrorKind::Forbidden
            | StoreErrorKind::NoSuchBucket
            | StoreErrorKind::Credentials
            | StoreErrorKind::Archived => false,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        self.kind == StoreErrorKind::Throttled || self.is_ambiguous()
    }

    /// What happened, in one line.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Adds advice if the request was forbidden.
    pub(super) fn hint_if_forbidden(mut self, hint: &str) -> Self {
        if self.kind == StoreErrorKind::Forbidden {
            self.message = format!("{}; {hint}", self.message);
        }
        self
    }

    /// The error that leaves this room.
    pub(super) fn into_error(self, operation: &'static str, subject: String) -> StoreError {
        StoreError { kind: self.kind, operation, subject, message: self.message }
    }
}

impl StoreError {
    /// What an operator can change about it, if anything.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let authority = "give the authority's certificate in the variable AWS_CA_BUNDLE";
        let of_tls = (self.kind == StoreErrorKind::Unreachable).then(|| tls_advice(&self.message, authority)).flatten();
        of_tls.or_else(|| self.kind.advice().map(str::to_owned))
    }
}

impl StoreErrorKind {
    fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::NoSuchBucket => "check --source-bucket and --target-bucket, and the endpoint they are on",
            Self::Credentials => "check the AWS profile or the environment's keys (--source-profile, --target-profile)",
            Self::Forbidden => "grant s3:ListBucket on the bucket and s3:GetObject on its objects to this identity",
            Self::Other => "check --source-region, --target-region and the endpoint URLs",
            Self::Unreachable => {
                "check --source-endpoint-url and --target-endpoint-url, and that the server is running"
            }
            Self::Archived | Self::Throttled => return None,
        })
    }
}

impl<E> From<SdkError<E>> for Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let text = match status {
            Some(status) => answer_text(&error, status),
            None => chain_text(&error),
        };
        Self { kind: kind_of(&error, code.as_deref(), status), code, status, message: one_line(&text) }
    }
}

/// Codes of refused or expired credentials (AWS: "Error responses", list of error codes).
const CREDENTIAL_CODES: [&str; 10] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidToken",
    "NotSignedUp",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];

fn kind_of<E: Error + 'static>(error: &SdkError<E>, code: Option<&str>, status: Option<u16>) -> StoreErrorKind {
    match (code, status) {
        (Some("NoSuchBucket"), _) => StoreErrorKind::NoSuchBucket,
        (Some(code), _) if CREDENTIAL_CODES.contains(&code) => StoreErrorKind::Credentials,
        (Some("InvalidObjectState" | "ObjectNotInActiveTierError"), _) => StoreErrorKind::Archived,
        (Some("SlowDown" | "RequestLimitExceeded"), _) | (_, Some(429 | 503)) => StoreErrorKind::Throttled,
        (Some("AccessDenied" | "AllAccessDisabled"), _) | (_, Some(403)) => StoreErrorKind::Forbidden,
        (_, Some(_)) => StoreErrorKind::Other,
        (_, None) if chain(error).any(|cause| cause.is::<CredentialsError>()) => StoreErrorKind::Credentials,
        (_, None) if matches!(error, SdkError::ConstructionFailure(_)) => StoreErrorKind::Other,
        (_, None) => StoreErrorKind::Unreachable,
    }
}

/// `AccessDenied: Access Denied (HTTP 403, request 7A…)`. Only code, message and ids are taken: the raw answer of a
/// refused signature repeats the access key and the signed text.
fn answer_text<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>, status: u16) -> String {
    let said = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) if status == 200 => format!("an answer that cannot be read: {}", chain_text(error)),
        (None, None) => "no reason was given".to_owned(),
    };
    let request = error.request_id().map_or_else(String::new, |id| format!(", request {id}"));
    format!("{said} (HTTP {status}{request}){}", region_hint(error))
}

/// A bucket in another region answers 301 or 400 and names its region in a header.
fn region_hint<E>(error: &SdkError<E>) -> String {
    let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
    match (region, error.raw_response().map(|response| response.status().as_u16())) {
        (Some(region), Some(301 | 307 | 400)) => format!("; the bucket is in region {region}"),
        _ => String::new(),
    }
}

/// The causes from the second one on, as the outermost ("dispatch failure") says nothing.
fn chain_text(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error).skip(1) {
        let text = cause.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

/// Longest message that still is one readable line.
const MESSAGE_CHARS_MAX: usize = 500;

/// Servers put anything into messages, hostile keys included: control characters would forge log lines.
fn one_line(text: &str) -> String {
    let clean = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    clean.take(MESSAGE_CHARS_MAX).collect::<String>().trim().to_owned()
}
