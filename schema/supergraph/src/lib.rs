//! supergraph
