//! The federation engine: plans a client's operation over subgraphs and runs the plan.
//!
//! [`Engine::prepare`] turns a document into an [`Operation`], once; [`Engine::execute`] and
//! [`Engine::subscribe`] run it. Everything that depends only on schema and document is computed in the
//! first step, so that the second only moves bytes.
//!
//! - `plan`: the document → which subgraph is asked what, and in which order
//! - `compile`: the plan → request texts, tables to read answers, programs to write
//! - `execute`: fetches as their inputs arrive, one arena for all answers, one pass to write the response
//! - `transport`: a call in this process, or HTTP

mod authorize;
mod compile;
mod context;
mod engine;
mod error;
mod execute;
mod operation;
pub mod plan;
mod response;
mod transport;

pub use context::{FetchObserver, Grant, PassportSigner, RequestContext, Succession};
pub use engine::{Engine, EngineOptions};
pub use error::{EngineError, ErrorCode, GraphQLError, Location, PathSegment, PrepareError, Refusal};
pub use operation::{Operation, ParsedOperation};
pub use response::{FetchTrace, Response, Trace};
pub use transport::{
    DEADLINE_HEADER, HttpClient, HttpOptions, HttpSubgraph, LocalError, LocalRequest, LocalResponse,
    LocalSubgraph, Prepared, Subgraphs, Transport,
};
