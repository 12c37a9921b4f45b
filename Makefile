# Plain `make` runs the tests. `make help` lists everything.

PROGRAM := avatarMigrate
PREFIX ?= $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
BIN := $(DESTDIR)$(PREFIX)/bin
SHARE := $(DESTDIR)$(PREFIX)/share
TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILT := $(TARGET)/release/$(PROGRAM)
# Where each shell looks for them: bash, zsh, fish.
COMPLETIONS := bash-completion/completions/$(PROGRAM) zsh/site-functions/_$(PROGRAM) fish/vendor_completions.d/$(PROGRAM).fish

.DEFAULT_GOAL := test
ROWS ?=
BENCH_ARGS ?=
.PHONY: test deep bench fuzz help setup build install uninstall deb demo check clean

test: setup ## Run all tests, against a real MariaDB, SeaweedFS and the embedded S3 server
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(nproc)))} cargo test --workspace --locked

deep: setup ## What is too long for every landing, under an hour; its figures go to docs/deep.json and README
	@tools/deep

bench: ## Measure it beside s5cmd, rclone, aws and bare SQL, under 40 minutes: docs/benchmarks; ROWS='copy finalize', BENCH_ARGS=--quick
	@tools/setup bench
	cargo bench --locked --bench bench -- $(BENCH_ARGS) $(ROWS)

fuzz: ## Feed paths, settings and reports with arbitrary bytes, ten minutes each
	@tools/fuzz 600

demo: ## Watch a whole migration in under a minute; KEEP=1 leaves the servers running
	@tools/setup mariadb
	@cargo build --quiet --locked --bin $(PROGRAM) --example demo
	@KEEP='$(KEEP)' $(TARGET)/debug/examples/demo

check: ## Formatting, lints, documentation, licences: everything that needs no server
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked
	tools/supply-chain

build: ## Build the program for production
	cargo build --release --locked --bin $(PROGRAM)

install: build ## Put the program, its manual pages and completions below /usr/local for root, else ~/.local; or PREFIX=…
	install -d '$(BIN)' '$(SHARE)/man/man1' $(patsubst %,'$(SHARE)/%',$(dir $(COMPLETIONS)))
	install -m 755 '$(BUILT)' '$(BIN)/$(PROGRAM)'
	'$(BUILT)' man '$(SHARE)/man/man1'
	'$(BUILT)' completions bash >'$(SHARE)/$(word 1,$(COMPLETIONS))'
	'$(BUILT)' completions zsh >'$(SHARE)/$(word 2,$(COMPLETIONS))'
	'$(BUILT)' completions fish >'$(SHARE)/$(word 3,$(COMPLETIONS))'
	@case ":$$PATH:" in *':$(BIN):'*) ;; *) echo 'Add $(BIN) to your PATH.' ;; esac

uninstall: ## Take it off again
	rm -f '$(BIN)/$(PROGRAM)' '$(SHARE)/man/man1/$(PROGRAM)'.1 '$(SHARE)/man/man1/$(PROGRAM)'-*.1
	rm -f $(patsubst %,'$(SHARE)/%',$(COMPLETIONS))

deb: build ## Make a Debian package: target/debian/avatar-migrate_VERSION_ARCH.deb
	@tools/package

setup: ## Install what tests need and what is missing: MariaDB, Chromium, nginx, HAProxy, Node.js, Slurm; into .venv SeaweedFS and more
	@tools/setup

clean: ## Remove what was built, the demo's reports and .venv
	cargo clean
	rm -rf demo-reports .venv

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
