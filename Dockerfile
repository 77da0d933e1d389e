# One image for all roles: docker build -t techpotli .
FROM rust:1.95-slim-bookworm AS build
# librdkafka is built from source by make.
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin techpotli && cp target/dist/techpotli /techpotli && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /techpotli /usr/local/bin/techpotli
COPY --from=build /src/schema/supergraph.graphql /schema/supergraph.graphql
COPY --from=build --chown=nonroot:nonroot /data /data
ENV TECHPOTLI_LISTEN=0.0.0.0:4000 TECHPOTLI_DATA_DIR=/data TECHPOTLI_LOG=info TECHPOTLI_LOG_FORMAT=json
VOLUME /data
EXPOSE 4000
USER nonroot
ENTRYPOINT ["techpotli"]
