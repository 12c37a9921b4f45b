//! The settings of single commands.

use super::Group;
use crate::config::phase::{PARTS, PHASES};
use crate::config::setting::{Setting, Takes};

const PROXIES: &[&str] = &["nginx", "haproxy", "cloudfront", "s3"];

groups! {
    /// The flags of `copy`.
    COPY(None) {
        DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only plan and forecast: nothing is written, locked or copied");
        LIMIT = Setting::new("limit", Takes::Number, "N")
            .help("Move at most this many objects")
            .described("all");
        ONLY_PREFIX = Setting::new("only-prefix", Takes::Text, "PREFIX")
            .help("Move only rows whose object's key in the legacy bucket begins with this")
            .described("all");
        WATCH = Setting::new("watch", Takes::Number, "DURATION")
            .help("Go on after the end: look so often for rows that the application still writes with legacy paths, and move them")
            .described("off");
        UNTIL_EMPTY = Setting::new("until-empty", Takes::Number, "DURATION")
            .help("End the watch when no legacy row came for this long")
            .described("the watch lasts until it is interrupted");
        PRICE_COPY = Setting::new("price-copy", Takes::Number, "USD")
            .help("For the forecast: what S3 asks for 1,000 PUT, COPY, POST or LIST requests")
            .default("0.005");
        PRICE_READ = Setting::new("price-read", Takes::Number, "USD")
            .help("For the forecast: what S3 asks for 1,000 GET or HEAD requests")
            .default("0.0004");
        PRICE_TRANSFER = Setting::new("price-transfer", Takes::Number, "USD")
            .help("For the forecast: what a gigabyte costs on its way; between regions of AWS about 0.02")
            .default("0");
    }

    /// The flags of `verify`.
    VERIFY(None) {
        REPORT = Setting::new("report", Takes::Text, "FILE")
            .help("Where the report goes, CSV")
            .default("avatarMigrate-verify.csv");
        HTML = Setting::new("html", Takes::Text, "FILE")
            .help("Where a page that shows the report goes, HTML: one file that opens offline, with a few pictures of both buckets")
            .described("none");
    }

    /// The flags of `finalize`.
    FINALIZE(None) {
        FINAL_REPORT = Setting::new("report", Takes::Text, "FILE")
            .help("Where the final report goes, CSV")
            .described("avatarMigrate-final-RUN.csv");
        ORPHANS = Setting::new("orphans", Takes::Choice(&["copy", "keep"]), "copy|keep")
            .help("Objects that no row names: copy and check them like any other, or keep them where they are")
            .described("copy, refused when they are more than a fifth of all");
        ORPHAN_MIN_AGE = Setting::new("orphan-min-age", Takes::Number, "DURATION")
            .help("Younger orphans are left: their rows may still be on the way")
            .default("1h");
        DELETE_SUPERSEDED = Setting::new("delete-superseded", Takes::Switch("no-delete-superseded"), "")
            .help("Delete sources, too, whose modern object the application has replaced since");
        YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Delete without asking");
        GRACE = Setting::new("grace", Takes::Number, "DURATION")
            .help("Refuse until this long after the first clean verify")
            .default("0s");
        MAX_DELETE = Setting::new("max-delete", Takes::Number, "N")
            .help("Refuse to delete more than this many objects")
            .described("no limit");
        APPROVED = Setting::new("approved", Takes::Text, "FILE")
            .help("Refuse when more would be deleted than this report of verify lists")
            .described("none");
        UNCONDITIONAL_DELETE = Setting::new("unconditional-delete", Takes::Switch("no-unconditional-delete"), "")
            .help("Where the server has no conditional deletes, compare right before each delete instead of refusing");
    }

    /// The flags of `rollback`.
    ROLLBACK(None) {
        RESTORE_OBJECTS = Setting::new("restore-objects", Takes::Switch("no-restore-objects"), "")
            .help("After finalize: copy deleted legacy objects back first, where production still holds what was checked");
        ROLLBACK_DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only look and count: nothing is written, locked or copied");
        ROLLBACK_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Roll back without asking");
        HOLDER_IS_DEAD = Setting::new("holder-is-dead", Takes::Switch("no-holder-is-dead"), "")
            .help("The process of an unfinished finalize is known to be gone: do not wait until its last requests expire");
    }

    /// The flags of `doctor`.
    DOCTOR(None) {
        ATTACH_POLICY = Setting::new("attach-policy", Takes::Switch("no-attach-policy"), "")
            .help("Let the identity of the production bucket into the legacy bucket of another account: merge statements into its policy");
        DETACH_POLICY = Setting::new("detach-policy", Takes::Switch("no-detach-policy"), "")
            .help("Take these statements out of the legacy bucket's policy again");
        DOCTOR_FOR = Setting::new("for", Takes::Choice(PHASES), "COMMAND")
            .help("With --attach-policy: for which command; finalize may delete, copy may not")
            .default("copy");
        DOCTOR_PRINCIPAL = Setting::new("principal", Takes::Text, "ARN")
            .help("With --attach-policy: whom to let in, a user, a role or an account")
            .described("the identity that copies");
        DOCTOR_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Change the policy without asking");
    }

    /// The flags of `policy`.
    POLICY(None) {
        FOR = Setting::new("for", Takes::Choice(PHASES), "COMMAND")
            .help("For this command alone: doctor, verify (also `explain` and `copy --dry-run`), copy, fence, finalize, rollback, restore (`rollback --restore-objects`), resolve, prune (`ledger prune`) or status")
            .described("all of them");
        ONLY = Setting::new("only", Takes::Choice(PARTS), "PART")
            .help("Print this document alone, to be piped on: iam, iam-source, iam-target, source-bucket, target-bucket, source-key, target-key or grants")
            .described("all of them, with headings");
        PRINCIPAL = Setting::new("principal", Takes::Text, "ARN")
            .help("Whom bucket and key policies let in: the ARN of a user or role, or an account")
            .described("a placeholder");
    }

    /// The flags of `fence`.
    FENCE(None) {
        APPLY = Setting::new("apply", Takes::Switch("no-apply"), "")
            .help("Set the fence up, instead of only printing its SQL");
        DROP = Setting::new("drop", Takes::Switch("no-drop"), "")
            .help("Take the fence of these mappings and this pattern away, constraints and triggers");
        TRIGGER = Setting::new("trigger", Takes::Switch("no-trigger"), "")
            .help("Triggers before INSERT and UPDATE instead of CHECK constraints: no table is copied");
        FENCE_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Set it up without asking");
    }

    /// The flags of `redirect`.
    REDIRECT(None) {
        REDIRECT_FORMAT = Setting::new("format", Takes::Choice(PROXIES), "nginx|haproxy|cloudfront|s3")
            .help("What the configuration is for; one of them has to be given");
        STAGE = Setting::new("stage", Takes::Choice(&["dual-read", "redirect"]), "dual-read|redirect")
            .help(
                "dual-read: each URL, legacy or modern, gets its object from production, else from the legacy \
                 bucket; redirect: the same, but legacy URLs are sent on to modern ones",
            )
            .default("dual-read");
        LEGACY_URL = Setting::new("legacy-url", Takes::Text, "URL")
            .help("What legacy paths are appended to in public, such as https://www.example.org/")
            .described("the root of any host");
        MODERN_URL = Setting::new("modern-url", Takes::Text, "URL")
            .help("What modern paths are appended to in public; redirects lead there")
            .described("the root of the same host");
        LISTEN = Setting::new("listen", Takes::Text, "ADDRESS:PORT")
            .help("Where nginx or HAProxy listens; TLS ends in front of it")
            .default("127.0.0.1:8080");
        RESOLVER = Setting::new("resolver", Takes::Text, "ADDRESS")
            .help("The name server that nginx asks for the addresses of the buckets, which change")
            .described("the first one of /etc/resolv.conf");
    }

    /// The flags of `resolve`.
    RESOLVE(None) {
        KEY = Setting::new("key", Takes::Text, "KEY")
            .help("The source's key or a row's path; as a rule given without the flag");
        KEEP = Setting::new("keep", Takes::Choice(&["source", "target"]), "source|target")
            .help("Which of the two stays: source replaces the target's bytes, target leaves them");
        RESOLVE_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Settle it without asking");
    }

    /// The flags of `explain`.
    EXPLAIN(None) {
        EXPLAIN_KEY = Setting::new("key", Takes::Text, "KEY")
            .help("An object's key in either bucket, or a path as a row holds it; as a rule given without the flag");
    }

    /// The flags of `ledger`.
    LEDGER(None) {
        OLDER_THAN = Setting::new("older-than", Takes::Number, "DURATION")
            .help("Forget what runs have left that began longer ago than this, such as 90d");
        LEDGER_DRY_RUN = Setting::new("dry-run", Takes::Switch("no-dry-run"), "")
            .help("Only count: nothing is forgotten");
        LEDGER_YES = Setting::new("yes", Takes::Switch("no-yes"), "")
            .help("Forget without asking");
    }

    /// The flags of `status`.
    STATUS(None) {
        STATUS_WATCH = Setting::new("watch", Takes::Optional("2s"), "DURATION")
            .help("Look again so often, until no run is at work; 2s if the flag stands alone")
            .described("off");
    }
}
