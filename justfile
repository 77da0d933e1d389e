# The same commands as in the README and in continuous integration.

# The whole shop in one process
run *arguments:
    cargo run -- {{arguments}}

# Every test
test:
    tests/run

# Format, lints, unit and subgraph tests on SQLite
test-quick:
    tests/run quick

# Requests per second and CPU time, on a release build
bench:
    cargo bench --bench shop

# Generate schema/subgraphs/*.graphql, schema/supergraph.graphql, schema/api.graphql and schema/events/*.json
schema:
    cargo run -- schema print --out schema

# Clippy, as tests/run calls it
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Format everything
fmt:
    cargo fmt --all

# Demo data: just seed --products 10000
seed *arguments:
    cargo run -- seed {{arguments}}

# Real servers until Ctrl-C: just up mariadb kafka
up *arguments:
    cargo run -q --locked -p services -- up {{arguments}}

# Build GraphiQL's assets anew
graphiql:
    cd gateway/graphiql && npm ci && npm run build
