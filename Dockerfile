# The image: one static binary, CA certificates, and nothing else. For amd64 and arm64: with --platform for the other of the
# two, a cross compiler builds it, and nothing is emulated.

# The name is not in an ARG, because dependabot does not read those.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95.0-slim-bookworm AS build
SHELL ["/bin/sh", "-eu", "-c"]
WORKDIR /build

# The GNU C library can be linked statically: it resolves names by /etc/hosts and DNS without further files.
ENV CARGO_BUILD_RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_PROFILE_RELEASE_STRIP=symbols \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc

ARG TARGETARCH
# hadolint ignore=DL3008
RUN case "$TARGETARCH" in \
      amd64) echo x86_64-unknown-linux-gnu ;; \
      arm64) echo aarch64-unknown-linux-gnu ;; \
      *) echo "no image for the architecture '$TARGETARCH'; build with --platform linux/amd64 or linux/arm64" >&2; exit 1 ;; \
    esac >/target; \
    if [ "$TARGETARCH" != "$(dpkg --print-architecture)" ]; then \
      apt-get update; \
      apt-get install --yes --no-install-recommends "crossbuild-essential-$TARGETARCH"; \
      rm -rf /var/lib/apt/lists/*; \
      rustup target add "$(cat /target)"; \
    fi

# Builds the dependencies with an empty program: this layer is cached until they change.
COPY Cargo.toml Cargo.lock ./
COPY crates/memory/Cargo.toml crates/memory/
COPY crates/minergate/Cargo.toml crates/minergate/
COPY crates/minergate-pools/Cargo.toml crates/minergate-pools/
COPY crates/minergate-server/Cargo.toml crates/minergate-server/
COPY crates/minergate-simulator/Cargo.toml crates/minergate-simulator/
RUN for package in . crates/*; do \
      mkdir "$package/src"; \
      touch "$package/src/lib.rs"; \
    done; \
    echo 'fn main() {}' >src/main.rs; \
    cargo build --release --locked --target "$(cat /target)"

COPY . .
ARG REVISION=unknown
# Cargo compares the times of files, and those of the empty program are newer.
RUN touch src/lib.rs src/main.rs crates/*/src/lib.rs; \
    MINERGATE_EXPORTER_REVISION="$REVISION" cargo build --release --locked --target "$(cat /target)"

ARG SOURCE_DATE_EPOCH=0
RUN install -D "target/$(cat /target)/release/minergate-exporter" /image/usr/bin/minergate-exporter; \
    install -D --mode 444 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    install -D --mode 444 --target-directory /image/usr/share/doc/minergate-exporter LICENSE THIRD-PARTY-LICENSES; \
    install -D --mode 444 --target-directory /image/usr/share/doc/libc6 /usr/share/doc/libc6/copyright /usr/share/common-licenses/LGPL-2.1; \
    install -D --mode 444 --target-directory /image/usr/share/doc/ca-certificates /usr/share/doc/ca-certificates/copyright; \
    install -d --mode 700 /state; \
    find /image /state -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="minergate-exporter" \
      org.opencontainers.image.description="Prometheus exporter for MinerGate mining pool accounts and networks" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
# State that is kept across restarts: mount a volume here. A new volume gets this owner and mode.
COPY --from=build --chown=65532:65532 /state /var/lib/minergate-exporter
ENV STATE_DIRECTORY=/var/lib/minergate-exporter
# One heap of the C library for all threads: half as much memory is kept after many requests at a time.
ENV MALLOC_ARENA_MAX=1
# The secrets' directory of Docker and Podman: `password_file = "farm-password"` is the secret of that name.
ENV CREDENTIALS_DIRECTORY=/run/secrets
# The user `nonroot` of distroless images. It is a number so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 10187 10189
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/bin/minergate-exporter", "healthcheck"]
ENTRYPOINT ["/usr/bin/minergate-exporter"]
