# The image for ci/kubernetes.yml, and for anybody without a toolchain:
#
#     docker build -t fencepost .
#     docker run --rm fencepost run --seeds 0..1000
FROM rust:1.95-bookworm AS build
WORKDIR /fencepost
COPY . .
# The flag of .cargo/config.toml switches the simulation on.
RUN cargo build --release --locked --bin fencepost

FROM debian:bookworm-slim
COPY --from=build /fencepost/target/release/fencepost /fencepost
# Reports go to a folder that is mounted here.
WORKDIR /found
ENTRYPOINT ["/fencepost"]
