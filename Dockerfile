# syntax=docker/dockerfile:1.7

FROM node:22-bookworm-slim AS dashboard

WORKDIR /web
COPY admin/web/package.json admin/web/package-lock.json admin/web/.npmrc ./
RUN --mount=type=cache,id=switchyard-npm,target=/root/.npm npm ci --ignore-scripts
COPY admin/web ./
RUN npm run build


FROM rust:1.95.0-bookworm AS build

# The image's own toolchain, whatever rust-toolchain.toml would have installed beside it.
ENV RUSTUP_TOOLCHAIN=1.95.0

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake lld \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
COPY --from=dashboard /web/dist admin/web/dist

# "fat" takes 6 GB of memory to build, "thin" less; what comes of that is a tenth slower.
ARG CARGO_PROFILE_RELEASE_LTO=fat

# The caches outlive the build: what did not change is not compiled again. The binary leaves them in the same step.
ARG TARGETARCH
RUN --mount=type=cache,id=switchyard-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=switchyard-target-${TARGETARCH},target=/src/target,sharing=locked \
    cargo build --release --locked --bin switchyard \
    && install -D -m 0755 target/release/switchyard /out/switchyard


FROM debian:bookworm-slim

# Providers' certificates are checked against Debian's list.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 switchyard \
    && useradd --system --no-log-init --uid 10001 --gid switchyard --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin switchyard \
    && install -d -o switchyard -g switchyard -m 0700 /data

COPY --from=build /out/switchyard /usr/local/bin/switchyard

LABEL org.opencontainers.image.title="switchyard" \
      org.opencontainers.image.description="A self-hosted gateway for AI coding traffic" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV DATA_DIR=/data
EXPOSE 23000
STOPSIGNAL SIGTERM

# Readiness on the configured port. Where that port speaks TLS: --address with the address of ADMIN_LISTEN.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["switchyard", "health"]

ENTRYPOINT ["switchyard"]
CMD ["serve"]
