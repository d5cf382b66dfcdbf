# The image of dlr-receiver: one binary on a base without a shell, run by nobody in
# particular. It starts with the profile `production`, and says what it still needs.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Dependencies first, on a stand-in for our sources: they change less often than our code.
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
# For the embedded database, where no Postgres is configured.
COPY --from=build --chown=65532:65532 /data /data
VOLUME /data
WORKDIR /
ENV DLR_PROFILE=production
USER 65532:65532
# Callbacks; everything else.
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/dlr-receiver", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/dlr-receiver"]
