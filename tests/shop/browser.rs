//! GraphiQL in a real browser, before a shop in one process.

use std::path::Path;

use anyhow::ensure;
use serde_json::Value;

use crate::node;
use crate::setups::OneProcess;

const TEST: &str = "GraphiQL in a browser";
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

#[tokio::test(flavor = "multi_thread")]
async fn graphiql_runs_its_tabs_in_a_browser_and_asks_nobody_else() -> anyhow::Result<()> {
    let Some(browser) = BROWSERS.into_iter().find(|path| Path::new(path).exists()) else {
        return node::skipped(TEST, "no Chromium is installed");
    };
    let scripts = match node::workspace("tests/browser", "shop-browser-js") {
        Ok(scripts) => scripts,
        Err(why) => return node::skipped(TEST, &why),
    };
    let shop = OneProcess::start().await?;
    let base = shop.process.base.clone();
    let arguments = move || {
        node::run(&scripts, "graphiql.mjs", &[&base, "--browser", browser, "--login", "--patience", "60000"])
    };
    let said: Value = serde_json::from_str(&tokio::task::spawn_blocking(arguments).await??)?;
    ensure!(
        said["ok"] == true && said["checks"].as_object().is_some_and(|checks| checks.len() == 6),
        "{said:#}"
    );
    Ok(())
}
