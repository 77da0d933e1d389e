//! How the text of a setting is read.

/// The URLs of a subgraph's databases in a list of URLs and SUBGRAPH=URL. Those of its own stand in for the others.
pub(super) fn urls_of(list: &str, subgraph: &str) -> Vec<String> {
    let entries = || list.split(',').map(str::trim).filter(|entry| !entry.is_empty() && *entry != "sqlite");
    let own: Vec<String> = entries()
        .filter_map(|entry| entry.split_once('=').filter(|(name, _)| *name == subgraph))
        .map(|(_, url)| url.to_owned())
        .collect();
    if !own.is_empty() {
        return own;
    }
    entries()
        .filter(|entry| entry.starts_with("mysql://"))
        .map(|url| format!("{}_{subgraph}", url.trim_end_matches('/')))
        .collect()
}

/// Checks a list of URLs and SUBGRAPH=URL; the text names no password.
pub(super) fn check_urls(setting: &str, list: &str, sqlite: bool) -> anyhow::Result<()> {
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let named = entry.split_once('=').filter(|(name, _)| !name.contains(':'));
        if let Some((name, _)) = named
            && crate::rooms::room(name).is_err()
        {
            anyhow::bail!("{setting} names a subgraph '{name}': there is none");
        }
        let url = named.map_or(entry, |(_, url)| url);
        if !(url.starts_with("mysql://") || sqlite && url == "sqlite") {
            let scheme = url.split("//").next().unwrap_or_default();
            let or = if sqlite { "be 'sqlite' or " } else { "" };
            anyhow::bail!("{setting} has '{scheme}': a URL must {or}begin with mysql://");
        }
    }
    Ok(())
}

/// `FIELD=N`: requests a minute.
pub(super) fn field_rate(text: &str) -> Result<(String, u32), String> {
    let (field, rate) = text.split_once('=').ok_or("it must look like FIELD=N")?;
    let rate = rate.parse().ok().filter(|rate| *rate > 0).ok_or_else(|| format!("'{rate}' is no rate"))?;
    Ok((field.to_owned(), rate))
}

/// A share of something.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("'{text}' is no share from 0 to 1"))
}

/// The beginning of a topic's name.
pub(super) fn topic_prefix(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match text.is_empty() || text.len() > 100 || !text.bytes().all(legal) {
        true => Err("a prefix has 1 to 100 letters, digits, dots, hyphens and underscores".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// `NAME=URL`, as several flags take it.
pub fn named_url(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("it must look like NAME=URL")?;
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(format!("'{url}' is no URL: it must begin with http:// or https://"));
    }
    Ok((name.to_owned(), url.trim_end_matches('/').to_owned()))
}
