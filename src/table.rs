//! Tables on standard output.

use std::io::Write as _;

/// Characters of a reason in a table.
const REASON: usize = 80;

/// Prints rows below a head, in columns as wide as what is in them.
pub fn print<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> anyhow::Result<()> {
    let table: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = std::io::stdout().lock();
    for row in &table {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// A cell, where an empty one is a dash.
pub fn or_dash(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { cell.to_owned() }
}

/// The first line of a reason, without what a terminal would obey.
pub fn shortened(reason: &str) -> String {
    let line: String = reason.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    match line.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(shortened("no\nsuch\u{1b}[31m thing"), "no such [31m thing");
        assert_eq!(shortened(&"ä".repeat(81)), format!("{}…", "ä".repeat(80)));
        assert_eq!(shortened(&"ä".repeat(80)), "ä".repeat(80));
    }
}
