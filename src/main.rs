//! The program: everything is in the library.

fn main() -> std::process::ExitCode {
    avatar_migrate::cli::main()
}
