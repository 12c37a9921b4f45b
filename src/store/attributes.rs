//! What an object carries besides its bytes: content headers, user metadata, tags. CopyObject takes them along by
//! itself; uploads, multipart copies included, must send them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::Tag;
use percent_encoding::utf8_percent_encode;

use super::copy_source::EVERY_RESERVED_BYTE;

/// Headers by their lower-case name. Website redirect, storage class, encryption and ACL belong to the bucket's set-up,
/// not to the image: CopyObject does not take them along either (AWS: "CopyObject").
pub(super) type Headers = BTreeMap<String, String>;

/// The headers in the answer of a HEAD.
pub(super) fn headers_of_head(output: &HeadObjectOutput) -> Headers {
    let content = [
        ("cache-control", output.cache_control()),
        ("content-disposition", output.content_disposition()),
        ("content-encoding", output.content_encoding()),
        ("content-language", output.content_language()),
        ("content-type", output.content_type()),
        ("expires", output.expires_string()),
    ];
    headers(content, output.metadata())
}

/// The headers in the answer of a GET.
pub(super) fn headers_of_get(output: &GetObjectOutput) -> Headers {
    let content = [
        ("cache-control", output.cache_control()),
        ("content-disposition", output.content_disposition()),
        ("content-encoding", output.content_encoding()),
        ("content-language", output.content_language()),
        ("content-type", output.content_type()),
        ("expires", output.expires_string()),
    ];
    headers(content, output.metadata())
}

fn headers(content: [(&str, Option<&str>); 6], metadata: Option<&HashMap<String, String>>) -> Headers {
    let content = content.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let metadata = metadata.into_iter().flatten();
    content.chain(metadata.map(|(name, value)| (format!("x-amz-meta-{name}").to_lowercase(), value.clone()))).collect()
}

/// The tags as the header `x-amz-tagging` wants them; `None` if there are none.
pub(super) fn tagging(tags: &[Tag]) -> Option<String> {
    let encode = |text: &str| utf8_percent_encode(text, EVERY_RESERVED_BYTE).to_string();
    let pairs: Vec<String> = tags.iter().map(|tag| format!("{}={}", encode(tag.key()), encode(tag.value()))).collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

/// Sends headers as they were received. The typed builders cannot: they take `Expires` only as a valid date.
#[derive(Debug)]
pub(super) struct SendHeaders(pub(super) Headers);

impl Intercept for SendHeaders {
    fn name(&self) -> &'static str {
        "SendHeaders"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        for (name, value) in &self.0 {
            headers.try_insert(name.clone(), value.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sent_as_a_query_string() -> anyhow::Result<()> {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        assert_eq!(tagging(&[]), None);
        let tags = [tag("team a", "x=1&y")?, tag("owner", "jörg+co")?];
        assert_eq!(tagging(&tags).as_deref(), Some("team%20a=x%3D1%26y&owner=j%C3%B6rg%2Bco"));
        Ok(())
    }
}
