//! What S3 asks for requests and for bytes: the price table of the forecast of a dry run.

/// Prices in US dollars.
///
/// [`Prices::LISTED`] are those of S3 Standard in us-east-1 as the AWS Price List API gave them on 2025-10-28 (service
/// AmazonS3, requests of tier 1 and tier 2; compare <https://aws.amazon.com/s3/pricing/>). Many other regions and storage
/// classes ask for more. DELETE is free.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Of 1,000 PUT, COPY, POST or LIST requests.
    pub copy: f64,
    /// Of 1,000 GET or HEAD requests.
    pub read: f64,
    /// Of a gigabyte (10^9 bytes) on its way: nothing inside one region.
    pub transfer: f64,
}

impl Prices {
    /// The defaults of the settings.
    pub const LISTED: Self = Self { copy: 0.005, read: 0.0004, transfer: 0.0 };
    /// Whose and of when these are.
    pub const LISTED_OF: &str = "AWS S3 Standard, us-east-1, 2025-10-28";
}
