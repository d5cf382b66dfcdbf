# The image of dlr-receiver: one binary on a base without a shell, run by an unprivileged user.
# It starts with the profile `production`. Where a required setting is missing, it names it and ends.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Dependencies first, with a placeholder for our sources: this layer is cached until a dependency changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -r src
COPY migrations migrations
COPY config config
COPY src src
RUN touch src/main.rs src/lib.rs && cargo build --release --locked && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/dlr-receiver /usr/local/bin/dlr-receiver
# Holds the spool, and the SQLite database where no Postgres is configured.
COPY --from=build --chown=65532:65532 /data /data
VOLUME /data
WORKDIR /
ENV DLR_PROFILE=production
USER 65532:65532
# 8080: callbacks. 9090: everything else.
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/dlr-receiver", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/dlr-receiver"]
