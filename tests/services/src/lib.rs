//! Real servers for tests, benchmarks and a shop at one's desk, without containers.
//!
//! Every server is a process of its own on a free loopback port, in a folder of its own. It is a value: it can be
//! killed, stopped, paused and started again on the same port with the same data, and it ends when it is dropped or
//! when the process that holds it ends, even by SIGKILL.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let ground = services::Ground::temporary()?;
//! let kafka = services::kafka::start(&ground)?;
//! println!("bootstrap.servers={}", kafka.url());
//! kafka.kill()?;
//! kafka.start()?;
//! # Ok(())
//! # }
//! ```
//!
//! What a server needs is fetched by the ordinary clients of Debian, Maven and PyPI at its first start, and kept. Where
//! that fails, [`Service::install`] says [`Unavailable`]; tests report that by name as skipped.

mod cache;
mod catalogue;
pub mod collector;
pub mod elasticsearch;
mod engines;
mod ground;
mod install;
pub mod kafka;
pub mod keycloak;
pub mod mail;
pub mod mariadb;
pub mod opensearch;
mod process;
pub mod prometheus;
pub mod redis;
mod server;

pub use catalogue::{Options, Service, Started, Tool, Unavailable};
pub use engines::Engines;
pub use ground::{Ground, Port};
pub use server::Server;
