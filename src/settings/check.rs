//! Whether the settings can be what they are.

use clap::CommandFactory as _;
use messaging::BusUrl;
use subgraph::SearchUrl;

use super::Settings;
use super::parts::SESSION_PATIENCE;
use super::values::check_urls;
use crate::cli::Cli;

impl Settings {
    /// Checks what can be checked without starting, and says what is in force.
    pub fn check(&self) -> anyhow::Result<()> {
        check_urls("TECHPOTLI_DATABASE_URL", &self.database_url, true)?;
        check_urls("TECHPOTLI_REPLICA_URLS", &self.replica_urls, false)?;
        let search = self.search()?;
        self.prepare_data_dir()?;
        println!("listen        {}", self.listen);
        println!("data          {}", self.data_dir.display());
        let database = if self.database_url == "sqlite" { "SQLite files" } else { "MySQL" };
        println!("database      {database}");
        self.bus()?;
        match &self.bus_url {
            BusUrl::Memory => println!("bus           memory"),
            BusUrl::Kafka(brokers) => println!("bus           Kafka at {brokers}, {}.*", self.kafka_prefix),
        }
        let search = match search {
            SearchUrl::Embedded => "in memory",
            SearchUrl::Engine(_) => "Elasticsearch or OpenSearch",
        };
        println!("search        {search}");
        match self.collector("")? {
            None => println!("traces        nowhere"),
            Some(to) => println!("traces        to {}, {} of the requests", to.url, to.ratio),
        }
        println!("replicas      {}", if self.replica_urls.is_empty() { "none" } else { "are read" });
        println!("production    {}", if self.production { "yes" } else { "no" });
        println!("deadline      {} ms", self.deadline_ms);
        match (self.rate_user, self.rate_address) {
            (0, _) | (_, 0) => println!("rate limits   off"),
            (user, address) => println!("rate limits   {user} a minute per user, {address} per address"),
        }
        match self.redis(SESSION_PATIENCE)? {
            None => println!("shared        nothing: each gateway counts and keeps sessions by itself"),
            Some(redis) if redis.has_slots() => {
                println!("shared        counts, sessions and who has written, in a Redis cluster")
            }
            Some(_) => println!("shared        counts, sessions and who has written, in a Redis"),
        }
        match self.identity_provider(self.listen) {
            None => {
                println!("log-in        by the shop itself, for browsers at {}", self.public_url(self.listen))
            }
            Some(provider) => {
                // The way to it is not taken: whether it is there shows when somebody logs in.
                provider.check()?;
                println!("log-in        by {} for browsers at {}", provider.issuer, provider.public_url);
            }
        }
        println!("The configuration is good.");
        Ok(())
    }
}

/// Refuses environment variables that look like settings and are none: a misspelt one must not pass in silence.
pub fn refuse_unknown_variables() -> Result<(), String> {
    let command = Cli::command();
    let own = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let known: Vec<String> = command
        .get_arguments()
        .chain(own)
        .filter_map(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TECHPOTLI_")
            && !name.starts_with("TECHPOTLI_TEST_")
            && !known.iter().any(|one| *one == name)
        {
            return Err(format!("{name} is no setting of ours: see --help or .env.example"));
        }
    }
    Ok(())
}
