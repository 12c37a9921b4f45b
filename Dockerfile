# syntax=docker/dockerfile:1
# avatarMigrate in an image without a shell, run as nobody in particular:
#   docker build --build-arg COMMIT="$(git log -1 --format='%h %cs' --abbrev=12)" -t avatar-migrate .
#   docker run --rm --init -v "$PWD:/data" --env-file migrate.env avatar-migrate verify --report out.csv
# `--method sync` needs the AWS CLI, which is not in it; the other methods need nothing.

FROM rust:1.94-slim-bookworm AS build
# aws-lc-rs, the TLS library's cryptography, and the allocator are built from C.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG COMMIT=
ENV AVATAR_MIGRATE_COMMIT=$COMMIT
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --release --locked --bin avatarMigrate && cp target/release/avatarMigrate /avatarMigrate

# The C library, the system's certificate authorities, /tmp and users: nothing else.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /avatarMigrate /usr/local/bin/avatarMigrate
# Settings are read from here, and reports go here: mount a folder that user 65532 may write to.
WORKDIR /data
USER nonroot:nonroot
ENTRYPOINT ["/usr/local/bin/avatarMigrate"]
