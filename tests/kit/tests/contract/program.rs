//! What the program itself finds on a server, by its own canaries and in the words of its `doctor`.

use anyhow::Result;
use avatar_migrate::operate::doctor::{self, Check, Side};
use avatar_migrate::store::{
    Bucket, Copier, DeleteProof, Deleter, PartSizes, Scratch, StoreError, Stores, prove_checksum, prove_copies,
    prove_listing,
};

use crate::subject::Subject;

/// The trials by the name of their row, in the order of the page.
pub(crate) const TRIALS: [&str; 4] =
    ["`copy`: conditions on copies", "`finalize`: conditions on deletes", "all: listings", "check: SHA-256 of copies"];

/// Runs one trial in a bucket of its own. What stays behind is a failure of the program, and of the test.
pub(crate) async fn trial(name: &str, subject: &Subject) -> Result<String> {
    let bucket = (&subject.client, subject.bucket.as_str());
    let bucket = Stores::from_clients(bucket, bucket).source;
    let check = judged(name, &bucket).await?;
    let left = subject.keys().await?;
    assert!(left.is_empty(), "scratch objects are left: {left:?}");
    Ok(cell(&check))
}

async fn judged(name: &str, bucket: &Bucket) -> Result<Check> {
    let scratch = Scratch::of_doctor();
    let sizes = PartSizes { threshold: 5 << 30, part_size: 5 << 20 };
    let copier = Copier::new(bucket.clone(), bucket.clone(), sizes);
    Ok(match TRIALS.iter().position(|known| *known == name) {
        Some(0) => {
            let conditions = async { prove_copies(bucket, &copier, &scratch).await?.cleared().await };
            doctor::copy_conditions(&conditions.await)
        }
        Some(1) => doctor::conditional_delete(&conditional(bucket, &scratch).await),
        Some(2) => doctor::listing(Side::Target, &prove_listing(bucket, &scratch).await),
        Some(3) => doctor::checksum(&prove_checksum(bucket, &copier, &scratch).await),
        Some(_) | None => anyhow::bail!("no such trial: {name}"),
    })
}

async fn conditional(bucket: &Bucket, scratch: &Scratch) -> Result<doctor::Conditional, StoreError> {
    Ok(match Deleter::prove(bucket.clone(), scratch).await? {
        DeleteProof::Enforced(deleter) => Some(deleter.mode()),
        DeleteProof::NotEnforced(_) => None,
    })
}

/// Status, what was found, and what to do, in a cell of a table.
fn cell(check: &Check) -> String {
    let status = format!("{:?}", check.status).to_lowercase();
    let advice = check.advice.as_ref().map_or_else(String::new, |advice| format!(" → {advice}"));
    format!("{status}: {}{advice}", check.found).replace('|', "\\|")
}
