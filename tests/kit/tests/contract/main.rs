//! One contract for every S3 server that the tests run on. What a server does otherwise than AWS stands in
//! [`subject::Traits`], and is asserted too: a server that changes is seen here first. [`servers`] measures those too that no
//! other test runs on, and writes what it finds to `docs/servers.md`.

mod capabilities;
mod checksums;
mod conditions;
mod copying;
mod deleting;
mod hostile;
mod listing;
mod multipart;
mod page;
mod program;
mod servers;
mod subject;

use std::pin::Pin;

use crate::subject::Subject;

/// A case of the contract, to be run on any server.
type Case = for<'a> fn(&'a Subject) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// Makes two tests of every case, one on the embedded server, one on SeaweedFS, and a list of all.
macro_rules! contract {
    ($($module:ident: $($case:ident)+;)+) => {
        const CASES: &[(&str, Case)] = &[$($(
            (stringify!($case), |subject| Box::pin(crate::$module::$case(subject))),
        )+)+];
        mod embedded {
            use crate::subject::Subject;
            $($(
                #[tokio::test]
                async fn $case() -> anyhow::Result<()> {
                    crate::$module::$case(&Subject::embedded()?).await
                }
            )+)+
        }
        mod seaweed {
            use crate::subject::Subject;
            $($(
                #[tokio::test]
                async fn $case() -> anyhow::Result<()> {
                    crate::$module::$case(&Subject::seaweed()).await
                }
            )+)+
        }
    };
}

contract! {
    listing: keys_come_in_order a_page_is_capped prefix_and_start_after_narrow a_delimiter_groups
        names_are_encoded_when_asked size_etag_and_date_are_told;
    hostile: hostile_keys_survive_put_copy_list_delete;
    copying: a_copy_keeps_everything directives_replace a_missing_source_is_told a_missing_bucket_is_told
        a_range_is_cut tags_are_kept_apart a_wrong_secret_is_refused an_old_signature_is_refused;
    conditions: put_conditions copy_source_conditions copy_target_conditions read_conditions delete_conditions;
    deleting: deleting_many_gives_a_verdict_each deleting_what_is_absent_succeeds a_bucket_lives_and_dies;
    multipart: a_multipart_copy_is_whole a_copy_of_a_multipart_object complete_conditions
        an_abandoned_upload_is_listed_and_aborted;
    checksums: an_upload_without_a_checksum a_stored_sha256_is_told_and_carried a_copy_computes_what_is_asked
        a_wrong_checksum_is_refused attributes_are_told;
}
