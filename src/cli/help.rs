//! The texts of the help around the flags.

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};

use crate::config::Command;

/// The widest line of the help.
pub(super) const WIDTH: usize = 100;

/// Headings and flags stand out from their descriptions.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// What the program is for.
pub(super) const ABOUT: &str = "Moves files between S3 buckets while a MariaDB database points at them: \
nothing lost, no broken image.";

/// How it is called.
pub(super) const USAGE: &str = "avatarMigrate [OPTIONS] <COMMAND>
       avatarMigrate [OPTIONS] <SOURCE_BUCKET> <TARGET_BUCKET> <DATABASE_URL> \\
                     <DATABASE_USERNAME> <DATABASE_PASSWORD>";

/// How the one-line form is called.
pub(super) const USAGE_ONE_LINE: &str = "avatarMigrate [OPTIONS] <SOURCE_BUCKET> <TARGET_BUCKET> <DATABASE_URL> \\
                     <DATABASE_USERNAME> <DATABASE_PASSWORD>";

const ONE_LINE: &str = "  The five values run copy, verify and finalize in order, and stop at the first that does not
  return 0; deleting is asked for first. All flags of the three commands are taken.
  DATABASE_PASSWORD may be `-`: it is then asked for, or read from standard input.
";

const PROGRAM_EXAMPLES: &str = "  # Find what can go wrong
  avatarMigrate doctor

  # See what would happen
  avatarMigrate copy --dry-run --database-url mysql://user@db:3306/production-db

  # Phase one: copy, check, move the rows. Run it again at any time
  avatarMigrate copy

  # Look, as often as you like
  avatarMigrate verify --report out.csv

  # Phase two: delete what has a checked twin
  avatarMigrate finalize --approved out.csv

  # Go back
  avatarMigrate rollback

  # All of it
  avatarMigrate legacy-s3 production-s3 mysql://db:3306/production-db user -
";

const COPY_EXAMPLES: &str = "  # Plan and forecast; nothing is written
  avatarMigrate copy --dry-run

  # Try it with ten objects first, then with a part of them
  avatarMigrate copy --limit 10
  avatarMigrate copy --only-prefix image/2024/

  # While old application servers still write legacy paths: until none came for five minutes
  avatarMigrate copy --watch 30s --until-empty 5m

  # Between two providers, through this machine
  avatarMigrate copy --method stream --target-endpoint-url https://s3.example.org

  # Rows that hold paths and URLs
  avatarMigrate copy --legacy-prefix image/  --legacy-prefix https://old.example.org/image/ \\
                     --modern-prefix avatar/ --modern-prefix https://new.example.org/avatar/
";

const VERIFY_EXAMPLES: &str = "  # Compare every row with both buckets; nothing is written but the report
  avatarMigrate verify --report out.csv

  # A page for people as well: one file, for any browser
  avatarMigrate verify --report out.csv --html out.html

  # Read the bytes, even where ETags would do
  avatarMigrate verify --check sha256

  # For programs
  avatarMigrate verify --format json | jq .finalizable
";

const FINALIZE_EXAMPLES: &str = "  # Verify afresh, ask, delete
  avatarMigrate finalize

  # Delete no more than a person has looked at, a day after the first clean verify
  avatarMigrate finalize --approved out.csv --grace 24h

  # From a script, leaving objects that no row names
  avatarMigrate finalize --yes --orphans keep --max-delete 100000
";

const ROLLBACK_EXAMPLES: &str = "  # See how many rows would go back
  avatarMigrate rollback --dry-run

  # Put back the rows that the journal knows, after asking
  avatarMigrate rollback

  # After finalize: copy the deleted objects back first, then the rows
  avatarMigrate rollback --restore-objects
";

const DOCTOR_EXAMPLES: &str = "  # Both buckets, the database, this machine: pass, warn or fail, and what to do
  avatarMigrate doctor

  # For programs: what failed
  avatarMigrate doctor --format json | jq '.checks[] | select(.status == \"fail\")'
";

const POLICY_EXAMPLES: &str = "  # What each command needs: IAM, bucket and key policies, GRANTs; nothing is written
  avatarMigrate policy

  # Hand them on
  avatarMigrate policy --for copy --only grants | mariadb --user root
  aws iam put-role-policy --role-name avatar-migrate --policy-name copy \\
      --policy-document \"$(avatarMigrate policy --for copy --only iam)\"

  # The legacy bucket belongs to another account
  avatarMigrate policy --for copy --only source-bucket \\
      --principal arn:aws:iam::111122223333:role/avatar-migrate
";

const FENCE_EXAMPLES: &str = "  # The SQL by which the database refuses new legacy paths, to look at or to run by hand
  avatarMigrate fence

  # Set it up once copy has left no legacy path: writers of a table wait while it is copied
  avatarMigrate fence --apply

  # With triggers, which copy no table
  avatarMigrate fence --apply --trigger

  # Take it away
  avatarMigrate fence --drop

  A session that sets check_constraint_checks = 0 goes past a constraint, and other spellings
  (IMAGE/…) are no legacy paths: verify still finds both.
";

const RESOLVE_EXAMPLES: &str = "  # A conflict: the row moves to what production holds, once this is on record
  avatarMigrate resolve image/avatar-1.png --keep target

  # The legacy picture is the right one: it replaces the other, which is put aside below
  # .avatar-migrate/ in the production bucket
  avatarMigrate resolve image/avatar-1.png --keep source

  # Then the rows that waited move
  avatarMigrate copy
";

const REDIRECT_EXAMPLES: &str = "  # Before copy: every URL gets its object from wherever it is
  avatarMigrate redirect --format nginx > /etc/nginx/conf.d/avatar-migrate.conf
  nginx -t && systemctl reload nginx

  # Before finalize, or any time later: legacy URLs are sent on to modern ones
  avatarMigrate redirect --format haproxy --stage redirect --modern-url https://www.example.org/

  # For private buckets: a CloudFront function, with what its distribution needs
  avatarMigrate redirect --format cloudfront > function.js

  # Routing rules for the website of the legacy bucket
  avatarMigrate redirect --format s3 > website.json
  aws s3api put-bucket-website --bucket legacy-s3 --website-configuration file://website.json

  It is made from the settings alone: no database and no bucket is asked.
";

const STATUS_EXAMPLES: &str = "  # What runs or ran last, how far it is, and what the ledger counts; nothing is written
  avatarMigrate status

  # Until no run is at work
  avatarMigrate status --watch

  # For programs
  avatarMigrate status --format json | jq .state
";

const EXPLAIN_EXAMPLES: &str =
    "  # A picture that somebody complains about: rows, both objects, what the ledger knows, and why
  avatarMigrate explain image/avatar-1.png

  # By its new key, or by what a row holds
  avatarMigrate explain https://old.example.org/image/avatar-1.png?v=2

  # For programs
  avatarMigrate explain avatar/avatar-1.png --format json | jq .status
";

const LEDGER_EXAMPLES: &str = "  # How much it would be
  avatarMigrate ledger prune --older-than 90d --dry-run

  # Forget it: rows that were moved before cannot be rolled back any more
  avatarMigrate ledger prune --older-than 90d
";

/// What `init` is for, and examples.
pub(super) const INIT: (&str, &str) = (
    "Print a settings file with every setting, its meaning and its default",
    "  # Then fill in the database
  avatarMigrate init > avatarMigrate.toml
",
);

/// What `completions` is for, and examples.
pub(super) const COMPLETIONS: (&str, &str) = (
    "Print what completes commands and flags in a shell",
    "  # For this user; zsh and fish have folders of their own
  avatarMigrate completions bash > ~/.local/share/bash-completion/completions/avatarMigrate
",
);

/// Whose completions.
pub(super) const SHELL: &str = "The shell";

/// What `man` is for, and examples.
pub(super) const MAN: (&str, &str) = (
    "Write the manual pages, one a command",
    "  # For this user
  avatarMigrate man ~/.local/share/man/man1
  man avatarMigrate-copy
",
);

/// Where manual pages go.
pub(super) const DIRECTORY: &str = "Where they go: a folder that exists";

const EXIT_CODES: &str = "  0    done and clean
  1    failed
  2    usage, settings or missing grants
  3    ran, but work is left or problems were found
  4    refused by a safety gate; nothing was deleted or rolled back
  5    another run holds the lock
  130  interrupted
";

const ENVIRONMENT: &str = "  Flags win over the environment, that over the settings file, that over defaults.
  Every flag has a variable (--source-bucket: AVATAR_MIGRATE_SOURCE_BUCKET) and a key in
  avatarMigrate.toml (source-bucket = \"legacy-s3\"). A repeatable flag is a comma separated
  variable and an array in the file. A switch is turned off by --no-… or false.
  AVATAR_MIGRATE_DATABASE_PASSWORD holds the password of the database.
  Credentials for S3 come from the AWS chain (AWS_PROFILE, AWS_ACCESS_KEY_ID, …).
";

/// What a command is for, and examples.
pub(super) fn of_command(command: Command) -> (&'static str, &'static str) {
    match command {
        Command::Copy => {
            ("Phase one: copy objects, check them, and move the rows to their modern paths", COPY_EXAMPLES)
        }
        Command::Verify => ("Compare rows and both buckets, and write a report", VERIFY_EXAMPLES),
        Command::Finalize => {
            ("Phase two: verify afresh, and delete the legacy objects that have a checked twin", FINALIZE_EXAMPLES)
        }
        Command::Rollback => (
            "Undo: put back exactly the rows that copy has changed, after finalize also the objects",
            ROLLBACK_EXAMPLES,
        ),
        Command::Doctor => {
            ("Look for everything that can go wrong, before it does; only scratch objects are written", DOCTOR_EXAMPLES)
        }
        Command::Policy => {
            ("Print the least privileges of each command: IAM, bucket and key policies, GRANTs", POLICY_EXAMPLES)
        }
        Command::Fence => {
            ("Let the database itself refuse new legacy paths: print, set up or take away the fence", FENCE_EXAMPLES)
        }
        Command::Redirect => (
            "Print what keeps old URLs alive: configuration for nginx, HAProxy, CloudFront or an S3 website",
            REDIRECT_EXAMPLES,
        ),
        Command::Resolve => (
            "Settle a conflict of one object, on the record: keep the source's bytes, or the target's",
            RESOLVE_EXAMPLES,
        ),
        Command::Explain => {
            ("Tell everything that is known of one key or path, and what to do about it", EXPLAIN_EXAMPLES)
        }
        Command::Ledger => {
            ("Keep the ledger small: forget what old runs have left, which then cannot be rolled back", LEDGER_EXAMPLES)
        }
        Command::Status => ("Tell where the migration stands, from the ledger alone", STATUS_EXAMPLES),
        Command::Migrate => (ABOUT, PROGRAM_EXAMPLES),
    }
}

/// What follows the flags of the program.
pub(super) fn after_program() -> String {
    let sections = [
        ("One-line form", ONE_LINE),
        ("Examples", PROGRAM_EXAMPLES),
        ("Exit codes", EXIT_CODES),
        ("Environment", ENVIRONMENT),
    ];
    joined(&sections)
}

/// What follows the flags of a command.
pub(super) fn after_command(examples: &str) -> String {
    joined(&[("Examples", examples), ("Exit codes", EXIT_CODES), ("Environment", ENVIRONMENT)])
}

/// What follows the words of a command that takes no settings.
pub(super) fn example(examples: &str) -> String {
    joined(&[("Examples", examples)])
}

fn joined(sections: &[(&str, &str)]) -> String {
    let header = STYLES.get_header();
    let texts = sections.iter().map(|(title, text)| format!("{header}{title}:{header:#}\n{text}"));
    texts.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
