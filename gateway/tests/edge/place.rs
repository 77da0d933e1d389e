//! A real Redis, or a cluster of them, that gateways share.

use std::time::Duration;

use cache::Remote;
use services::{Ground, Server, Service};

/// Where the gateways of one test meet.
pub struct Place {
    pub servers: Vec<Server>,
    pub url: String,
}

impl Place {
    /// One server.
    pub fn one_server() -> Self {
        let ground = Ground::temporary().unwrap();
        let server = services::redis::start(&ground).unwrap();
        let url = server.url().to_owned();
        Self { servers: vec![server], url }
    }

    /// Three masters.
    pub fn cluster() -> Self {
        let ground = Ground::temporary().unwrap();
        let cluster = services::redis::cluster(&ground).unwrap();
        let url = format!("redis+cluster://{}", cluster.urls().replace("redis://", ""));
        Self { servers: cluster.nodes, url }
    }

    /// A way there.
    pub fn remote(&self) -> Remote {
        Remote::at(&self.url, Duration::from_secs(1)).unwrap()
    }

    /// All that lies there: keys and values, one text.
    pub async fn dump(&self) -> String {
        let mut all = String::new();
        for server in &self.servers {
            let client = redis::Client::open(server.url()).unwrap();
            let mut link = client.get_multiplexed_async_connection().await.unwrap();
            // Compressed, nothing would be found in it.
            let plain = ["SET", "rdbcompression", "no"];
            let () = redis::cmd("CONFIG").arg(&plain).query_async(&mut link).await.unwrap();
            let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut link).await.unwrap();
            for key in keys {
                let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut link).await.unwrap();
                all.push_str(&format!("{key} {}\n", String::from_utf8_lossy(&value)));
            }
        }
        all
    }
}

/// Whether Redis is here; where `CI=true` it must be.
pub fn redis_is_here() -> bool {
    let Err(missing) = Service::Redis.install() else { return true };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
    eprintln!("SKIPPED: what needs a Redis: {missing}");
    false
}
