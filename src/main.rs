//! The program: everything is in the library.

/// Listings come in answers of some hundred kilobytes. The allocator of glibc maps and unmaps each of them, or keeps them all,
/// depending on what was freed before; a verify of a million rows took half as long again with it, and a quarter more memory.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    avatar_migrate::cli::main()
}
